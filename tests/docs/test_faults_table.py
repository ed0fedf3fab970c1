"""The table of known faults is complete, and every test that it names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (F\d+) \| (.+) \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
NAMED = sorted(set(re.findall(r"`(test_\w+\.py)::(\w+)`", PAGE)))


def classes(file: str) -> set[str]:
    """Return the names of the classes of a test module that hold tests."""
    tree = ast.parse((ROOT / "tests" / "prediction" / file).read_text(encoding="utf-8"))
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef) and any(isinstance(f, ast.FunctionDef) and f.name.startswith("test_") for f in node.body)
    }


class TestTableOfFaults:
    """docs/faults.md against the tests."""

    def test_complete(self) -> None:
        """Each of F1 to F26 has one row."""
        assert sorted(int(row[0][1:]) for row in ROWS) == list(range(1, 27))

    @pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
    def test_row_names_a_test_or_a_reason(self, row: tuple[str, str, str, str]) -> None:
        """A row names a class whose name has the fault's number, or says in brackets what it waits for."""
        number, _, _, named = row
        found = re.findall(r"`test_\w+\.py::TestF(\d+)\w+`", named)
        assert found or re.fullmatch(r"\(comes with .+\)", named)
        assert {int(n) for n in found} <= {int(number[1:])}

    @pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
    def test_named_tests_exist(self, file: str, name: str) -> None:
        """A test class that the page names is there."""
        assert name in classes(file)

    def test_no_test_is_forgotten(self) -> None:
        """Every class of the modules of faults is on the page."""
        files = sorted({file for file, _ in NAMED})
        assert {(file, name) for file in files for name in classes(file)} == set(NAMED)
