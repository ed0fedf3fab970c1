"""``bmz info``."""

from __future__ import annotations

import click

from .terminal import print_json

__all__ = ["command"]


@click.command(epilog="Example: bmz info path/to/model --html card.html")
@click.argument("source")
@click.option("--html", metavar="FILE", help="Write the card as a page that needs no other file; FILE is replaced.")
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def command(source: str, html: str | None, as_json: bool) -> None:
    """Show what a resource is; of a model also what it takes, gives and needs, and what of it can be run here.

    SOURCE is a file, folder, zip, URL or id in a collection, such as affable-shark; BMZ_COLLECTION names another than the public one.
    Fetches none of the files that it names, and imports no framework.
    """
    from ..api import card
    from ..report.card_text import card_text

    shown = card(source)
    if html is not None:
        from ..report.pages import card_page
        from ..writing import write_text

        write_text(html, card_page(shown), overwrite=True)
    if as_json:
        print_json(shown.as_dict())
    elif html is None:
        click.echo(card_text(shown))
    else:
        click.echo(html)
