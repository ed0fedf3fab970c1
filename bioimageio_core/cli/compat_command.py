"""``bmz compat``."""

from __future__ import annotations

import click

from .common_options import json_option
from .terminal import print_json, say
from .value_completion import installed_names

__all__ = ["command"]


@click.command(epilog="Example: bmz compat path/to/model --consumer deepImageJ")
@click.argument("model", type=click.Path())
@click.option(
    "--consumer",
    "consumers",
    multiple=True,
    metavar="NAME",
    shell_complete=installed_names("consumers"),
    show_default="all",
    help="Software to judge; may be repeated.",
)
@json_option
def command(model: str, consumers: tuple[str, ...], as_json: bool) -> int:
    """Show which software can run MODEL: ilastik, deepImageJ, Fiji, napari, ZEN, this library, and software that plugins add.

    Each rule answers yes, no or unknown, with the reason, the remedy and the source of the rule.
    With --consumer, the exit status is 1 if one of these cannot run the model.
    """
    from ..api import compat
    from ..report.text.compatibility_text import compatibility_text

    found = compat(model, consumers)
    if as_json:
        print_json([c.as_dict() for c in found])
    else:
        say(compatibility_text(found))
    return 1 if consumers and any(c.answer == "no" for c in found) else 0
