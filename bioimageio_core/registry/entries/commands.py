"""Entries of the hook ``bioimageio_commands``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from .base import EntryBase, called_with

__all__ = ["CommandEntry"]


@attrs.frozen(kw_only=True)
class CommandEntry(EntryBase):
    """A subcommand of ``bmz``.

    Its entry point is named ``command.NAME``, so that ``bmz --help`` can list it without importing anything.
    """

    load: Callable[[], Any] = attrs.field(validator=called_with())
    """Imports the command and returns it: a `click.Command`."""
