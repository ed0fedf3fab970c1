"""The table of what the tests ran."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from recorded_runs import record_run
from runs_table import main, rows_of

PAGE = "# Tested\n\n<!-- what the tests ran -->\n<!-- end -->\n\nmore\n"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page with an empty table."""
    path = tmp_path / "page.md"
    path.write_text(PAGE)
    return path


def records(path: Path, *models: str, version: str = "2.0") -> str:
    """Write records of models, and return their path."""
    record = {"weights_format": "onnx", "way": "in memory", "frameworks": {"onnxruntime": version}, "python": "3.11"}
    path.write_text("".join(json.dumps({**record, "model": model}) + "\n" for model in models))
    return str(path)


class TestTable:
    """Written by what was run, and checked against it."""

    def test_write_then_check(self, page: Path, tmp_path: Path) -> None:
        """What was written holds; the text around it stays."""
        ran = records(tmp_path / "a.jsonl", "filter", "pool")
        assert main([str(page), ran, "--write"]) == 0
        assert "| `onnx` | filter | in memory | onnxruntime 2.0 (Python 3.11) |" in page.read_text()
        assert page.read_text().endswith("\n\nmore\n")
        assert main([str(page), ran]) == 0

    def test_not_run(self, page: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A row without a run fails, and is named."""
        main([str(page), records(tmp_path / "a.jsonl", "filter", "pool"), "--write"])
        assert main([str(page), records(tmp_path / "b.jsonl", "filter")]) == 1
        assert "not run: onnx | pool | in memory" in capsys.readouterr().out

    def test_not_listed(self, page: Path, tmp_path: Path) -> None:
        """A run without a row fails, too: the page would say too little."""
        assert main([str(page), records(tmp_path / "a.jsonl", "filter")]) == 1

    def test_other_versions(self, page: Path, tmp_path: Path) -> None:
        """They are kept beside each other, and are no reason to fail."""
        main([str(page), records(tmp_path / "a.jsonl", "filter"), "--write"])
        newer = records(tmp_path / "b.jsonl", "filter", version="3.0")
        assert main([str(page), newer]) == 0
        main([str(page), newer, "--write"])
        assert rows_of(page.read_text())[("onnx", "filter", "in memory")] == [
            "onnxruntime 3.0 (Python 3.11)",
            "onnxruntime 2.0 (Python 3.11)",
        ]

    def test_records(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What tests record is what the table reads."""
        monkeypatch.setenv("BMZ_RUNS", str(tmp_path / "runs.jsonl"))
        record_run("onnx", "filter", "in memory", "numpy")
        (record,) = [json.loads(line) for line in (tmp_path / "runs.jsonl").read_text().splitlines()]
        assert (record["model"], [*record["frameworks"]]) == ("filter", ["numpy"])
