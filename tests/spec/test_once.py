"""What is done once for a description, however much is asked of it: counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import bioimageio_core as bc
from bioimageio_core.cli.validate_command import _validated
from bioimageio_core.spec import validation


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], list[Any]]:
    """Collects the first argument of each call of a function, which does what it did."""

    def count(module: Any, name: str) -> list[Any]:
        calls: list[Any] = []
        function = getattr(module, name)

        def counted(first: Any, *more: Any, **named: Any) -> Any:
            calls.append(first)
            return function(first, *more, **named)

        monkeypatch.setattr(module, name, counted)
        return calls

    return count


@pytest.mark.parametrize("check_files", [False, True])
def test_text_is_parsed(tmp_path: Path, count: Callable[..., list[Any]], check_files: bool) -> None:
    """Once for its issues and their lines, with or without a look at the files."""
    path = tmp_path / "rdf.yaml"
    path.write_text("type: dataset\nformat_version: 0.3.0\nname: [1]\n", encoding="utf-8")
    parsed = count(yaml, "parse")
    report = _validated(str(path), check_files)
    assert [issue.line for issue in report.issues if issue.issue.path == "name"] == [3]
    assert len(parsed) == 1


def test_broken_text_is_parsed(tmp_path: Path, count: Callable[..., list[Any]]) -> None:
    """Once, too."""
    path = tmp_path / "rdf.yaml"
    path.write_text("type: dataset\n  name: a: b\n", encoding="utf-8")
    parsed = count(yaml, "parse")
    report = _validated(str(path), check_files=False)
    assert [issue.line for issue in report.issues] == [2]
    assert len(parsed) == 1


def test_version_is_detected(old_model: dict[str, Any], count: Callable[..., list[Any]]) -> None:
    """Once for the description as it is, and once for what it is brought to."""
    detected = count(validation, "detect")
    assert bc.update_format(old_model).format_version.startswith("0.5.")
    assert [tree["format_version"][:3] for tree in detected] == ["0.4", "0.5"]


def test_version_is_detected_by_load(model: dict[str, Any], count: Callable[..., list[Any]]) -> None:
    """Once, where the description is of the newest version already."""
    detected = count(validation, "detect")
    bc.load_description(model, format_version="latest")
    assert len(detected) == 1
