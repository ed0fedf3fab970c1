"""The report of a model test as a page."""

from __future__ import annotations

from ...model_tests.test_report import TestReport
from ..pictures.model_test_pictures import BAR, difference_pictures, input_pictures
from ..pictures.side_by_side import css_colours
from .data_url import data_url
from .render import render

__all__ = ["model_test_page"]

_STATUS_CLASS = {"passed": "valid", "failed": "invalid", "skipped": "muted", "noted": "alert"}
"""The class of each status in the style sheet."""


def model_test_page(report: TestReport) -> str:
    """Return a page that shows the results of a test, with pictures of the outputs."""
    return render(
        "model_test.html.j2",
        report=report,
        inputs={name: data_url("image/png", picture) for name, picture in input_pictures(report).items()},
        colours=css_colours(),
        bar=BAR,
        pictures={
            (test.weights_format, name): data_url("image/png", picture)
            for test in report.tests
            for name, picture in difference_pictures(test, report).items()
        },
        status_class=_STATUS_CLASS,
    )
