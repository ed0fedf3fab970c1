"""``bmz test``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..errors import OutputError
from .command_progress import command_progress
from .common_options import (
    compile_option,
    device_option,
    html_option,
    import_option,
    json_option,
    precision_option,
    timeout_option,
    trust_option,
)
from .output_files import check_file_apart, write_page
from .terminal import print_json, say
from .value_completion import installed_names
from .verbosity_options import verbosity_options

if TYPE_CHECKING:
    from ..model_tests.test_report import TestReport

__all__ = ["command"]


@click.command(epilog="Example: bmz test path/to/model --weights-format onnx --html report.html")
@click.argument("model", type=click.Path())
@click.option(
    "--weights-format",
    shell_complete=installed_names("weights_formats"),
    show_default="all that run here",
    help="Weights to test, as in onnx.",
)
@click.option("--quick", is_flag=True, help="Only compare with the test outputs; test no other sizes, batches or blocks.")
@device_option
@precision_option
@compile_option
@import_option
@timeout_option
@trust_option
@click.option("--isolated", is_flag=True, help="Test each weights format in a new environment, which pip fills with what the format needs.")
@click.option("--save", metavar="FOLDER", show_default="bmz-test-NAME", help="Folder for outputs that differ.")
@html_option
@verbosity_options
@json_option
def command(model: str, quick: bool, isolated: bool, save: str | None, html: str | None, as_json: bool, **options: Any) -> int:
    """Run MODEL on its test inputs, in every weights format that runs here, and compare with its test outputs.

    Also tests the sizes and batches that the description allows, and compares blocks with the whole.
    Outputs that differ are saved with the expected ones, as arrays and pictures.
    Exit status 1 if an output differs by more than the description allows, or no weights can be tested.
    """
    from ..api import test_model

    check_file_apart(html, [model])
    with command_progress(shown=not as_json) as progress:

        def show_stage(stage: str) -> None:
            if progress is not None:
                progress(f"test {stage}", 0, 1)

        report = test_model(model, quick=quick, isolated=isolated, report=show_stage, **options)
    saved, problem = _save_failed(report, save)
    if html is not None:
        from ..report.html.model_test_page import model_test_page

        write_page(html, model_test_page(report))
    if as_json:
        print_json({**report.as_dict(), "saved": saved})
    else:
        from ..report.text.model_test_text import model_test_text

        say(model_test_text(report))
        if saved is not None:
            say(f"outputs that differ are in {saved}")
    if problem:
        say(f"bmz: warning: {problem}", err=True)
    return 0 if report.status == "passed" else 1


def _save_failed(report: TestReport, folder: str | None) -> tuple[str | None, str]:
    """Save outputs that differ; return the folder, or the error: the report is shown even if they cannot be saved."""
    from ..report.failed_outputs import save_failed_outputs

    try:
        path = save_failed_outputs(report, folder)
    except OutputError as error:
        return None, str(error)
    return None if path is None else str(path), ""
