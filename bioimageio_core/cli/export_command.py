"""``bmz export``."""

from __future__ import annotations

from typing import Any

import click

from .command_progress import command_progress
from .common_options import include_outside_option, json_option, overwrite_option
from .foreign_formats import list_formats
from .parameter_types import NAME_VALUE
from .terminal import print_json, say
from .value_completion import installed_names
from .verbosity_options import verbosity_options

__all__ = ["command"]


@click.command(epilog="Example: bmz export path/to/model --to czann -o model.czann")
@click.argument("model", type=click.Path(), required=False)
@click.option(
    "--to",
    "to_format",
    shell_complete=installed_names("foreign_formats"),
    metavar="NAME",
    help="Format to write; without it, the formats are listed.",
)
@click.option("-o", "--output", type=click.Path(), help="File or folder to write.")
@click.option("--option", "options", type=NAME_VALUE, multiple=True, help="Argument of the format; may be repeated.")
@include_outside_option
@overwrite_option
@verbosity_options
@json_option
def command(
    model: str | None,
    to_format: str | None,
    output: str | None,
    options: tuple[tuple[str, Any], ...],
    include_outside: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write MODEL in the format of another system.

    Plugins provide the formats; without --to, they are listed with their options.
    Properties of MODEL that the format cannot express are listed on standard error.
    """
    from ..api import export_model

    if to_format is None:
        list_formats("writer", as_json=as_json)
        return
    if model is None or output is None:
        raise click.UsageError("--to needs MODEL and --output, too")
    with command_progress(after=2, shown=not as_json) as progress:
        if progress is not None:
            progress("export", 0, 1)
        written = export_model(model, to_format, output, overwrite=overwrite, include_outside=include_outside, **dict(options))
    if as_json:
        print_json({"output": str(written.path), "format": written.format, "lost": written.lost})
        return
    for sentence in written.lost:
        say(f"  lost: {sentence}", err=True)
    say(f"{written.path}: {written.format}")
