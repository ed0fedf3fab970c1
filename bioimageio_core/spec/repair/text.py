"""Text that is not quite YAML."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any

from ...errors import YamlError
from ..node import Issue
from ..notes import mended
from ..yaml import Faults, load_yaml
from .kept import keep, value_at

__all__ = ["load_damaged_yaml"]

_TAB_WIDTHS = (8, 4, 2)
"""Columns between tab stops, the most common first."""


def load_damaged_yaml(text: bytes, *, source: str = "") -> tuple[dict[str, Any], list[Issue]]:
    """Read YAML as `load_yaml` does, also where bytes are not UTF-8, tabs indent, keys repeat or several documents follow each other.

    Returns:
        The tree, and a warning for each of these that was found.

    Raises:
        YamlError: The text cannot be read that way either.

    """
    decoded, notes = _decoded(text)
    attempts = [(decoded, notes)]
    if re.search(r"^[ \t]*\t", decoded, re.MULTILINE):
        for width in _TAB_WIDTHS:
            note = mended((), f"expected spaces before the first word of a line, found tabs, which were read as steps of {width} columns")
            attempts.append((_without_tabs(decoded, width), [*notes, note]))
    failure: YamlError | None = None
    for candidate, known in attempts:
        faults = Faults()
        try:
            tree = load_yaml(candidate, source=source, faults=faults)
        except YamlError as error:
            failure = failure or error
            continue
        return tree, [*known, *_left_out(tree, faults)]
    assert failure is not None
    raise failure


def _left_out(tree: dict[str, Any], faults: Faults) -> Iterator[Issue]:
    for loc, earlier in faults.repeated:
        if value_at(tree, loc) == earlier:
            yield mended(loc, "expected distinct keys, found this one twice with the same value")
        else:
            yield keep(tree, loc, earlier, "the key comes again later, and that value was taken")
    for number, document in enumerate(faults.documents, start=2):
        yield keep(tree, (f"document {number}",), document, "a description is one document, and the first was taken")


def _decoded(text: bytes) -> tuple[str, list[Issue]]:
    if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return text.decode("utf-16", errors="replace"), [mended((), "expected text in UTF-8, found UTF-16")]
    try:
        return text.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        pass
    try:
        return text.decode("cp1252"), [mended((), "expected text in UTF-8, found other bytes, which were read as Windows-1252")]
    except UnicodeDecodeError:
        return text.decode("latin-1"), [mended((), "expected text in UTF-8, found other bytes, which were read as Latin-1")]


def _without_tabs(text: str, width: int) -> str:
    """Replace tabs before the first word of each line."""
    return re.sub(r"^[ \t]*\t[ \t]*", lambda indent: indent[0].expandtabs(width), text, flags=re.MULTILINE)
