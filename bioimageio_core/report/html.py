"""Pages: HTML that needs no other file, runs no scripts and loads nothing."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..sources.urls import is_url

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["framed", "render"]


def render(template: str, **data: Any) -> str:
    """Return a page made from a template of this package; whatever the data hold is escaped.

    Args:
        template: Its name, such as ``validation.html.j2``.
        data: What the template shows.

    """
    return _environment().get_template(template).render(data)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from .plain_text import bytes_in_words

    environment = Environment(
        loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["web"] = _web
    environment.filters["of"] = _of
    environment.filters["place"] = _place
    environment.filters["bytes_in_words"] = bytes_in_words
    return environment


def _web(url: object) -> str:
    """Return a URL if it leads to the web, else an empty text: descriptions hold others that would run code."""
    return url if isinstance(url, str) and url.lower().startswith(("http://", "https://")) else ""


def _place(source: str) -> str:
    """Return a URL, or the end of a path: pages are published, and folders of users are nobody's business."""
    return source if is_url(source) else "/".join(Path(source).parts[-2:])


def _of(count: int, severity: str) -> str:
    return f"{count} {severity}{'s' * (count != 1 and severity != 'info')}"


def framed(page: str) -> str:
    """Return a page as part of another, such as a notebook, whose style it neither takes nor changes."""
    frame = 'sandbox="allow-popups allow-popups-to-escape-sandbox" style="width:100%;height:40em;border:1px solid #8884;border-radius:6px"'
    return f'<iframe srcdoc="{escape(page)}" {frame}></iframe>'
