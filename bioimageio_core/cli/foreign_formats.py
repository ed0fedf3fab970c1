"""Formats of other systems, listed for the command line."""

from __future__ import annotations

from typing import Literal

from .terminal import print_json, say, table

__all__ = ["list_formats"]


def list_formats(side: Literal["reader", "writer"], *, as_json: bool) -> None:
    """Print the formats that installed plugins read or write, with the options of each."""
    from ..api import plugins

    formats = {name: entry for name, entry in plugins().foreign_formats.items() if side == "reader" or entry.load_writer is not None}
    options = {name: dict(getattr(entry, f"{side}_options")) for name, entry in formats.items()}
    if as_json:
        print_json({name: {"summary": entry.summary, "options": options[name]} for name, entry in formats.items()})
        return
    if not formats:
        say(f"no installed plugin {'reads' if side == 'reader' else 'writes'} a format of another system")
        return
    say(table([(name, entry.summary) for name, entry in formats.items()], ("format", "")))
    for name, by_option in options.items():
        for option, meaning in by_option.items():
            say(f"{name}: --option {option}=...: {meaning}")
