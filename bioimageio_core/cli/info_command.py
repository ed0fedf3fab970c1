"""``bmz info``."""

from __future__ import annotations

import click

from .terminal import print_json, progress_bars

__all__ = ["command"]


@click.command(epilog="Example: bmz info path/to/model --html card.html")
@click.argument("source")
@click.option("--html", metavar="FILE", help="Write the card as a page that needs no other file; FILE is replaced.")
@click.option("--measure", is_flag=True, help="Run the network on noise, to find what halo and which sizes it needs; this is remembered.")
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def command(source: str, html: str | None, measure: bool, as_json: bool) -> None:
    """Show what a resource is; of a model also what it takes, gives and needs, and what of it can be run here.

    SOURCE is a file, folder, zip, URL or id in a collection, such as affable-shark; BMZ_COLLECTION names another than the public one.
    Fetches none of the files that it names, and imports no framework, unless it is to measure the network.
    A halo that is smaller than what was measured, or a step that is no multiple of the network's stride, is warned of.
    """
    from ..api import analyse_network, card
    from ..report.card_text import card_text

    if measure:
        with progress_bars(after=2) as progress:
            analyse_network(source, progress=progress)
    shown = card(source)
    if html is not None:
        from ..atomic_files import write_text
        from ..report.pages import card_page

        write_text(html, card_page(shown), overwrite=True)
    if as_json:
        print_json(shown.as_dict())
    elif html is None:
        click.echo(card_text(shown))
    else:
        click.echo(html)
