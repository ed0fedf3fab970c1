"""The report of a model test as text."""

from __future__ import annotations

from collections.abc import Iterator

from ...model_tests.test_report import BlockTrial, TestReport, WeightsTest
from ..plain_text import in_one_line, table

__all__ = ["model_test_text"]


def model_test_text(report: TestReport) -> str:
    """Return the report for people: a table of outputs, then sizes, agreement and blocks if they were tested."""
    return "\n".join(_lines(report))


def _lines(report: TestReport) -> Iterator[str]:
    yield f"{in_one_line(report.model)}: {report.status} ({report.settings})"
    rows = []
    for test in report.tests:
        for output in test.outputs:
            deviation, beyond = f"{output.greatest_deviation:.3g}", f"{output.mismatched} of {output.elements}"
            status = "passed" if output.passed else "failed"
            rows.append((test.weights_format, status, output.output, deviation, beyond, output.message))
        if not test.outputs:
            rows.append((test.weights_format, test.status, "", "", "", test.message))
    yield table(rows, ("weights", "status", "output", "greatest deviation", "beyond tolerance", ""))
    for test in report.tests:
        yield from _more(test)
    for pair in report.agreement:
        yield f"{pair.first} and {pair.second} differ by {pair.greatest_difference:.3g} in output {pair.output!r}"
    if report.blockwise is not None:
        yield _blocks(report.blockwise)


def _more(test: WeightsTest) -> Iterator[str]:
    """Yield outputs that were compared without halo, the other sizes that were tested, and deviations from full precision."""
    for output in test.outputs:
        if output.cropped:
            halo = ", ".join(f"{axis} {pixels}" for axis, pixels in output.cropped.items())
            yield f"{test.weights_format}: output {output.output!r} is compared without its halo ({halo}), which the test output lacks"
    if test.sizes:
        yield f"{test.weights_format}: other sizes and batches: {test.sizes_in_words}"
    shown: set[str] = set()
    for trial in test.sizes:
        if trial.message and trial.message not in shown:
            shown.add(trial.message)
            yield f"  {trial.shapes_in_words}: {trial.message}"
    for name, deviation in test.deviations.items():
        yield f"{test.weights_format}: output {name!r} deviates by {deviation:.3g} from full precision, not compiled"


def _blocks(trial: BlockTrial) -> str:
    if trial.status == "skipped":
        return f"blocks: not tried: {trial.message}"
    what = f"{trial.blocks} blocks differ from the whole by {trial.greatest_difference:.3g}" if trial.blocks else "failed"
    return f"blocks ({trial.weights_format}): {what}" + (f"; note: {trial.message}" if trial.message else "")
