"""The run mode ``orthoplanes``: a network for planes runs on the slices of a volume in three orientations, and its outputs are merged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeAlias

import attrs

from bioimageio_core.registry import RunMode, RunModeEntry, hookimpl
from bioimageio_core.spec.fields import all_of, in_range, length, unique
from bioimageio_core.spec.node import Node, node

__all__ = ["OrthoplanesKwargs", "Plane", "bioimageio_run_modes"]

Plane: TypeAlias = Literal["yx", "zx", "zy"]
"""The two axes of a volume that stand for y and x of the network, in this order."""


@node
class OrthoplanesKwargs(Node):
    """Arguments of the run mode ``orthoplanes``."""

    merge: Literal["mean", "max"] = "mean"
    """How the outputs of all orientations are merged, pixel by pixel."""

    orientations: tuple[Plane, ...] = attrs.field(default=("yx", "zx", "zy"), validator=all_of(length(1), unique))
    """Slices that the network sees: at every z, at every y, at every x."""

    batch: int | None = attrs.field(default=None, validator=in_range(1))
    """Slices per call of the network; None: 8, or 1 if the network takes no more."""


@hookimpl
def bioimageio_run_modes() -> Iterator[RunModeEntry]:
    """Yield the run mode."""
    yield RunModeEntry(
        name="orthoplanes", load=_load, kwargs=OrthoplanesKwargs, summary="networks for planes on volumes: mean over three orientations"
    )


def _load() -> Callable[[Any], RunMode]:
    from .run_mode import Orthoplanes

    return Orthoplanes
