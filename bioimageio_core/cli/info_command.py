"""``bmz info``."""

from __future__ import annotations

import click

from .terminal import print_json

__all__ = ["command"]


@click.command(epilog="Example: bmz info path/to/model")
@click.argument("model")
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def command(model: str, as_json: bool) -> None:
    """Show what MODEL takes, gives and needs, and what of it can be run here.

    MODEL is a file, folder, zip, URL or id in a collection, such as affable-shark; BMZ_COLLECTION names another than the public one.
    Fetches no weights and imports no framework.
    """
    from ..api import load_model_description, plugins, validate
    from ..report.model_card import model_card
    from ..report.model_card_text import model_card_text
    from ..sources import open_package

    with open_package(model) as package:
        card = model_card(load_model_description(package), package, plugins(), validate(package))
    if as_json:
        print_json(card.as_dict())
    else:
        click.echo(model_card_text(card))
