"""``bmz update``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bmz_process import ForkedBmz

import bioimageio_core as bc

OLD = """\
type: dataset
format_version: 0.2.4
name: "cells: many"
description: Many cells
version_number: 3
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A description of format 0.2."""
    (tmp_path / "rdf.yaml").write_text(OLD)
    return tmp_path / "rdf.yaml"


class TestUpdate:
    """What it prints and writes."""

    def test_prints_yaml(self, bmz: ForkedBmz, old: Path) -> None:
        """The description on standard output, what changed on the other."""
        ran = bmz("update", old)
        assert ran.status == 0
        assert ran.out.startswith("format_version: 0.3.4\ntype: dataset\nname: cells  many\n")
        assert "version: 3\n" in ran.out
        assert "'cells: many' became 'cells  many'" in ran.err
        assert "read as version" in ran.err

    def test_writes(self, bmz: ForkedBmz, old: Path) -> None:
        """A file that is valid, and none that exists unless told so."""
        new = old.parent / "new.yaml"
        assert bmz("update", old, "-o", new).out == f"{new}: dataset 0.3.4\n"
        assert bc.validate(new).status == "valid"
        assert "exists already" in bmz("update", old, "-o", new).error(2)
        assert bmz("update", old, "-o", new, "--overwrite").status == 0

    def test_json(self, bmz: ForkedBmz, old: Path) -> None:
        """The same as plain data."""
        result = bmz("update", old, "--json").json
        assert (result["status"], result["type"], result["format_version"]) == ("valid", "dataset", "0.3.4")
        assert result["description"]["version"] == 3
        assert {"path": "version_number", "message": "read as version", "severity": "info", "hint": ""} in result["issues"]

    def test_no_counterpart(self, bmz: ForkedBmz, old: Path) -> None:
        """Status 1, and what people have to decide on."""
        old.write_text(OLD + "license: mine\n")
        ran = bmz("update", old)
        assert ran.status == 1
        assert ran.out == ""
        assert "cannot be updated: license: expected an identifier" in ran.err
        ran = bmz("update", old, "--json")
        assert ran.status == 1
        assert [issue["path"] for issue in json.loads(ran.out)["issues"] if issue["severity"] == "error"] == ["license"]


class TestRepair:
    """With --repair."""

    BROKEN = "name: cells\nname: nuclei\ntype: dataset\nformat_version: 0.2.4\ndescription: Many\n\tcells\nowners: [1]\nauthors: Ada\n"

    def test_lists_repairs(self, bmz: ForkedBmz, old: Path) -> None:
        """The description on standard output, each repair with its path on the other; the file stays as it is."""
        old.write_text(self.BROKEN)
        ran = bmz("update", "--repair", old)
        assert ran.status == 0
        assert ran.out.startswith("format_version: 0.3.4\ntype: dataset\nname: nuclei\n")
        assert "'cells' was moved to config.repaired: the key comes again later, and that value was taken" in ran.err
        assert "expected a list, found 'Ada': read as a list of one" in ran.err
        assert "the list [1] was moved to config.repaired: unknown key" in ran.err
        assert old.read_text() == self.BROKEN

    def test_json(self, bmz: ForkedBmz, old: Path) -> None:
        """The same as plain data."""
        old.write_text(self.BROKEN)
        result = bmz("update", "--repair", old, "--json").json
        assert result["description"]["config"] == {"repaired": {"name": "cells", "owners": [1]}}
        assert {"path": "authors", "message": "strings were read as names", "severity": "warning", "hint": ""} in result["issues"]

    def test_beyond_repair(self, bmz: ForkedBmz, old: Path) -> None:
        """Status 1, what is left to decide on, nothing written; without the option nothing is repaired."""
        old.write_text("type: Dataset\nformat_version: 0.2.4\ndescription: Many\n")
        ran = bmz("update", "--repair", old, "-o", old.parent / "new.yaml")
        assert ran.status == 1
        assert "cannot be repaired: name: expected a value, found none" in ran.err
        assert "'Dataset' was read as dataset" in ran.err
        assert not (old.parent / "new.yaml").exists()
        old.write_text(self.BROKEN)
        assert "expected distinct keys" in bmz("update", old).error(1)
