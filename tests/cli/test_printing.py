"""What commands print of texts that descriptions, images and servers may fill with anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bmz_process import ForkedBmz
from hypothesis import given
from hypothesis import strategies as st
from import_graph import module_files

from bioimageio_core.cli.main import _run
from bioimageio_core.cli.main import bmz as bmz_command
from bioimageio_core.cli.terminal import json_text
from bioimageio_core.report.plain_text import LONGEST_LINE, printable, table

HOSTILE = "\x1b]0;title\x07\x1b[2J\x9b31m\u202e\u2066\u2028end"


class TestPrintable:
    """`printable`, `table` and `json_text`."""

    @given(st.text(alphabet=st.characters(exclude_categories=())))
    def test_of_any_text(self, text: str) -> None:
        """Lines stay, and nothing else that a terminal obeys."""
        lines = printable(text).split("\n")
        assert len(lines) == len(text.split("\n"))
        assert all(line.isprintable() for line in lines)

    def test_printable_text_stays(self) -> None:
        """In all scripts."""
        assert printable("Zellkern µ 細胞\n  a") == "Zellkern µ 細胞\n  a"

    def test_long_lines_are_cut(self) -> None:
        """The number of characters that are left out is said."""
        shown = printable("a" * (LONGEST_LINE + 7))
        assert shown == "a" * LONGEST_LINE + "... (7 more characters)"

    def test_cells_cannot_draw_rows(self) -> None:
        """A line break within a cell is a space."""
        assert table([("a\nb", "c")]) == "a b  c"

    def test_a_wide_cell_does_not_widen_all(self) -> None:
        """A table of many rows stays small."""
        assert len(table([("k" * 5000, "v"), *[("k", "v")] * 100])) < 30_000

    @given(st.text(alphabet=st.characters(exclude_categories=())))
    def test_json_of_any_text(self, text: str) -> None:
        """Programs read back what a terminal does not obey."""
        written = json_text({text: [text]})
        assert all(line.isprintable() for line in written.split("\n"))
        assert json.loads(written) == {text: [text]}


class TestCommands:
    """``bmz``, on a description with escapes in its texts."""

    @pytest.mark.parametrize("command", [["info"], ["info", "--json"], ["validate"], ["validate", "--json"], ["test", "--quick"]])
    def test_prints_no_escapes(self, bmz: ForkedBmz, model: Path, change: Callable[[Path, Any], None], command: list[str]) -> None:
        """Neither for people nor for programs."""

        def fill(tree: dict[str, Any]) -> None:
            tree |= {"description": HOSTILE, "tags": ["\x1b[2J"], "config": {"\x1b[2J": "\x9b"}}
            tree["authors"] = [{"name": "\x1b]0;title\x07", "affiliation": "\x9b31m"}]

        change(model, fill)
        ran = bmz(command[0], str(model), *command[1:])
        assert ran.out
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & {*ran.out, *ran.err}

    def test_one_place_prints(self) -> None:
        """Every command prints by `say` or `print_json`."""
        printing = {name for name, path in module_files().items() if "click.echo(" in path.read_text(encoding="utf-8")}
        assert printing == {"bioimageio_core.cli.terminal"}


class TestFaults:
    """Errors that nobody foresaw."""

    def test_one_sentence(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        """The traceback is printed with ``--debug``."""

        def fail(**_: object) -> None:
            raise KeyError("no\x1b[2Jkey")

        monkeypatch.setattr(bmz_command, "main", fail)
        monkeypatch.setattr("sys.argv", ["bmz", "info"])
        assert _run() == 2
        said = capsys.readouterr().err
        assert said.startswith("bmz: KeyError: 'no\\x1b[2Jkey': a fault of this library; 'bmz --debug ...' prints its traceback")
        assert said.count("\n") == 1
        monkeypatch.setattr("sys.argv", ["bmz", "--debug", "info"])
        with pytest.raises(KeyError):
            _run()
