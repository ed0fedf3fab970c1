"""Untrusted Markdown as HTML that can only show text."""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import cache
from typing import Any

__all__ = ["markdown_html"]


def markdown_html(text: str) -> str:
    """Return a Markdown text as HTML.

    HTML in the text is escaped. Links lead to ``http``, ``https`` and ``mailto`` only.
    Pictures become links, since a page downloads nothing.
    Headings are two levels lower, since the text is part of a page.
    """
    rendered: str = _renderer().render(_without_front_matter(text))
    return rendered


def _without_front_matter(text: str) -> str:
    """Return a text without the YAML between ``---`` that some tools put at its start."""
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[0].strip() == "---" and "---" in (rest := [line.strip() for line in lines[1:40]]):
        return "\n".join(lines[rest.index("---") + 2 :])
    return text


@cache
def _renderer() -> Any:
    from markdown_it import MarkdownIt

    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    renderer.core.ruler.push("harmless", _make_harmless)
    renderer.add_render_rule("image", _render_image)
    return renderer


def _make_harmless(state: Any) -> None:
    """Lower headings, and remove the target of links that do not lead to the web."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        opened: list[Any] = []
        for child in token.children or ():
            if child.type == "link_open":
                opened.append(child)
                if _is_safe(str(child.attrGet("href") or "")):
                    child.attrSet("rel", "noopener noreferrer")
                else:
                    child.tag, child.attrs = "span", {"class": "nowhere"}
            elif child.type == "link_close":
                child.tag = opened.pop().tag


def _is_safe(url: str) -> bool:
    return url.lower().startswith(("http://", "https://", "mailto:"))


def _render_image(renderer: Any, tokens: Sequence[Any], index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    url = str(token.attrGet("src") or "")
    words = html.escape(renderer.renderInlineAsText(token.children or [], options, env) or "picture")
    if not _is_safe(url):
        return f'<span class="nowhere">{words}</span>'
    return f'<a href="{html.escape(url)}" rel="noopener noreferrer">{words}</a>'
