"""Options in a notebook."""

from __future__ import annotations

from ...shown import ShownOptions
from ..html.fragment import Fragment

__all__ = ["options_fragment"]


def options_fragment(options: ShownOptions) -> Fragment:
    """Return the options that differ from their defaults."""
    given = tuple(options.given.items())
    return Fragment(kind="options", title="" if given else "all options have their defaults", facts=given)
