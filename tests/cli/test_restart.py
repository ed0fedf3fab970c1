"""How ``bmz`` starts itself anew for large pages of memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bioimageio_core.resources import large_pages

NOTES = """
import json, os
with open(os.environ["NOTES"], "a") as file:
    print(json.dumps([os.getpid(), os.environ.get("GLIBC_TUNABLES")]), file=file)
"""
"""Run by each start of Python, before anything else."""

BMZ = [str(Path(sys.executable).with_name("bmz"))]
MODULE = [sys.executable, "-m", "bioimageio_core.cli"]
PROGRAM = [sys.executable, "-c", "from bioimageio_core.cli import main; main()"]


def starts(folder: Path, command: list[str], **variables: str) -> list[list[object]]:
    """Run a command; return process number and ``GLIBC_TUNABLES`` of each of its starts."""
    (folder / "sitecustomize.py").write_text(NOTES)
    notes = folder / "notes"
    inherited = {k: v for k, v in os.environ.items() if k != "GLIBC_TUNABLES"}
    environment = {**inherited, "PYTHONPATH": str(folder), "NOTES": str(notes), **variables}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: bmz")
    return [json.loads(line) for line in notes.read_text().splitlines()]


@pytest.mark.parametrize("bmz", [BMZ, MODULE], ids=["bmz", "module"])
def test_predict(tmp_path: Path, bmz: list[str]) -> None:
    """Predictions begin anew where the system gives large pages to those who ask, in the same process and with the same arguments."""
    found = starts(tmp_path, [*bmz, "predict", "--help"])
    wanted = large_pages({})
    assert [tunables for _, tunables in found] == [None, *wanted.values()]
    assert len({number for number, _ in found}) == 1


@pytest.mark.parametrize(
    ("command", "variables"),
    [
        ([*BMZ, "predict", "--help"], {"GLIBC_TUNABLES": ""}),
        ([*BMZ, "info", "--help"], {}),
        ([*PROGRAM, "predict", "--help"], {}),
    ],
    ids=["variable set", "other command", "other program"],
)
def test_no_restart(tmp_path: Path, command: list[str], variables: dict[str, str]) -> None:
    """The variable decides if it is set; other commands and programs that call ``main`` just run."""
    assert len(starts(tmp_path, command, **variables)) == 1
