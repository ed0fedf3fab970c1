"""Outputs that failed a model test, saved as arrays and pictures."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from ..json_values import json_safe
from ..model_tests.compare_outputs import difference, label_difference
from ..model_tests.test_report import TestReport
from ..packaging.package_targets import new_folder
from .pictures.model_test_pictures import difference_pictures

__all__ = ["save_failed_outputs"]

REPORT = "bmz-test.json"
"""Name of the report; only a folder with a report is replaced."""


def save_failed_outputs(report: TestReport, folder: str | Path | None = None) -> Path | None:
    """Save the outputs that differ from the expected ones, if there are any.

    Each weights format and output has a folder with ``actual.npy``, ``expected.npy``, ``difference.npy`` and ``picture.png``, which shows
    these three side by side. The difference is absolute, in float64; of labels, it is 1 where a pixel is in another object.
    It is left out where shapes differ. The report is saved as JSON beside these folders.

    Args:
        report: The report.
        folder: The folder to write; it appears when it is complete. None: ``bmz-test-NAME`` in the current folder.

    Returns:
        The folder; None if no output failed.

    Raises:
        OutputError: The folder cannot be written, or contains other files.

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
                away = label_difference if output.labels else difference
                np.save(place / "difference.npy", away(actual, expected))
            picture = difference_pictures(test, report).get(output.output)
            if picture is not None:
                (place / "picture.png").write_bytes(picture)
        (part / REPORT).write_text(json.dumps(json_safe(report.as_dict()), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return target


def _plain_name(name: str) -> str:
    """Return a name that every file system accepts."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "model"
