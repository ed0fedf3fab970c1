"""``bmz schema``."""

from __future__ import annotations

import json

import click

__all__ = ["command"]


@click.command(epilog="Example: bmz schema --type model --format-version 0.5 -o bioimageio.schema.json")
@click.option("--type", "type_", metavar="TYPE", help="Resource type, such as model; any by default.")
@click.option("--format-version", metavar="VERSION", help="Format version, such as 0.5; any by default.")
@click.option("-o", "--output", metavar="FILE", help="Write to FILE instead, which is replaced.")
def command(type_: str | None, format_version: str | None, output: str | None) -> None:
    """Print the JSON Schema (draft 2020-12) of descriptions, as editors use it.

    Ops and weights of installed plugins are part of it.
    """
    from ..api import json_schema
    from ..atomic_files import write_text

    text = json.dumps(json_schema(type_, format_version), indent=2, ensure_ascii=False)
    if output is None:
        click.echo(text)
    else:
        write_text(output, f"{text}\n", overwrite=True)
