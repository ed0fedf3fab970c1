"""``bmz view``."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import click

from ..errors import InputError
from ..report.plain_text import sizes_in_words
from .common_options import json_option
from .terminal import print_json, say

__all__ = ["command"]


@click.command(epilog="Example: bmz view cells.ome.zarr result.zarr, or bmz view cells.tif --labels nuclei.tif --table nuclei.csv")
@click.argument("sources", type=click.Path(), nargs=-1, required=True, metavar="SOURCE...")
@click.option("--labels", multiple=True, metavar="NAME_OR_PATH", help="What is labels, or a further image that is; may be repeated.")
@click.option(
    "--table", multiple=True, metavar="[NAME=]FILE", help="Table of the objects (.csv, .parquet); NAME are labels, where there are several."
)
@click.option("--scene", help="The image of a file of several, by number or name, as in 1 or Pos1.")
@click.option("--axes", help="Axes of images that name none, as in 'tczyx'.")
@click.option("--napari", is_flag=True, help="Show them in napari instead of the browser.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of the server; by default any that is free.")
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
@json_option
def command(
    sources: tuple[str, ...], labels: tuple[str, ...], table: tuple[str, ...], napari: bool, no_browser: bool, as_json: bool, **more: Any
) -> None:
    """Show images, results and labels of any size in the browser.

    SOURCE are image files or folders, and results of 'bmz predict', which are shown on top of each other.
    The viewer is neuroglancer (pip install 'bioimageio-runtime[view]'). Its server is reached from this machine alone,
    with the token in the address, and ends with Ctrl-C.
    """
    from ..api import view

    shown = view(*sources, labels=labels, table=_tables(table), napari=napari, open_browser=not no_browser, **more)
    if napari:
        import napari as package

        package.run()
        return
    with shown, suppress(KeyboardInterrupt):
        if as_json:
            print_json({"url": shown.url, "layers": [{"name": layer.name, "kind": layer.kind} for layer in shown.layers]})
        else:
            for layer in shown.layers:
                say(f"{layer.name}: {layer.kind}, {layer.dtype}, {sizes_in_words(layer.axes, layer.shape)}")
            say(f"{shown.url}\nCtrl-C ends it.")
        ended = threading.Event()
        while not ended.wait(60):  # on some systems, Ctrl-C does not end a wait without limit
            pass


def _tables(given: Iterable[str]) -> str | dict[str, str] | None:
    """Return the table of the only labels, or tables by name of labels."""
    from pathlib import Path

    listed = list(given)
    if len(listed) == 1 and (Path(listed[0]).exists() or "=" not in listed[0]):
        return listed[0]
    named = [one.partition("=") for one in listed]
    if any(not equals for _, equals, _ in named):
        raise InputError("several tables: expected NAME=FILE for each of them, where NAME are labels")
    return {name: path for name, _, path in named} or None
