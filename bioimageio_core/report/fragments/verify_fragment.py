"""The comparison of blockwise prediction with a reference in a notebook."""

from __future__ import annotations

from ...prediction.verify import VerifyReport
from ..html.fragment import Fragment, FragmentTable
from ..text.verify_text import VERIFY_HEADER, verify_rows, verify_summary, verify_text
from .plan_drawing import plan_drawing

__all__ = ["verify_fragment"]


def verify_fragment(report: VerifyReport) -> Fragment:
    """Return whether blocks make a difference, and where."""
    return Fragment(
        kind="verification",
        title=report.model,
        status="equal" if report.equal else "different",
        good=report.equal,
        facts=(("compared", verify_summary(report)), ("tolerance", f"{report.tolerance:g}")),
        drawing=plan_drawing(report.plan),
        tables=(FragmentTable(header=VERIFY_HEADER, rows=tuple(verify_rows(report))),),
        more=verify_text(report),
        repeats=True,
    )
