"""``bmz plugins new``."""

from __future__ import annotations

import warnings
from pathlib import Path

import click

__all__ = ["new"]

KINDS = ("op", "weights", "run-mode", "format", "converter", "consumer", "command")
"""Kinds of `bioimageio_core.scaffold`, repeated here so that help does not import it."""

REGISTERED = {
    "op": "processing_ops",
    "weights": "weights_formats",
    "run-mode": "run_modes",
    "format": "foreign_formats",
    "converter": "weights_converters",
    "consumer": "consumers",
    "command": "commands",
}
"""Field of the registry for each kind of plugin."""


@click.command(epilog="Example: bmz plugins new gamma --kind op")
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What the plugin adds.")
@click.option("-o", "--output", "folder", metavar="FOLDER", show_default="bioimageio-runtime-NAME", help="Folder to write.")
def new(name: str, kind: str, folder: str | None) -> None:
    """Write a working plugin with tests, as a template for your own.

    You choose the licence.
    """
    from ..scaffold import plugin_names, write_plugin

    names = plugin_names(name)
    _check_free(names.entry, kind)
    target = Path(folder or names.distribution)
    written = write_plugin(names, kind, target)
    for path in written:
        click.echo(path)
    click.echo(f"choose a licence, then: pip install -e '{target}[test]' && pytest {target}", err=True)


def _check_free(entry: str, kind: str) -> None:
    """Raise InputError if an installed plugin has an entry of this kind and name."""
    from ..api import plugins
    from ..errors import InputError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # failures of other plugins do not matter here
        plugin = plugins().provenance.get((REGISTERED[kind], entry))
    if plugin is not None:
        raise InputError(f"{kind} {entry!r} already exists in {plugin.distribution}: choose another name")
