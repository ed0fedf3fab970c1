"""``bmz export``."""

from __future__ import annotations

import click

from .format_options import list_formats, named_values
from .terminal import print_json, progress_bars

__all__ = ["command"]


@click.command(epilog="Example: bmz export path/to/model --to czann -o model.czann")
@click.argument("model", required=False)
@click.option("--to", "to_format", metavar="NAME", help="Format to write, as 'bmz plugins' names it; without it the formats are listed.")
@click.option("-o", "--output", help="File or folder to write.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="Argument of the format; may be repeated.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def command(model: str | None, to_format: str | None, output: str | None, options: tuple[str, ...], overwrite: bool, as_json: bool) -> None:
    """Write MODEL in the format of another system.

    Which formats are written depends on the plugins that are installed; without --to they are listed, with their options.
    What the other format can not say is listed, on standard error.
    """
    from ..api import export_model

    if to_format is None:
        list_formats("writer", as_json=as_json)
        return
    if model is None or output is None:
        raise click.UsageError("expected MODEL and --output beside --to")
    with progress_bars(after=2, shown=not as_json) as progress:
        if progress is not None:
            progress("export", 0, 1)
        written = export_model(model, to_format, output, overwrite=overwrite, **named_values(options))
    if as_json:
        print_json({"output": str(written.path), "format": written.format, "lost": written.lost})
        return
    for sentence in written.lost:
        click.echo(f"  lost: {sentence}", err=True)
    click.echo(f"{written.path}: {written.format}")
