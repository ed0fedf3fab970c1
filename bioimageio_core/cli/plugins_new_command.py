"""``bmz plugins new``."""

from __future__ import annotations

import warnings
from pathlib import Path

import click

__all__ = ["new"]

KINDS = ("op", "weights", "run-mode", "format")
"""As in `bioimageio_core.scaffold`, which help is too short-lived to import."""

REGISTERED = {"op": "processing_ops", "weights": "weights_formats", "run-mode": "run_modes", "format": "foreign_formats"}
"""The field of the registry that each kind of plugin goes to."""


@click.command(epilog="Example: bmz plugins new gamma --kind op")
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What the plugin brings.")
@click.option("-o", "--output", "folder", metavar="FOLDER", help="Where to write it; by default bioimageio-runtime-NAME.")
def new(name: str, kind: str, folder: str | None) -> None:
    """Write a plugin that works, with its tests, as a start for one of your own.

    A licence is left to you.
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
    """Raise where an installed plugin has an entry of this kind and name."""
    from ..api import plugins
    from ..errors import InputError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of plugins that fail
        plugin = plugins().provenance.get((REGISTERED[kind], entry))
    if plugin is not None:
        raise InputError(f"{kind} {entry!r} is brought by {plugin.distribution} already: choose another name")
