"""The implementation of the run mode ``tta``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from bioimageio_core.errors import InputError, ModelRunError
from bioimageio_core.registry import Pipeline, PipelineSize, PipelineTensor, WeightsAdapter
from bioimageio_core.typing import AxisId, FrozenMapping

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
            InputError: The network cannot run in this way.

        """
        for tensor in pipeline.outputs:
            for axis, size in zip(tensor.axes, tensor.sizes, strict=False):
                if size == PipelineSize():
                    raise _refusal(f"cannot merge output {tensor.id!r}, whose size along axis {axis!r} the network decides on")
        flips, (plane, left_out) = self._flips(pipeline), self._plane(pipeline)
        if not flips and not plane:
            why = left_out or next((r for a in PLANE if (r := _lacking(a, pipeline))), "both are switched off")
            raise _refusal(f"has no axes to flip or rotate: {why}")
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
            return tuple(a for a in PLANE if flips and not _lacking(a, pipeline))
        reason = next((r for a in flips if (r := _lacking(a, pipeline))), "")
        if reason:
            raise _refusal(f"cannot flip along what it was asked to: {reason}")
        return flips

    def _plane(self, pipeline: Pipeline) -> tuple[tuple[AxisId, ...], str]:
        """Return the two axes that are turned into each other, if any, and why those that could be are not."""
        asked = self.kwargs.rotations
        if asked is False:
            return (), ""
        first, second = PLANE if asked is True else asked
        reasons = [_lacking(first, pipeline), _lacking(second, pipeline)]
        reasons += [_unequal(tensor, first, second) for tensor in (*pipeline.inputs, *pipeline.outputs)]
        reason = next(filter(None, reasons), "")
        if reason and asked is not True:
            raise _refusal(f"cannot turn {first} into {second}: {reason}")
        return ((), reason) if reason else ((first, second), "")


@attrs.frozen
class TurnedNetwork:
    """Calls a network once for every way of turning its inputs, and merges what it returns in float32."""

    network: WeightsAdapter
    pipeline: Pipeline
    turns: tuple[Turn, ...]
    merge: str

    def __call__(self, inputs: Sequence[NDArray[Any] | None]) -> list[NDArray[Any]]:
        """Run the network; see `bioimageio_core.registry.WeightsAdapter`."""
        merged = self._turned(self.turns[0], inputs)
        for turn in self.turns[1:]:
            for total, array, tensor in zip(merged, self._turned(turn, inputs), self.pipeline.outputs, strict=True):
                if array.shape != total.shape:
                    raise ModelRunError(
                        f"output {tensor.id!r} has the shape {array.shape} where the input is turned: expected {total.shape}"
                    )
                (np.maximum if self.merge == "max" else np.add)(total, array, out=total)
        return merged if self.merge == "max" else [total / np.float32(len(self.turns)) for total in merged]

    def close(self) -> None:
        """Free the network."""
        self.network.close()

    def _turned(self, turn: Turn, inputs: Sequence[NDArray[Any] | None]) -> list[NDArray[np.float32]]:
        """Return the outputs for turned inputs, turned back; copies, which may be changed."""
        pairs = zip(inputs, self.pipeline.inputs, strict=True)
        outputs = self.network([None if a is None else np.ascontiguousarray(turn.apply(a, t.axes)) for a, t in pairs])
        found: list[NDArray[np.float32]] = []
        for array, tensor in zip(outputs, self.pipeline.outputs, strict=False):
            if array.ndim != len(tensor.axes):
                raise ModelRunError(f"output {tensor.id!r} has the shape {array.shape}: expected the axes {', '.join(tensor.axes)}")
            found.append(turn.undo(array, tensor.axes).astype(np.float32))
        if len(found) < len(self.pipeline.outputs):
            raise ModelRunError(f"the network returned {len(found)} outputs: expected {len(self.pipeline.outputs)}")
        return found


def _refusal(message: str) -> InputError:
    return InputError(f"run mode 'tta' {message}")


def _lacking(axis: AxisId, pipeline: Pipeline) -> str:
    """Return the first input that lacks the axis; empty where all have it."""
    lacking = [t.id for t in pipeline.inputs if ("space", axis) not in zip(t.kinds, t.axes, strict=True)]
    return f"input {lacking[0]!r} has no spatial axis {axis!r}" if lacking else ""


def _unequal(tensor: PipelineTensor, first: AxisId, second: AxisId) -> str:
    """Return why two axes of a tensor cannot be rotated into each other; empty where they can, or where it has neither."""
    if (first in tensor.axes) != (second in tensor.axes):
        return f"{tensor.id!r} has only one of the two axes"
    sizes = dict(zip(tensor.axes, tensor.sizes, strict=False))
    one, other = sizes.get(first), sizes.get(second)
    if other is not None and other.follows is not None and other.follows[1] == second:
        other = attrs.evolve(other, follows=(other.follows[0], first))
    return "" if one == other else f"{tensor.id!r} has other sizes along {first} than along {second}"
