"""Runs the kit on installed entries without examples of their authors, in a separate process, so that a crash affects only that one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import attrs

from ..errors import PluginError
from ..python_process import python_command

__all__ = ["Check", "check_entries"]

POLL = 0.2
"""Seconds between looks at what the process has written."""


@attrs.frozen(kw_only=True)
class Check:
    """One thing that was checked of an entry."""

    kind: str
    name: str
    what: str
    """In words."""

    outcome: Literal["passed", "failed", "skipped"]
    why: str = ""
    """Why it failed or was skipped."""

    where: str = ""
    """File and line of the failure, in the code of the plugin; empty where it raised nothing."""

    example: str = ""
    """Arguments that were made up for the check, with which it fails."""

    also: tuple[str, ...] = ()
    """Further checks that fail for the same reason, in words."""


def check_entries(entries: Sequence[tuple[str, str]], progress: Callable[[str, int, int], None] | None = None) -> tuple[Check, ...]:
    """Run the kit.

    Args:
        entries: Kind and name of each entry.
        progress: Told of the stage, of how many checks are done, and of how many there are.

    Raises:
        PluginError: The process ended early.

    """
    with TemporaryDirectory(prefix="bmz-check-") as folder:
        suite, record = Path(folder) / "test_entries.py", Path(folder) / "record.jsonl"
        suite.write_text(_suite(entries), encoding="utf-8")
        (Path(folder) / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        record.touch()
        with (Path(folder) / "output.txt").open("w+", encoding="utf-8") as output:
            command = python_command("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "bioimageio_core.testing.recording")
            process = subprocess.Popen(
                [*command, "--bmz-record", str(record), str(suite)], cwd=folder, env=_environment(), stdout=output, stderr=output
            )
            _follow(process, record, progress)
            lines = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]
            if process.returncode not in (0, 1):
                output.seek(0)
                raise PluginError(
                    f"the checks ended early, with status {process.returncode}, after {_last(lines)}: {_cause(output.read())}"
                )
    return _once(_check(entries, line) for line in lines if "outcome" in line)


def _once(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return the checks; those of an entry that fail for the same reason as one."""
    found: dict[object, Check] = {}
    for number, check in enumerate(checks):
        key = (check.kind, check.name, check.why, check.where) if check.outcome == "failed" else number
        first = found.get(key)
        found[key] = check if first is None else attrs.evolve(first, also=(*first.also, check.what))
    return tuple(found.values())


def _suite(entries: Sequence[tuple[str, str]]) -> str:
    """Return a module with a test class for each entry, numbered since names may hold any character."""
    classes = [f"TestEntry{number} = conformance_class({kind!r}, {name!r})" for number, (kind, name) in enumerate(entries)]
    names = [f"TestEntry{number}.__name__ = 'TestEntry{number}'" for number in range(len(entries))]
    return "\n".join(["from bioimageio_core.testing import conformance_class", *classes, *names, ""])


def _environment() -> dict[str, str]:
    """Return an environment in which the process finds what this one finds, and pytest nothing of the user's."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTEST_ADDOPTS"}
    path = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    return {**kept, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def _follow(process: subprocess.Popen[bytes], record: Path, progress: Callable[[str, int, int], None] | None) -> None:
    """Wait for the end of the process, and report how far it is; an interrupted wait ends the process, too."""
    try:
        while True:
            try:
                process.wait(POLL)
            except subprocess.TimeoutExpired:
                _tell(record, progress)
            else:
                return _tell(record, progress)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _tell(record: Path, progress: Callable[[str, int, int], None] | None) -> None:
    lines = record.read_text(encoding="utf-8").splitlines()
    if progress is not None and lines:
        progress("checks", len(lines) - 1, json.loads(lines[0])["total"])


def _check(entries: Sequence[tuple[str, str]], line: dict[str, Any]) -> Check:
    kind, name = entries[int(line["of"].removeprefix("TestEntry"))]
    _, bracket, case = line["test"].partition("[")
    what = f"{line['what']} ({case.removesuffix(']')})" if bracket else line["what"]
    return Check(kind=kind, name=name, what=what, outcome=line["outcome"], why=line["why"], where=line["where"], example=line["example"])


def _last(lines: Sequence[dict[str, Any]]) -> str:
    return repr(lines[-1]["what"]) if lines and "what" in lines[-1] else "nothing"


def _cause(output: str) -> str:
    """Return the line of pytest's output that says most: the last one that it marks as an error, else the last."""
    lines = output.strip().splitlines() or ["no message"]
    return next((line[1:].strip() for line in reversed(lines) if line.startswith("E ")), lines[-1])
