"""Arguments of the formats of other systems, on the command line."""

from __future__ import annotations

from typing import Any, Literal

import click

from .terminal import print_json

__all__ = ["list_formats", "named_values"]


def named_values(given: tuple[str, ...]) -> dict[str, Any]:
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


def list_formats(side: Literal["reader", "writer"], *, as_json: bool) -> None:
    """Print the formats that installed plugins read, or write, with the options of each."""
    from ..api import plugins
    from .terminal import table

    formats = {name: entry for name, entry in plugins().foreign_formats.items() if side == "reader" or entry.load_writer is not None}
    options = {name: dict(getattr(entry, f"{side}_options")) for name, entry in formats.items()}
    if as_json:
        print_json({name: {"summary": entry.summary, "options": options[name]} for name, entry in formats.items()})
        return
    if not formats:
        click.echo(f"no installed plugin {'reads' if side == 'reader' else 'writes'} a format of another system")
        return
    click.echo(table([(name, entry.summary) for name, entry in formats.items()], ("format", "")))
    for name, those in options.items():
        for option, words in those.items():
            click.echo(f"{name}: --option {option}=...: {words}")
