"""The implementation of the run mode ``tta``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from bioimageio_core.errors import InputError, ModelRunError
from bioimageio_core.registry import Pipeline, PipelineSize, PipelineTensor, WeightsAdapter
from bioimageio_core.typing import AxisId, FrozenMapping
from numpy.typing import NDArray

from . import TtaKwargs
from .turns import Turn, all_turns

__all__ = ["Tta", "TurnedNetwork"]

PLANE = ("y", "x")
"""What is flipped and turned unless the user names axes: along z optics and sampling differ."""


@attrs.frozen
class Tta:
    """Test-time augmentation."""

    kwargs: TtaKwargs

    def plan(self, pipeline: Pipeline) -> Pipeline:
        """Return the pipeline with equal halos along axes that are turned into each other.

        Raises:
            InputError: The network can not be run in this way.

        """
        for tensor in pipeline.outputs:
            for axis, size in zip(tensor.axes, tensor.sizes, strict=False):
                if size == PipelineSize():
                    raise InputError(
                        f"run mode 'tta' cannot merge output {tensor.id!r}: the network decides on its size along axis {axis!r}"
                    )
        for axis in self._flips(pipeline):
            _check_everywhere(axis, pipeline)
        plane, left_out = self._plane(pipeline)
        if not (plane or self._flips(pipeline)):
            lacking = [t.id for t in pipeline.inputs if not {*PLANE} <= {*t.axes}]
            reason = left_out or (f"input {lacking[0]!r} lacks the axes {' and '.join(PLANE)}" if lacking else "flips and rotations are off")
            raise InputError(f"run mode 'tta' has nothing to flip or turn: {reason}")
        halo = max((pipeline.halo.get(a, 0) for a in plane), default=0)
        return attrs.evolve(
            pipeline,
            halo=FrozenMapping({**pipeline.halo, **{a: halo for a in plane if halo}}),
            warnings=pipeline.warnings + ((f"run mode 'tta' leaves out quarter turns: {left_out}",) if left_out else ()),
        )

    def wrap(self, adapter: WeightsAdapter, pipeline: Pipeline) -> WeightsAdapter:
        """Return the network as it is called for each block: once for every way of turning it."""
        turns = all_turns(self._flips(pipeline), self._plane(pipeline)[0])
        return TurnedNetwork(network=adapter, pipeline=pipeline, turns=turns, merge=self.kwargs.merge)

    def _flips(self, pipeline: Pipeline) -> tuple[AxisId, ...]:
        """Return the axes that are flipped."""
        flips = self.kwargs.flips
        if isinstance(flips, bool):
            return tuple(a for a in PLANE if _everywhere(a, pipeline)) if flips else ()
        return flips

    def _plane(self, pipeline: Pipeline) -> tuple[tuple[AxisId, ...], str]:
        """Return the two axes that are turned into each other, if any, and why those that could be are not."""
        asked = self.kwargs.rotations
        if asked is False:
            return (), ""
        plane = PLANE if asked is True else asked
        if asked is True and not all(_everywhere(a, pipeline) for a in plane):
            return (), ""
        for axis in plane:
            _check_everywhere(axis, pipeline)
        reason = next((r for t in (*pipeline.inputs, *pipeline.outputs) if (r := _why_not(t, *plane))), "")
        if reason and asked is not True:
            raise InputError(f"run mode 'tta' cannot turn {plane[0]} into {plane[1]}: {reason}")
        return ((), reason) if reason else (plane, "")


@attrs.frozen
class TurnedNetwork:
    """Calls a network once for every way of turning its inputs, and merges what it returns in float32."""

    network: WeightsAdapter
    pipeline: Pipeline
    turns: tuple[Turn, ...]
    merge: str

    def __call__(self, inputs: Sequence[NDArray[Any] | None]) -> list[NDArray[Any]]:
        """Run the network; see `bioimageio_core.registry.WeightsAdapter`."""
        merged: list[NDArray[np.float32]] = []
        combine = np.maximum if self.merge == "max" else np.add
        for turn in self.turns:
            turned = [
                None if a is None else np.ascontiguousarray(turn.apply(a, t.axes)) for a, t in zip(inputs, self.pipeline.inputs, strict=True)
            ]
            found = [_turned_back(turn, np.asarray(a), t) for a, t in zip(self.network(turned), self.pipeline.outputs, strict=False)]
            if not merged:
                merged = [a.astype(np.float32) for a in found]
                continue
            for total, array, tensor in zip(merged, found, self.pipeline.outputs, strict=False):
                if array.shape != total.shape:
                    raise ModelRunError(
                        f"output {tensor.id!r} of the turned block has the shape {array.shape}, turned back: expected {total.shape}"
                    )
                combine(total, array, out=total, casting="unsafe")
        return merged if self.merge == "max" else [total / np.float32(len(self.turns)) for total in merged]

    def close(self) -> None:
        """Free the network."""
        self.network.close()


def _turned_back(turn: Turn, array: NDArray[Any], tensor: PipelineTensor) -> NDArray[Any]:
    if array.ndim != len(tensor.axes):
        raise ModelRunError(f"output {tensor.id!r} of the network has the shape {array.shape}: expected axes {', '.join(tensor.axes)}")
    return turn.undo(array, tensor.axes)


def _everywhere(axis: AxisId, pipeline: Pipeline) -> bool:
    """Return whether every input has the axis, in space."""
    return all(("space", axis) in zip(t.kinds, t.axes, strict=True) for t in pipeline.inputs)


def _check_everywhere(axis: AxisId, pipeline: Pipeline) -> None:
    for tensor in pipeline.inputs:
        if not _everywhere(axis, attrs.evolve(pipeline, inputs=(tensor,))):
            spatial = [a for a, kind in zip(tensor.axes, tensor.kinds, strict=True) if kind == "space"]
            raise InputError(
                f"run mode 'tta' cannot turn input {tensor.id!r} along axis {axis!r}: expected one of its spatial axes "
                f"({', '.join(spatial) or 'it has none'})"
            )


def _why_not(tensor: PipelineTensor, first: AxisId, second: AxisId) -> str:
    """Return why two axes of a tensor can not be turned into each other; empty where they can, or where it has neither."""
    has = [a for a in (first, second) if a in tensor.axes]
    if len(has) == 1:
        return f"output {tensor.id!r} has only {has[0]} of the two"
    sizes = dict(zip(tensor.axes, tensor.sizes, strict=False))
    one, other = sizes.get(first), sizes.get(second)
    if one is None or other is None:
        return ""
    follows = {first: second, second: first}
    if other.follows is not None:
        other = attrs.evolve(other, follows=(other.follows[0], follows.get(other.follows[1], other.follows[1])))
    return "" if one == other else f"{tensor.id!r} differs in its sizes along {first} and {second}"
