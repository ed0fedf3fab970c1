"""Messages name options as the reader writes them: keywords in Python, flags on the command line."""

from __future__ import annotations

import ast
import html
import json
import re
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

import bioimageio_core
from bioimageio_core.cli.main import COMMANDS
from bioimageio_core.errors import InputError, PredictionWarning
from bioimageio_core.option_spelling import PAIR, for_command_line, for_python, on_command_line

CASES = [
    ("overwrite=True (--overwrite) replaces it", "overwrite=True replaces it", "--overwrite replaces it"),
    ("axes= (--axes) is 'yx'", "axes= is 'yx'", "--axes is 'yx'"),
    ("output= (-o) is empty", "output= is empty", "-o is empty"),
    ("give halo={'y': 3, 'x': 3} (--halo y=3,x=3), or", "give halo={'y': 3, 'x': 3}, or", "give --halo y=3,x=3, or"),
    ("roi={'t': (0, 1)} (--roi t=0:1)", "roi={'t': (0, 1)}", "--roi t=0:1"),
    ("memory='2 GB' (--memory '2 GB')", "memory='2 GB'", "--memory '2 GB'"),
    ("value_range=(0, 255) (--value-range 0,255)", "value_range=(0, 255)", "--value-range 0,255"),
    ("with trust_model() (bmz trust m), or", "with trust_model(), or", "with 'bmz trust m', or"),
    (
        "the array (-1) and f(x) stay (as they are)",
        "the array (-1) and f(x) stay (as they are)",
        "the array (-1) and f(x) stay (as they are)",
    ),
]


@pytest.mark.parametrize(("text", "python", "command"), CASES)
def test_each_reader_sees_one_spelling(text: str, python: str, command: str) -> None:
    """Whatever the value looks like; also within JSON and HTML, where quotes are written in another way."""
    assert (for_python(text), for_command_line(text)) == (python, command)
    assert json.loads(for_command_line(json.dumps(text))) == command
    assert html.unescape(for_python(html.escape(text))) == python


@pytest.mark.parametrize("part", ["a='", "a.", 'a=\\"', "a=&#39;", "a=", "a={", "a(", "a=1 (", "a=1 (--x"])
def test_long_texts(part: str) -> None:
    """Texts of a megabyte that almost hold an option stay as they are; a search that goes to their end for each would take an hour."""
    text = part * (1_000_000 // len(part))
    assert for_command_line(text) == text


def test_errors_and_warnings() -> None:
    """Their text depends on where they are shown."""
    for message in (InputError(CASES[0][0]), PredictionWarning(CASES[0][0])):
        assert str(message) == CASES[0][1]
        with on_command_line():
            assert str(message) == CASES[0][2]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn(CASES[0][0], PredictionWarning, stacklevel=1)
    assert [str(one.message) for one in caught] == [CASES[0][1]]


def flags() -> set[str]:
    """Return all flags of all commands."""
    commands = [import_module(f"bioimageio_core.cli.{name}_command").command for name in COMMANDS]
    for command in commands:
        commands += command.commands.values() if isinstance(command, click.Group) else []
    return {flag for command in commands for one in command.params for flag in (*one.opts, *one.secondary_opts)}


def messages() -> Iterator[tuple[str, str]]:
    """Yield each text of the library that is shown in Python and on the command line, with its place; ``X`` is filled in."""
    root = Path(bioimageio_core.__file__).parent
    for path in sorted(root.rglob("*.py")):
        if path.relative_to(root).parts[0] in ("cli", "testing", "scaffold"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inner = {id(part) for one in ast.walk(tree) if isinstance(one, ast.JoinedStr) for part in ast.walk(one) if part is not one}
        described = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
        for node in ast.walk(tree):
            if id(node) in inner | described:
                continue
            if isinstance(node, ast.JoinedStr):
                parts = [str(one.value) if isinstance(one, ast.Constant) else "X" for one in node.values]
                yield f"{path.relative_to(root)}:{node.lineno}", "".join(parts)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{path.relative_to(root)}:{node.lineno}", node.value


FLAG = re.compile(r"(?<![\w\"'-])--[a-z][a-z-]+")


def test_no_message_has_flags_alone() -> None:
    """In what both read, each flag stands in brackets behind the keyword, and is one of a command."""
    known, wrong, found = flags(), [], 0
    for place, text in messages():
        if "pip" in text or " " not in text or "var(--" in text:
            continue
        found += len(PAIR.findall(text))
        wrong += [f"{place}: {flag} without its keyword" for flag in FLAG.findall(for_python(text))]
        commands = " ".join(pair["command"] for pair in PAIR.finditer(text))
        wrong += [f"{place}: no command has {flag}" for flag in FLAG.findall(commands) if flag not in known]
    assert not wrong, "\n".join(wrong)
    assert found > 100
