"""Text of others, cut to what fits a sentence of this library. Public: plugins quote errors of frameworks with it."""

from __future__ import annotations

__all__ = ["in_brief", "in_one_line"]

BRIEF = 300
"""Characters that are kept of an error message of a framework."""


def in_one_line(text: str) -> str:
    """Return text without line breaks and control characters, and with single spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def in_brief(error: BaseException | str, *, named: bool = False) -> str:
    """Return the message of an exception of a framework for use within an error message: one line of limited length.

    Args:
        error: The exception, or a part of its text.
        named: Begin with the type of the exception, as is good where its text alone means little (``KeyError``).
            An exception without text is always named.

    """
    text = in_one_line(str(error))[:BRIEF]
    name = type(error).__name__
    return f"{name}: {text}" if named and text else text or name
