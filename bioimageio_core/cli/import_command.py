"""``bmz import``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import InvalidDescriptionError
from .command_progress import command_progress
from .common_options import json_option, overwrite_option
from .foreign_formats import list_formats
from .parameter_types import NAME_VALUE
from .terminal import issues_as_data, issues_table, print_json, say
from .value_completion import installed_names

__all__ = ["command"]


@click.command(epilog="Example: bmz import nuclei.czann -o nuclei")
@click.argument("file", type=click.Path(), required=False)
@click.option("-o", "--output", type=click.Path(), show_default="the name of FILE without its extension", help="Folder to write.")
@click.option(
    "--from",
    "format",
    shell_complete=installed_names("foreign_formats"),
    metavar="NAME",
    show_default="the one that recognises FILE",
    help="Format of FILE.",
)
@click.option("--option", "options", type=NAME_VALUE, multiple=True, help="Argument of the format; may be repeated.")
@overwrite_option
@json_option
def command(
    file: str | None,
    output: str | None,
    format: str | None,  # noqa: A002 (named like the parameter of import_model)
    options: tuple[tuple[str, Any], ...],
    overwrite: bool,
    as_json: bool,
) -> int:
    """Read FILE, a model of another system, into a folder with a description and all its files.

    Plugins provide the formats; without FILE, they are listed with their options.
    The folder appears when it is complete.
    Issues that validation finds in the description are listed on standard error.
    Exit status 1 if the plugin makes no valid description of FILE; then nothing is written.
    """
    from ..api import import_model
    from ..spec.validation import ValidationReport

    if file is None:
        list_formats("reader", as_json=as_json)
        return 0
    folder = output if output is not None else Path(file).stem
    written = None
    try:
        with command_progress(after=2) as progress:
            if progress is not None:
                progress("import", 0, 1)
            written = import_model(file, folder, format, overwrite=overwrite, **dict(options))
        report = written.report
    except InvalidDescriptionError as error:
        if not isinstance(error.report, ValidationReport):
            raise
        report = error.report
        if not as_json:
            say(f"bmz: {error}", err=True)
    if as_json:
        result = {"output": folder, "format": written.format} if written is not None else {}
        status = "valid" if written is not None else "invalid"
        print_json({"source": file, "status": status, **result, "issues": issues_as_data(report.issues)})
    else:
        if report.issues:
            say(issues_table(report.issues), err=True)
        if written is not None:
            say(f"{folder}: model {report.format_version}, from {written.format}")
    return 0 if written is not None else 1
