"""``bmz export``."""

from __future__ import annotations

from typing import Any

import click

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
        _list_formats(as_json)
        return
    if model is None or output is None:
        raise click.UsageError("expected MODEL and --output beside --to")
    with progress_bars(after=2, shown=not as_json) as progress:
        if progress is not None:
            progress("export", 0, 1)
        written = export_model(model, to_format, output, overwrite=overwrite, **_options(options))
    if as_json:
        print_json({"output": str(written.path), "format": written.format, "lost": written.lost})
        return
    for sentence in written.lost:
        click.echo(f"  lost: {sentence}", err=True)
    click.echo(f"{written.path}: {written.format}")


def _options(given: tuple[str, ...]) -> dict[str, Any]:
    """Return options by name, their values as YAML reads them."""
    from ..errors import YamlError
    from ..spec.yaml import load_yaml

    options: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise click.UsageError(f"--option {text}: expected NAME=VALUE")
        try:
            options[name.strip()] = load_yaml(f"value: {value}\n".encode(), source=f"--option {text}")["value"]
        except YamlError as error:
            raise click.UsageError(f"--option {text}: {error}") from None
    return options


def _list_formats(as_json: bool) -> None:
    from ..api import plugins
    from .terminal import table

    writers = {name: entry for name, entry in plugins().foreign_formats.items() if entry.load_writer is not None}
    if as_json:
        print_json({name: {"summary": entry.summary, "options": dict(entry.writer_options)} for name, entry in writers.items()})
        return
    if not writers:
        click.echo("no installed plugin writes a format of another system")
        return
    rows = [(name, entry.summary) for name, entry in writers.items()]
    click.echo(table(rows, ("format", "")))
    for name, entry in writers.items():
        for option, words in entry.writer_options.items():
            click.echo(f"{name}: --option {option}=...: {words}")
