"""The comparison of blockwise prediction with a reference as text."""

from __future__ import annotations

from ...prediction.verify import VerifyReport
from ..plain_text import table

__all__ = ["VERIFY_HEADER", "verify_rows", "verify_summary", "verify_text"]

VERIFY_HEADER = ("output", "", "greatest", "at", "seam")


def verify_text(report: VerifyReport) -> str:
    """Return the report for people: what was compared, and a table of outputs."""
    equal = "equal" if report.equal else "DIFFERENT"
    return f"{report.model}: {verify_summary(report)}: {equal}\n{table(verify_rows(report), VERIFY_HEADER)}"


def verify_summary(report: VerifyReport) -> str:
    """Return what was compared."""
    shape = " x ".join(map(str, report.shape))
    against = "the whole in one block" if report.reference == "whole" else f"a shifted grid of {report.reference_blocks} blocks"
    return f"{report.blocks} blocks of an image of {shape}, against {against}"


def verify_rows(report: VerifyReport) -> list[tuple[str, ...]]:
    """Return a row for each output."""
    return [
        (o.output, "equal" if o.equal else "different", f"{o.greatest:.3g}", ", ".join(f"{a} {i}" for a, i in o.at.items()), o.seam)
        for o in report.outputs
    ]
