"""How notebooks show results: one base class for everything that has a page."""

from __future__ import annotations

from html import escape

__all__ = ["NotebookPage"]

_FRAME = 'sandbox="allow-popups allow-popups-to-escape-sandbox" style="width:100%;height:40em;border:1px solid #8884;border-radius:6px"'
"""The frame runs no script, and neither takes nor changes the style of the notebook."""


class NotebookPage:
    """Base class of results that notebooks show as a page; subclasses make the page."""

    __slots__ = ()

    def page(self) -> str:
        """Return the result as an HTML page that needs no other file, runs no scripts and loads nothing."""
        raise NotImplementedError(f"{type(self).__name__} must define page()")

    def _repr_html_(self) -> str:
        """Return the page in a frame; IPython and other notebooks call this."""
        return f'<iframe srcdoc="{escape(self.page())}" {_FRAME}></iframe>'
