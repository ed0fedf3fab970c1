"""Pictures beside each other, with a choice of slices and channels that works without scripts: by radio buttons and style sheets."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import attrs

from ...typing import FrozenMapping

__all__ = ["Legend", "Panel", "Panels"]


@attrs.frozen(kw_only=True)
class Legend:
    """Values at the ends of a range of colours."""

    low: str
    high: str
    colours: tuple[str, ...]
    """Colours from low to high, as style sheets have them."""


@attrs.frozen(kw_only=True)
class Panel:
    """One array: a picture for each slice and channel."""

    title: str
    pictures: Mapping[tuple[int, int], str] = attrs.field(converter=FrozenMapping[tuple[int, int], str])
    """URLs with the content of pictures by ``(slice, channel)``, from 0; an array without slices has slice 0 only."""

    channels: tuple[str, ...]
    width: int
    """Pixels of the screen."""

    height: int
    smooth: bool = False
    """Whether pixels are blended where the screen shows them larger."""

    notes: str = ""
    """What is fixed in all pictures, such as ``time 0 of 7``."""

    more_channels: int = 0
    """Channels that are not shown."""

    legend: Legend | None = None

    @property
    def has_slices(self) -> bool:
        """Whether there are several slices."""
        return any(number for number, _ in self.pictures)


def _name() -> str:
    return f"bmz{uuid.uuid4().hex[:10]}"


@attrs.frozen(kw_only=True)
class Panels:
    """Several arrays of the same slices."""

    panels: tuple[Panel, ...]
    axis: str = ""
    """The axis of the slices; empty without slices."""

    slices: tuple[int, ...] = (0,)
    """Positions of the slices along the axis."""

    length: int = 0
    """Slices along the axis in all; 0 where the number is not shown."""

    name: str = attrs.field(factory=_name)
    """A name of their own for the controls: a notebook shows many fragments."""

    @property
    def first(self) -> int:
        """The slice that is shown first: the middle one."""
        return len(self.slices) // 2
