"""``bmz info``."""

from __future__ import annotations

from typing import Any

import click

from .command_progress import command_progress
from .common_options import html_option, import_option, json_option
from .output_files import check_file_apart, write_page
from .terminal import print_json, say

__all__ = ["command"]


@click.command(epilog="Example: bmz info path/to/model --html card.html, or bmz info cells.ome.tif --scene 1")
@click.argument("source", type=click.Path())
@html_option
@click.option("--measure", is_flag=True, help="Run the network on noise to measure its halo and sizes; the result is cached.")
@import_option
@click.option("--scene", help="Of an image file: the image to show where it holds several, by number or name, as in 1 or Pos1.")
@click.option("--level", type=int, help="Of an image: the resolution level to show; 0 is the finest.")
@click.option("--axes", help="Of an image: its axes, as in 'tczyx', in place of those that it names.")
@json_option
def command(source: str, html: str | None, measure: bool, imports: tuple[str, ...], as_json: bool, **of_image: Any) -> None:
    """Show a resource or an image.

    SOURCE is a file, folder, zip, URL (http, s3, hf), DOI of Zenodo or id in a collection, such as affable-shark;
    BMZ_COLLECTION sets another collection.

    Of a resource: authors, license and citations, and for a model inputs, outputs and weights, and which of them run here.
    Downloads no other file, and imports no framework, except with --measure,
    which warns if the measured halo is larger than the described one, or a step is not a multiple of the network's stride.

    Of an image: format, axes, sizes, dtype, channels, pixel size, levels, scenes, and how a model takes it. Reads no pixels.
    """
    from ..api.images import is_image

    of_model = {"--html": html is not None, "--measure": measure, "--import": bool(imports)}
    given = {f"--{name}": value is not None for name, value in of_image.items()}
    image = is_image(source)
    for option, is_given in (of_model if image else given).items():
        if is_given:
            raise click.UsageError(f"{option} is of {'models' if image else 'images'}, and {source} is {'an image' if image else 'none'}")
    if image:
        _show_image(source, of_image, as_json)
    else:
        _show_resource(source, html, measure, imports, as_json)


def _show_image(source: str, options: dict[str, Any], as_json: bool) -> None:
    from ..api import image_card
    from ..report.text.image_text import image_text

    shown = image_card(source, **options)
    if as_json:
        print_json(shown.as_dict())
    else:
        say(image_text(shown))


def _show_resource(source: str, html: str | None, measure: bool, imports: tuple[str, ...], as_json: bool) -> None:
    from ..api import analyse_network, card
    from ..report.text.card_text import card_text

    check_file_apart(html, [source])
    if measure:
        with command_progress(after=2) as progress:
            analyse_network(source, progress=progress, imports=imports)
    shown = card(source)
    if html is not None:
        write_page(html, shown.page())
    if as_json:
        print_json(shown.as_dict())
    elif html is None:
        say(card_text(shown))
    else:
        say(html)
