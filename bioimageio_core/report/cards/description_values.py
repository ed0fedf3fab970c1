"""Values of a description in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["arguments_in_words", "source_of", "value_in_words"]


def value_in_words(value: Any) -> str:
    """Return a value of a description for people; lists within other values are in brackets."""
    if isinstance(value, Mapping):
        return arguments_in_words(value)
    return ", ".join(map(_inner, value)) if _is_list(value) else _inner(value)


def arguments_in_words(arguments: Mapping[str, Any]) -> str:
    """Return named values as in a call, such as ``axes=[y, x], eps=1e-06``."""
    return ", ".join(f"{key}={_inner(value)}" for key, value in arguments.items())


def source_of(file: Any) -> str | None:
    """Return the source of a file node, or the text that is in place of one."""
    return None if file is None else str(getattr(file, "source", file))


def _inner(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{arguments_in_words(value)}}}"
    if _is_list(value):
        return f"[{', '.join(map(_inner, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
