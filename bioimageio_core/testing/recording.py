"""A pytest plugin that writes what the kit finds as lines of JSON, for ``bmz plugins check``."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ..text import in_one_line

__all__ = ["OPTION"]

_LIBRARY = Path(__file__).parents[1]
_STANDARD = Path(json.__file__).parents[1]
"""Folder of the standard library."""

_OTHERS = {"_pytest", "hypothesis", "numpy", "pluggy"}
"""Packages whose calls stand between a check and the code that it checks."""

_EXAMPLE = re.compile("Falsifying example: |Failing test case: ")
"""What Hypothesis writes before an example, in its older and newer releases."""

_LONGEST = 400
"""Characters of an example that are shown."""

OPTION = "--bmz-record"
"""Names the file that lines are appended to."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption(OPTION, metavar="FILE", required=True, help="append what is found as lines of JSON")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write how many tests there are."""
    _write(session.config, {"total": len(session.items)})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
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
            "where": _where(call.excinfo) if report.failed and call.excinfo is not None else "",
            "example": _example(call.excinfo.value) if report.failed and call.excinfo is not None else "",
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


def _where(failure: pytest.ExceptionInfo[BaseException]) -> str:
    """Return file and line of the innermost call in the code that is checked; empty where only the kit finds it wrong."""
    for entry in reversed(failure.traceback):
        path = Path(entry.path)
        standard = _STANDARD in path.parents and "site-packages" not in path.parts
        if not standard and _LIBRARY not in path.parents and not _OTHERS & {*path.parts}:
            return f"{path}, line {entry.lineno + 1}"
    return ""


def _example(error: BaseException) -> str:
    """Return the arguments that were made up where the check failed, in one line; empty where none were."""
    text = in_one_line(" ".join(getattr(error, "__notes__", ())))
    *_, example = _EXAMPLE.split(text, maxsplit=1) if _EXAMPLE.search(text) else ("",)
    example, _, _ = example.partition(" You can ")  # advice for those who run Hypothesis themselves
    return example if len(example) <= _LONGEST else f"{example[:_LONGEST]} ..."


def _write(config: pytest.Config, record: Mapping[str, Any]) -> None:
    with Path(config.getoption(OPTION)).open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
