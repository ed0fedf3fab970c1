"""Words that the project avoids in docstrings, comments, messages and documentation, each with a better one.

``python tests/architecture/wording.py`` lists all places where they occur; with a folder as its argument, those in that folder.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

BETTER = {
    r"(is|are|was|were) told": "gets, is passed, is called with",
    r"(has|have) not(?! (been|to|yet|had|run)\b)": "does not have, lacks",
    r"anew": "again",
    r"whoever": "the caller, the worker, the plugin",
    r"nobody": "no caller, no rule; None",
    r"(go|goes|going|went) on (with|where|until)": "continue",
    r"(is|are) said": "is reported, is written",
    r"(is|are|was|were) begun": "is started",
    r"(say|says|said) of": "describes, states about",
    r"so many": "the number of",
    r"some per cent": "a few percent",
    r"can not": "cannot",
    r"(?<!to )(is|are|was|were|be) whole": "is complete, is intact",
    r"whole or not there": "appears when it is complete",
    r"all the same": "anyway, still",
    r"in spite of": "although, despite",
    r"strangers?": "third party, untrusted",
    r"for want of": "because ... is missing",
    r"not at hand": "not on this machine, missing",
    r"comes? along": "is part of the package",
    r"no (multiple|number|array|amount|terminal|pair) of": "is not a ... of",
}
"""Pattern of each avoided word or phrase, in any case, and what to write instead."""

AVOIDED = re.compile("|".join(rf"(?P<w{n}>\b(?:{pattern})\b)" for n, pattern in enumerate(BETTER)), re.IGNORECASE)
FOLDERS = ("bioimageio_core", "plugins", "docs", "README.md", ".ci")


class Hit(NamedTuple):
    """An avoided word and its place."""

    path: str
    line: int
    found: str
    better: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.found!r}: better {self.better}"


def avoided_words(path: Path, text: str) -> Iterator[Hit]:
    """Yield avoided words in a file: in comments and texts of code, and anywhere in other files but in blocks of code."""
    for line, prose in _python_prose(text) if path.suffix == ".py" else _markdown_prose(text):
        for match in AVOIDED.finditer(prose):
            better = list(BETTER.values())[int(str(match.lastgroup)[1:])]
            yield Hit(path.as_posix(), line + prose.count("\n", 0, match.start()), match[0], better)


def _python_prose(source: str) -> Iterator[tuple[int, str]]:
    """Yield comments and the texts of strings, docstrings among them, with the line on which each starts."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def _markdown_prose(text: str) -> Iterator[tuple[int, str]]:
    code = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            code = not code
        elif not code:
            yield number, re.sub(r"`[^`]*`", "``", line)


def all_hits(root: Path = ROOT, folders: tuple[str, ...] = FOLDERS) -> list[Hit]:
    """Return the avoided words in all files of some folders."""
    hits = []
    for folder in folders:
        place = root / folder
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.suffix in (".py", ".md", ".j2", ".template") and "tests" not in path.parts and "_build" not in path.parts:
                hits += avoided_words(path.relative_to(root), path.read_text(encoding="utf-8"))
    return hits


if __name__ == "__main__":
    found = [hit for hit in all_hits() if hit.path.startswith(tuple(sys.argv[1:]) or "")]
    print(*found, f"{len(found)} avoided words", sep="\n")
    sys.exit(bool(found))
