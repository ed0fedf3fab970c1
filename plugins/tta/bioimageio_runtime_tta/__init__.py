"""The run mode ``tta``, test-time augmentation: the network runs on every block flipped and rotated, and its outputs are merged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import attrs

from bioimageio_core.registry import RunMode, RunModeEntry, hookimpl
from bioimageio_core.spec.fields import AxisId, all_of, length, unique
from bioimageio_core.spec.node import Node, node

__all__ = ["TtaKwargs", "bioimageio_run_modes"]


@node
class TtaKwargs(Node):
    """Arguments of the run mode ``tta``."""

    merge: Literal["mean", "max"] = "mean"
    """How outputs are merged, pixel by pixel."""

    flips: bool | tuple[AxisId, ...] = attrs.field(default=True, validator=unique)
    """Axes that are flipped, in all combinations; true: those of y and x that all inputs have; false: none."""

    rotations: bool | tuple[AxisId, ...] = attrs.field(default=True, validator=all_of(length(2, 2), unique))
    """The two axes whose plane is turned by quarters; true: y and x, if the network takes the same sizes along both; false: none."""


@hookimpl
def bioimageio_run_modes() -> Iterator[RunModeEntry]:
    """Yield the run mode."""
    yield RunModeEntry(name="tta", load=_load, kwargs=TtaKwargs, summary="mean or maximum over flips and quarter turns")


def _load() -> Callable[[Any], RunMode]:
    from .run_mode import Tta

    return Tta
