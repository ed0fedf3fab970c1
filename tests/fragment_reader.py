"""Reads fragments of HTML that notebooks show, and refuses what they never hold."""

from __future__ import annotations

import re
from html.parser import HTMLParser

__all__ = ["FragmentReader"]

TAGS = frozenset(
    (
        *("a", "br", "code", "dd", "details", "div", "dl", "dt", "image", "img", "input", "label", "li", "line", "ol", "p", "pre"),
        *("progress", "rect", "span", "style", "summary", "svg", "table", "tbody", "td", "th", "thead", "title", "tr", "ul"),
    )
)
VOID = frozenset(("br", "image", "img", "input", "line", "rect"))


class FragmentReader(HTMLParser):
    """A fragment: its text, its pictures and its controls.

    It runs no script, requests nothing, holds no frame, and closes every tag.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.pictures: list[str] = []
        self.ids: list[str] = []
        self.labels: list[str] = []
        self.links: list[str] = []
        self.styles = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, self._open
        assert len(set(self.ids)) == len(self.ids)
        assert set(self.labels) <= set(self.ids)
        assert not re.search(r"url\(|@import|expression", self.styles)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert "url(" not in str(value)
            if name in ("src", "href"):
                assert str(value).startswith("data:"), value
                (self.links if tag == "a" else self.pictures).append(str(value))
            elif name == "id":
                self.ids.append(str(value))
            elif name == "for":
                self.labels.append(str(value))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            self.styles += data
        else:
            self.text += data
