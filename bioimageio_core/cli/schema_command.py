"""``bmz schema``."""

from __future__ import annotations

import json

import click

from .terminal import say

__all__ = ["command"]


@click.command(epilog="Example: bmz schema --type model --format-version 0.5 -o bioimageio.schema.json")
@click.option("--type", "type_", metavar="TYPE", show_default="any", help="Resource type, such as model.")
@click.option("--format-version", metavar="VERSION", show_default="any", help="Format version, such as 0.5.")
@click.option("-o", "--output", metavar="FILE", help="Write to FILE, which is replaced, instead of printing.")
def command(type_: str | None, format_version: str | None, output: str | None) -> None:
    """Print the JSON Schema (draft 2020-12) of descriptions, for editors.

    It includes ops and weights of installed plugins.
    """
    from ..api import json_schema
    from ..atomic_files import write_text

    text = json.dumps(json_schema(type_, format_version), indent=2, ensure_ascii=False)
    if output is None:
        say(text, exact=True)
    else:
        write_text(output, f"{text}\n", overwrite=True, replaces=("JSON Schema", lambda found: "$schema" in found[:1000]))
