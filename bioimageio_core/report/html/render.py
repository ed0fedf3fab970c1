"""Render the templates of this package."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...sources.urls import is_url

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["render"]


def render(template: str, **data: Any) -> str:
    """Return a page made from a template of this package; all data are escaped.

    Args:
        template: Name of the template, such as ``validation.html.j2``.
        data: What the template shows.

    """
    return _environment().get_template(template).render(data)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from ..plain_text import bytes_in_words

    environment = Environment(
        loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["web_url"] = _web_url
    environment.filters["count_of"] = _count_of
    environment.filters["short_source"] = _short_source
    environment.filters["bytes_in_words"] = bytes_in_words
    environment.filters["date"] = _date
    return environment


def _web_url(url: object) -> str:
    """Return a URL if it leads to the web, else an empty text: descriptions may hold URLs that run code."""
    return url if isinstance(url, str) and url.lower().startswith(("http://", "https://")) else ""


def _short_source(source: str) -> str:
    """Return a URL, or the last two parts of a path: pages are published, and must not show the folders of their author."""
    return source if is_url(source) else "/".join(Path(source).parts[-2:])


def _date(moment: str) -> str:
    """Return the day of a moment in the notation of ISO 8601."""
    return moment[:10]


def _count_of(count: int, severity: str) -> str:
    """Return a number of issues, as in ``2 errors``."""
    return f"{count} {severity}{'s' * (count != 1 and severity != 'info')}"
