"""``bmz test``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..errors import OutputError
from .prediction_options import PRECISION
from .terminal import print_json, progress_bars

if TYPE_CHECKING:
    from ..model_tests.test_report import TestReport

__all__ = ["command"]


@click.command(epilog="Example: bmz test path/to/model --weights-format onnx --html report.html")
@click.argument("model")
@click.option("--weights-format", help="Test these weights only; all that can be run here by default.")
@click.option("--quick", is_flag=True, help="Compare with the test outputs, and try no other sizes, batches or blocks.")
@click.option("--device", default="cpu", show_default=True, help="Device to run on, as in cuda:1.")
@click.option("--precision", type=click.Choice(["fp32", "bf16", "fp16"]), default="fp32", show_default=True, help=PRECISION)
@click.option("--compile", is_flag=True, help="Let PyTorch translate the network ahead of time.")
@click.option("--trust", is_flag=True, help="Run code that comes with the model.")
@click.option("--isolated", is_flag=True, help="Test each weights format in a new environment with what it needs, installed by pip.")
@click.option("--save", metavar="FOLDER", help="Where outputs that differ are saved; by default bmz-test-NAME, in the current folder.")
@click.option("--html", metavar="FILE", help="Write the report as a page that needs no other file; FILE is replaced.")
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def command(model: str, quick: bool, isolated: bool, save: str | None, html: str | None, as_json: bool, **options: Any) -> int:
    """Run MODEL on its test inputs in every weights format that can be run here, and compare with its test outputs.

    Sizes and batches that the description promises are tried as well, and blocks against the whole.
    Outputs that differ are saved beside what was expected, as arrays and pictures.
    Exit status 1 if any differs by more than the description allows, or none could be run.
    """
    from ..api import test_model

    with progress_bars(shown=not as_json) as progress:

        def tell(stage: str) -> None:
            if progress is not None:
                progress(f"test {stage}", 0, 1)

        report = test_model(model, quick=quick, isolated=isolated, report=tell, **options)
    saved, why_not = _saved(report, save)
    if html is not None:
        from ..atomic_files import write_text
        from ..report.pages import test_page

        write_text(html, test_page(report), overwrite=True)
    if as_json:
        print_json({**report.as_dict(), "saved": saved})
    else:
        from ..report.test_text import test_text

        click.echo(test_text(report))
        if saved is not None:
            click.echo(f"outputs that differ are in {saved}")
    if why_not:
        click.echo(f"bmz: warning: {why_not}", err=True)
    return 0 if report.status == "passed" else 1


def _saved(report: TestReport, folder: str | None) -> tuple[str | None, str]:
    """Return where outputs that differ were saved; that they could not be is no reason to keep the report back."""
    from ..report.test_files import save_failures

    try:
        path = save_failures(report, folder)
    except OutputError as error:
        return None, str(error)
    return None if path is None else str(path), ""
