"""``bmz info``."""

from __future__ import annotations

import click

from .common_options import html_option, import_option, json_option
from .output_files import check_file_apart, write_page
from .terminal import print_json, progress_bars, say

__all__ = ["command"]


@click.command(epilog="Example: bmz info path/to/model --html card.html")
@click.argument("source")
@html_option
@click.option("--measure", is_flag=True, help="Run the network on noise to measure its halo and sizes; the result is cached.")
@import_option
@json_option
def command(source: str, html: str | None, measure: bool, imports: tuple[str, ...], as_json: bool) -> None:
    """Show a resource: authors, license and citations, and for a model inputs, outputs and weights, and which of them run here.

    SOURCE is a file, folder, zip, URL or id in a collection, such as affable-shark; BMZ_COLLECTION sets another collection.
    Downloads no other file, and imports no framework, except with --measure.
    Warns if the measured halo is larger than the described one, or a step is not a multiple of the network's stride.
    """
    from ..api import analyse_network, card
    from ..report.text.card_text import card_text

    check_file_apart(html, [source])
    if measure:
        with progress_bars(after=2) as progress:
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
