"""``bmz import``."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import InvalidDescriptionError
from .format_options import list_formats, named_values
from .terminal import print_json, progress_bars, table

__all__ = ["command"]


@click.command(epilog="Example: bmz import nuclei.czann -o nuclei")
@click.argument("file", required=False)
@click.option("-o", "--output", help="Folder to write; without it one named as FILE without its ending, in the current folder.")
@click.option("--from", "format", metavar="NAME", help="Format of FILE, as 'bmz plugins' names it; without it the only one that fits.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="Argument of the format; may be repeated.")
@click.option("--overwrite", is_flag=True, help="Replace a package that exists.")
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def command(
    file: str | None,
    output: str | None,
    format: str | None,  # noqa: A002 (the word of the option)
    options: tuple[str, ...],
    overwrite: bool,
    as_json: bool,
) -> int:
    """Read FILE, a model of another system, into a folder with a description and all files that it names.

    Which formats are read depends on the plugins that are installed; without FILE they are listed.
    The folder is whole, or not there at all.
    What validation has to say of the description is listed, on standard error.
    Exit status 1 if what the plugin makes of FILE is no valid description; then nothing is written.
    """
    from ..api import import_model
    from ..spec.validation import ValidationReport

    if file is None:
        list_formats("reader", as_json=as_json)
        return 0
    values = named_values(options)
    folder = output if output is not None else Path(file).stem
    written = None
    try:
        with progress_bars(after=2) as progress:
            if progress is not None:
                progress("import", 0, 1)
            written = import_model(file, folder, format, overwrite=overwrite, **values)
        report = written.report
    except InvalidDescriptionError as error:
        if not isinstance(error.report, ValidationReport):
            raise
        report = error.report
        if not as_json:
            click.echo(f"bmz: {error}", err=True)
    if as_json:
        issues = [{"path": i.path, "message": i.message, "severity": i.severity, "hint": i.hint} for i in report.issues]
        said = {"output": folder, "format": written.format} if written is not None else {}
        print_json({"source": file, "status": "valid" if written is not None else "invalid", **said, "issues": issues})
    else:
        if report.issues:
            click.echo(table([(f"  {i.severity}", i.path or "(whole)", i.message) for i in report.issues]), err=True)
        if written is not None:
            click.echo(f"{folder}: model {report.format_version}, from {written.format}")
    return 0 if written is not None else 1
