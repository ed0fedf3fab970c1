"""What long work reports to, and what users choose."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ..text import in_one_line, without_secrets

__all__ = ["Progress", "ProgressChoice", "no_progress", "stage_in_one_line"]

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called as ``progress(stage, done, total)``, from any thread, at most a few times per second."""

ProgressChoice: TypeAlias = Progress | bool | None
"""What users choose: a callback, True for bars, False for none, and None for bars of long runs in notebooks."""


def no_progress(stage: str, done: int, total: int) -> None:
    """Show nothing."""


def stage_in_one_line(stage: str) -> str:
    """Return the name of a stage, which has ids of descriptions in it, for a terminal."""
    return in_one_line(without_secrets(stage))
