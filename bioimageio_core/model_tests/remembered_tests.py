"""The last test of each model on this machine, which cards show."""

from __future__ import annotations

from typing import Any

import attrs

from ..sources import Package
from ..sources.remembered_results import recall_result, remember_result
from .evidence import description_sha256
from .test_report import TestReport

__all__ = ["LastTest", "last_test", "remember_test"]


@attrs.frozen(kw_only=True)
class LastTest:
    """What the last test of a model on this machine said."""

    status: str
    made: str
    """Date and time of the test, in the notation of ISO 8601."""

    settings: str
    """Devices, precision and compilation, in words."""

    weights: tuple[tuple[str, str], ...]
    """Each weights format that was tested, with its status."""

    def in_words(self) -> str:
        """Return one line, as in ``passed on 2026-03-01 (cpu): onnx passed, torchscript passed``."""
        return f"{self.status} on {self.made[:10]} ({self.settings}): " + ", ".join(" ".join(pair) for pair in self.weights)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {"status": self.status, "made": self.made, "settings": self.settings, "weights": dict(self.weights)}


def remember_test(report: TestReport) -> None:
    """Remember what a test said, by the hash of the description in its evidence."""
    if report.evidence is not None and report.evidence.description_sha256:
        weights = {test.weights_format: test.status for test in report.tests}
        said = {"status": report.status, "made": report.evidence.made, "settings": report.settings, "weights": weights}
        remember_result(_key(report.evidence.description_sha256), said)


def last_test(package: Package) -> LastTest | None:
    """Return what the last test of a model said; None if it was not tested on this machine."""
    sha256 = description_sha256(package)
    found = recall_result(_key(sha256)) if sha256 else None
    try:
        return None if found is None else LastTest(**{**found, "weights": tuple(found["weights"].items())})
    except (AttributeError, KeyError, TypeError):  # written by another version
        return None


def _key(sha256: str) -> list[str]:
    return ["test", sha256]
