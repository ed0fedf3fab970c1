"""What a test found, as files: arrays and pictures of the outputs that failed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from ..model_tests.compare_outputs import difference
from ..model_tests.test_report import TestReport
from ..packaging.package_targets import new_folder
from .plain_text import finite
from .test_pictures import pictures_of

__all__ = ["save_failures"]

REPORT = "bmz-test.json"
"""Name of the report; a folder that holds one is replaced by the next."""


def save_failures(report: TestReport, folder: str | Path | None = None) -> Path | None:
    """Write outputs that differ from what is expected, if there are any.

    In a folder for each weights format and output: ``actual.npy``, ``expected.npy``, ``difference.npy`` (absolute, float64)
    where both have one shape, and ``picture.png`` with these three beside each other; beside them the whole report as JSON.

    Args:
        report: The report.
        folder: The folder to write, which is whole or not there at all; None: ``bmz-test-`` and the name of the model,
            in the current folder.

    Returns:
        The folder; None where no output failed.

    Raises:
        OutputError: It cannot be written, or holds something else.

    """
    failed = [(test, output) for test in report.tests for output in test.outputs if not output.passed and output.output in test.found]
    if not failed:
        return None
    target = Path(folder).expanduser() if folder is not None else Path(f"bmz-test-{_plain_name(report.model)}")
    with new_folder(target, overwrite=True, marks=(REPORT,)) as part:
        for test, output in failed:
            place = part / _plain_name(test.weights_format) / _plain_name(output.output)
            place.mkdir(parents=True)
            actual, expected = test.found[output.output], report.expected[output.output]
            np.save(place / "actual.npy", actual)
            np.save(place / "expected.npy", expected)
            if actual.shape == expected.shape:
                np.save(place / "difference.npy", difference(actual, expected))
            picture = pictures_of(test, report).get(output.output)
            if picture is not None:
                (place / "picture.png").write_bytes(picture)
        (part / REPORT).write_text(json.dumps(finite(report.as_dict()), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return target


def _plain_name(name: str) -> str:
    """Return a name as every file system takes it."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "model"
