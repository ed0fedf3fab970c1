"""``bmz validate`` for many descriptions, with lines, files and pages."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bmz_process import ForkedBmz, run_process

GENERIC = """\
type: dataset
format_version: 0.3.0
name: Some dataset
authors:
  - name: Ada
    orcid: 0000-0000-0000-0000
  - affiliation: nowhere
tagz: [a, b]
"""


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A description with a wrong value, a missing key and an unknown key."""
    path = tmp_path / "wrong.yaml"
    path.write_text(GENERIC)
    return path


class TestLines:
    """The line of the file that is to blame."""

    def test_text(self, bmz: ForkedBmz, wrong: Path) -> None:
        """Line number, line, and carets under the value, the key, or the mapping that lacks something."""
        ran = bmz("validate", wrong)
        assert ran.status == 1
        lines = ran.out.splitlines()
        assert lines[0] == f"{wrong}: invalid (dataset 0.3.0)"
        shown = dict(itertools.pairwise(lines))
        assert shown["        6 | orcid: 0000-0000-0000-0000"] == "          |        ^^^^^^^^^^^^^^^^^^^"
        assert shown["        7 | - affiliation: nowhere"] == "          |   ^^^^^^^^^^^^^^^^^^^^"
        assert shown["        8 | tagz: [a, b]"] == "          | ^^^^"

    def test_json(self, bmz: ForkedBmz, wrong: Path) -> None:
        """Line and column of each issue, counted from 1; of a missing key those of the mapping."""
        ran = bmz("validate", wrong, "--json")
        (report,) = ran.json
        places = {i["path"]: (i["line"], i["column"]) for i in report["issues"] if i["severity"] == "error"}
        assert places == {"authors.0.orcid": (6, 12), "authors.1.name": (7, 5), "tagz": (8, 1)}

    def test_no_yaml(self, bmz: ForkedBmz, tmp_path: Path) -> None:
        """Where reading ended."""
        (tmp_path / "broken.yaml").write_text("type: model\nname: a\nname: b\n")
        ran = bmz("validate", tmp_path / "broken.yaml", "--json")
        assert ran.status == 1
        assert [(i["line"], i["column"]) for i in ran.json[0]["issues"]] == [(3, 1)]
        assert "        3 | name: b\n          | ^" in bmz("validate", tmp_path / "broken.yaml").out

    def test_long_and_wide_lines(self, bmz: ForkedBmz, tmp_path: Path) -> None:
        """A long line is cut around the value; wide characters do not shift the caret."""
        (tmp_path / "long.yaml").write_text(
            "{type: dataset, format_version: 0.3.0, " + "tags: [" + "a, " * 200 + "], name: [1], 細胞細胞: 1}\n"
        )
        out = bmz("validate", tmp_path / "long.yaml").out.splitlines()
        line = next(n for n, text in enumerate(out) if "  error   name: " in text)
        assert len(out[line + 1]) < 120
        assert out[line + 2].index("^") == out[line + 1].index("[1]")
        line = next(n for n, text in enumerate(out) if "  error   細胞細胞: " in text)
        assert out[line + 2].count("^") == 8

    def test_nothing_that_a_terminal_obeys(self, bmz: ForkedBmz, tmp_path: Path) -> None:
        """Lines of the file are shown without control characters."""
        (tmp_path / "bad.yaml").write_bytes(b'type: dataset\nformat_version: 0.3.0\nname: ["\xc2\x9b2J"] # \xe2\x80\xae\n')
        ran = bmz("validate", tmp_path / "bad.yaml")
        assert ran.status == 1
        assert not any(not c.isprintable() for c in ran.out.replace("\n", ""))

    @pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")
    def test_colours(self, wrong: Path) -> None:
        """On terminals, unless NO_COLOR is set; never in files."""
        assert "\x1b[" not in run_process("validate", wrong).out
        assert b"\x1b[31m" in on_terminal("validate", wrong)
        assert b"\x1b[" not in on_terminal("validate", wrong, NO_COLOR="1")


def on_terminal(*args: object, **env: str) -> bytes:
    """Return what ``bmz`` prints where stdout is a terminal."""
    leader, follower = os.openpty()
    command = [sys.executable, "-m", "bioimageio_core.cli", *map(str, args)]
    with subprocess.Popen(command, stdout=follower, stderr=subprocess.DEVNULL, env={**os.environ, **env}) as process:
        os.close(follower)
        parts = []
        try:
            while part := os.read(leader, 65536):
                parts.append(part)
        except OSError:  # how Linux says that the other side is closed
            pass
        process.wait(timeout=60)
    os.close(leader)
    return b"".join(parts)


class TestMany:
    """Several sources."""

    def test_folder_below(self, bmz: ForkedBmz, shared: Path) -> None:
        """Every description of the shared models, and a summary."""
        ran = bmz("validate", shared / "models")
        assert ran.status == 1
        assert ran.out.splitlines()[-1] == "13 descriptions: 12 valid, 1 invalid, 0 unreadable"

    def test_patterns_and_zips(self, bmz: ForkedBmz, made: Path, tmp_path: Path) -> None:
        """Quoted patterns and packages in zips."""
        assert bmz("package", made, "-o", tmp_path / "zips" / "one.zip").status == 0
        shutil.copytree(made, tmp_path / "deep" / "er")
        ran = bmz("validate", tmp_path / "**" / "bioimageio.yaml", tmp_path / "zips", "--json")
        assert ran.status == 0
        assert [Path(r["source"]).name for r in ran.json] == ["bioimageio.yaml", "one.zip"]

    def test_one_is_unreadable(self, bmz: ForkedBmz, made: Path, wrong: Path, tmp_path: Path) -> None:
        """The others are judged."""
        (tmp_path / "empty").mkdir()
        ran = bmz("validate", made, tmp_path / "empty", tmp_path / "no*where", wrong)
        assert ran.status == 2
        assert ran.out.splitlines()[-1] == "4 descriptions: 1 valid, 1 invalid, 2 unreadable"
        assert len(ran.err.splitlines()) == 2
        assert "Traceback" not in ran.err

    def test_a_single_one_has_no_summary(self, bmz: ForkedBmz, made: Path) -> None:
        """Its first line says it all."""
        assert "descriptions:" not in bmz("validate", made).out


class TestFiles:
    """``--check-files``."""

    def test_missing(self, bmz: ForkedBmz, model: Path) -> None:
        """The line that names the file."""
        (model / "weights.onnx").unlink()
        assert bmz("validate", model).status == 0
        ran = bmz("validate", model, "--check-files")
        assert ran.status == 1
        lines = ran.out.splitlines()
        line = next(n for n, text in enumerate(lines) if "weights.onnx.source" in text)
        assert lines[line + 1].endswith("| source: weights.onnx")
        assert bmz("validate", model, "--check-files", "--no-check-files").status == 0


class TestHtml:
    """``--html``."""

    def test_page(self, bmz: ForkedBmz, made: Path, wrong: Path, tmp_path: Path) -> None:
        """All reports on one page, beside the usual output."""
        page = tmp_path / "report.html"
        ran = bmz("validate", made, wrong, "--html", page)
        assert ran.status == 1
        assert "2 descriptions" in ran.out
        text = page.read_text(encoding="utf-8")
        assert text.startswith("<!doctype html>")
        assert "orcid: <mark>0000-0000-0000-0000</mark>" in text
        assert sorted(p.name for p in tmp_path.iterdir()) == ["report.html", "wrong.yaml"]

    @pytest.mark.parametrize("where", ["nowhere/report.html", "."])
    def test_can_not_be_written(self, bmz: ForkedBmz, made: Path, tmp_path: Path, where: str) -> None:
        """One line, status 2; what was found is printed all the same."""
        ran = bmz("validate", made, "--html", tmp_path / where)
        assert ran.status == 2
        assert ran.out.startswith(f"{made}/bioimageio.yaml: valid")
        assert len(ran.err.splitlines()) == 1


def test_info_html(bmz: ForkedBmz, made: Path, tmp_path: Path, change: Any) -> None:
    """``bmz info --html`` writes the card and says where; with ``--json`` both."""
    ran = bmz("info", made, "--html", tmp_path / "card.html")
    assert (ran.status, ran.out) == (0, f"{tmp_path / 'card.html'}\n")
    assert "<h1>made model</h1>" in (tmp_path / "card.html").read_text(encoding="utf-8")
    assert bmz("info", made, "--html", tmp_path / "card.html", "--json").json["type"] == "model"
