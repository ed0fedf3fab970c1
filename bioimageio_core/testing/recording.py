"""A pytest plugin that writes what the kit finds as lines of JSON, for ``bmz plugins check``."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

__all__ = ["OPTION"]

OPTION = "--bmz-record"
"""Names the file that lines are appended to."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption(OPTION, metavar="FILE", required=True, help="append what is found as lines of JSON")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write how many tests there are."""
    _write(session.config, {"total": len(session.items)})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write how a test ended, and why."""
    report = yield
    if report.when == "call" or report.outcome != "passed":
        function = getattr(item, "function", None)
        summary = (getattr(function, "__doc__", None) or item.name).strip().splitlines()[0]
        owner = getattr(item, "cls", None)
        record = {
            "of": getattr(owner, "__name__", ""),
            "test": item.name,
            "what": summary.rstrip("."),
            "outcome": report.outcome,
            "why": _why(report),
        }
        _write(item.config, record)
    return report


def _why(report: pytest.TestReport) -> str:
    """Return why a test did not pass, in one line."""
    if report.outcome == "passed":
        return ""
    if isinstance(report.longrepr, tuple):  # file, line and reason of what was skipped
        return report.longrepr[2].removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "no message")
    return first.removeprefix("AssertionError: ").removeprefix("Failed: ")


def _write(config: pytest.Config, record: Mapping[str, Any]) -> None:
    with Path(config.getoption(OPTION)).open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
