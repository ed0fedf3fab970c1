"""Options in messages, spelt as the reader writes them: by keyword in Python, as a flag on the command line.

A message is written with both: ``overwrite=True (--overwrite)``, ``block={'y': 256} (--block y=256)``,
``analyse_network() (bmz info MODEL --measure)``. Where it is shown, the reader sees one of them.
"""

from __future__ import annotations

import os
import re
from contextlib import AbstractContextManager

from .env import set_temporarily

__all__ = ["PAIR", "for_command_line", "for_python", "on_command_line", "spelt"]

VARIABLE = "_BMZ_COMMAND_LINE"
"""Environment variable of the processes of ``bmz``; child processes inherit it, since their messages are shown there, too."""

ENTITY = r"&(?:#x?[0-9a-f]+|quot);"

QUOTED = rf"""(?:'[^'\n]*'|"[^"\n]*"|\\"[^"\n]*\\"|{ENTITY}(?:(?!{ENTITY}).)*{ENTITY})"""
"""Quoted text, up to the next quote; in JSON quotes have a backslash, in HTML they are entities."""

VALUE = rf"(?:\{{[^{{}}]*\}}|\[[^\[\]]*\]|\([^()]*\)|{QUOTED}|[\w.]*)"

LONGEST = 80
"""Characters of a name: without a limit, long texts with many points would take the square of their length."""

PAIR = re.compile(rf"(?P<python>\b[A-Za-z_][\w.]{{0,{LONGEST}}}(?:={VALUE}|\([^()]*\))) \((?P<command>(?:--?[a-z]|bmz )[^()]*)\)")
"""An option or a function as Python has it, and in brackets as the command line has it."""


def spelt(text: str) -> str:
    """Return a message as it is shown here: for the command line within `on_command_line`, else for Python."""
    return for_command_line(text) if VARIABLE in os.environ else for_python(text)


def for_python(text: str) -> str:
    """Return a message with the keywords of its options: ``overwrite=True``."""
    return PAIR.sub(lambda pair: pair["python"], text)


def for_command_line(text: str) -> str:
    """Return a message with the flags of its options, ``--overwrite``, and commands in quotes: ``'bmz trust'``."""
    return PAIR.sub(lambda pair: f"'{pair['command']}'" if pair["command"].startswith("bmz ") else pair["command"], text)


def on_command_line() -> AbstractContextManager[None]:
    """Return a context manager, within which messages are spelt for the command line."""
    return set_temporarily(VARIABLE, "1")
