"""Conditions on channels, as in ``1 < 0.5 and 2 > 3``; imports no numpy."""

from __future__ import annotations

import re

import attrs

__all__ = ["CONDITIONS", "Condition", "read_conditions"]

_CONDITION = r"\s*([0-9]{1,9})\s*([<>])\s*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)\s*"
CONDITIONS = rf"{_CONDITION}(?:\band\b{_CONDITION})*"
"""The regular expression of what `read_conditions` reads."""


@attrs.frozen(kw_only=True)
class Condition:
    """That the map of a channel is below or above a threshold."""

    channel: int
    below: bool
    threshold: float


def read_conditions(text: str) -> tuple[Condition, ...]:
    """Return the conditions of a text that matches `CONDITIONS`."""
    return tuple(
        Condition(channel=int(channel), below=sign == "<", threshold=float(threshold))
        for channel, sign, threshold in re.findall(_CONDITION, text)
    )
