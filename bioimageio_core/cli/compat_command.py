"""``bmz compat``."""

from __future__ import annotations

import click

from .terminal import print_json

__all__ = ["command"]


@click.command(epilog="Example: bmz compat path/to/model --consumer deepImageJ")
@click.argument("model")
@click.option(
    "--consumer",
    "consumers",
    multiple=True,
    metavar="NAME",
    help="Software to ask about; may be repeated. All that is known of if not given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print for machines.")
def command(model: str, consumers: tuple[str, ...], as_json: bool) -> int:
    """Say which software can run MODEL: ilastik, deepImageJ, Fiji, napari, ZEN, this library here, and what plugins know of.

    Each rule says yes, no or unknown, why, what would make it a yes, and where that is known from.
    With --consumer, the exit status is 1 if any of these cannot run it.
    """
    from ..api import compat
    from ..report.text.compatibility_text import compatibility_text

    found = compat(model, consumers)
    if as_json:
        print_json([c.as_dict() for c in found])
    else:
        click.echo(compatibility_text(found))
    return 1 if consumers and any(c.answer == "no" for c in found) else 0
