"""The report of a model test in a notebook."""

from __future__ import annotations

from collections.abc import Iterator

from ...model_tests.test_report import TestReport
from ..html.data_url import data_url
from ..html.fragment import Fragment, FragmentTable
from ..html.model_test_page import model_test_page
from ..html.panels import Panel, Panels
from ..pictures.model_test_pictures import difference_pictures
from ..text.model_test_text import model_test_text

__all__ = ["model_test_fragment"]

HEADER = ("weights", "", "output", "greatest deviation", "beyond tolerance", "")

SIDE = 150
"""Pixels of the height of a picture on the screen."""


def model_test_fragment(report: TestReport) -> Fragment:
    """Return the status of a model, a row for each output of its weights, and pictures of what differs."""
    return Fragment(
        kind="test",
        title=report.model,
        status=report.status,
        good={"passed": True, "failed": False}.get(report.status),
        facts=(("tested with", report.settings), *_more(report)),
        panels=_panels(report),
        tables=(FragmentTable(header=HEADER, rows=tuple(_rows(report))),),
        opens="text and page",
        more=model_test_text(report),
        page=model_test_page(report),
        file_name="model-test.html",
    )


def _rows(report: TestReport) -> Iterator[tuple[str, ...]]:
    for test in report.tests:
        for output in test.outputs:
            status = "passed" if output.passed else "failed"
            beyond = f"{output.mismatched} of {output.elements}"
            yield test.weights_format, status, output.output, f"{output.greatest_deviation:.3g}", beyond, output.message
        if not test.outputs:
            yield test.weights_format, test.status, "", "", "", test.message


def _more(report: TestReport) -> Iterator[tuple[str, str]]:
    for test in report.tests:
        if test.sizes:
            yield f"sizes ({test.weights_format})", test.sizes_in_words
    if report.blockwise is not None:
        trial = report.blockwise
        differ = f"{trial.blocks} blocks differ from the whole by {trial.greatest_difference:.3g}" if trial.blocks else ""
        yield "blocks", "; ".join(filter(None, [differ, trial.message])) or trial.status


def _panels(report: TestReport) -> Panels | None:
    """Return expected and found outputs, and their differences, of the first weights that have any."""
    for test in report.tests:
        pictures = difference_pictures(test, report)
        panels = [_panel(f"{name}: expected, found, difference", png) for name, png in pictures.items()]
        if panels:
            return Panels(panels=tuple(panels[:2]))
    return None


def _panel(title: str, png: bytes) -> Panel:
    width, height = (int.from_bytes(png[n : n + 4], "big") for n in (16, 20))
    shown = min(SIDE, height)
    url = data_url("image/png", png)
    return Panel(title=title, pictures={(0, 0): url}, channels=("",), width=round(width * shown / height), height=shown)
