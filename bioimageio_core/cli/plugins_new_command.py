"""``bmz plugins new``."""

from __future__ import annotations

import warnings
from pathlib import Path

import click

from .terminal import say

__all__ = ["new"]

KINDS = ("op", "weights", "run-mode", "format", "image-reader", "image-writer", "converter", "consumer", "command")
"""Kinds of `bioimageio_core.scaffold`, repeated here so that help does not import it."""

REGISTERED = {
    "op": ("processing_ops",),
    "weights": ("weights_formats", "weights_adapters"),
    "run-mode": ("run_modes",),
    "format": ("foreign_formats",),
    "image-reader": ("image_readers",),
    "image-writer": ("image_writers",),
    "converter": ("weights_converters", "weights_formats"),
    "consumer": ("consumers",),
    "command": ("commands",),
}
"""Fields of the registry in which the plugin of each kind has an entry of its name."""


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
        say(str(path))
    say(f"choose a licence, then: pip install -e '{target}[test]' && pytest {target}", err=True)


def _check_free(entry: str, kind: str) -> None:
    """Raise InputError if the library or an installed plugin has an entry of this name where the new plugin would have one."""
    from ..api import plugins
    from ..errors import InputError
    from .main import COMMANDS

    if kind == "command" and entry in COMMANDS:
        raise InputError(f"bmz has a command {entry!r} of its own, which the plugin's would never replace: choose another name")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # failures of other plugins do not matter here
        registry = plugins()
    for field in REGISTERED[kind]:
        if (field, entry) in registry.provenance:
            raise InputError(f"{registry.words_for(field, entry)} exists already: choose another name")
