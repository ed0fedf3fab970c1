"""Halos and steps that are too small for a network, by its analysis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import attrs

from ...blocks import FixedSize, SteppedSize
from ...typing import AxisId
from ..model.tensor_spec import ModelIO
from .network_geometry import AnalysedAxis, AnalysedOutputAxis, NetworkAnalysis

__all__ = ["Shortfall", "measured_halos", "shortfalls"]

LARGEST_GUESS = 32
"""Largest stride that planning assumes for a network of fixed size."""


@attrs.frozen(kw_only=True)
class Shortfall:
    """A halo or step that is too small for the network."""

    kind: Literal["halo", "step"]
    tensor: str
    axis: str
    described: int
    """The described value, or the one that options give in its place."""

    measured: int | None
    """The smallest sufficient value; None: no value is sufficient."""

    remedy: str
    """Options that help; empty where none does."""

    def in_words(self) -> str:
        """Return the shortfall as a sentence."""
        where = f"axis {self.axis!r} of {self.tensor!r}"
        if self.kind == "step":
            return (
                f"the step of {where} is {self.described}, the measured stride of the network is {self.measured}: "
                f"blocks may start at another phase of the network; predict with {self.remedy}"
            )
        if self.measured is None:
            return (
                f"the halo of {where} is {self.described}, but every pixel depends on the complete axis, "
                "as with statistics of the image or attention: with any halo, blocks differ from one prediction of the image; "
                f"prefer a single block where it fits{f', or predict with {self.remedy}' if self.remedy else ''}"
            )
        return (
            f"the halo of {where} is {self.described}, but the network reaches {self.measured} pixels, so there are seams between blocks: "
            f"predict with {self.remedy}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {**attrs.asdict(self), "message": self.in_words()}


def shortfalls(
    io: ModelIO, analysis: NetworkAnalysis, *, halo: Mapping[AxisId, int] | None = None, stride: Mapping[AxisId, int] | None = None
) -> tuple[Shortfall, ...]:
    """Return the axes whose halo is smaller than the receptive field, or whose step is not a multiple of the network's stride.

    Args:
        io: Inputs and outputs of the model, with the described halos and steps.
        analysis: The analysis of its network.
        halo: Halos by output axis, in output pixels, in place of the described ones.
        stride: Steps by input axis, in input pixels, in place of those that follow from the description.

    """
    return tuple(s for axis in analysis.axes for s in (*_of_step(io, axis, stride or {}), *_of_halos(io, axis, halo or {})))


def measured_halos(io: ModelIO, analysis: NetworkAnalysis) -> dict[AxisId, int]:
    """Return the smallest sufficient halo of every output axis in output pixels; where none is sufficient, one for local effects."""
    halos: dict[AxisId, int] = {}
    for axis in analysis.axes:
        for output in axis.outputs:
            reach = output.halo if output.halo is not None else output.local_halo or 0
            halos[output.axis] = max(halos.get(output.axis, 0), axis.sufficient_halo(output, reach))
    return halos


def _of_step(io: ModelIO, axis: AnalysedAxis, given: Mapping[AxisId, int]) -> Iterator[Shortfall]:
    described = io.tensor(axis.inputs[0][0]).axis(axis.axis)
    if described is None or axis.stride is None or not axis.outputs:
        return
    size = described.size
    if axis.axis in given:
        step = given[axis.axis]
    elif isinstance(size, SteppedSize):
        step = size.step
    elif isinstance(size, FixedSize):
        step = min(size.value & -size.value, LARGEST_GUESS)  # as planning assumes
    else:
        return
    if step % axis.stride:
        remedy = f"network_stride={{'{axis.axis}': {axis.stride}}} (--network-stride {axis.axis}={axis.stride})"
        yield Shortfall(kind="step", tensor=axis.inputs[0][0], axis=axis.axis, described=step, measured=axis.stride, remedy=remedy)


def _of_halos(io: ModelIO, axis: AnalysedAxis, given: Mapping[AxisId, int]) -> Iterator[Shortfall]:
    for output in axis.outputs:
        described = io.tensor(output.tensor).axis(output.axis)
        if described is None:
            continue
        halo = given.get(output.axis, described.halo)
        need = _need(io, axis, output, halo)
        if need is None:
            local = axis.sufficient_halo(output, output.local_halo or 0)
            remedy = _larger_halo(output.axis, local) if local > halo else ""
            yield Shortfall(kind="halo", tensor=output.tensor, axis=output.axis, described=halo, measured=None, remedy=remedy)
        elif halo < need:
            remedy = _larger_halo(output.axis, axis.sufficient_halo(output, need))
            yield Shortfall(kind="halo", tensor=output.tensor, axis=output.axis, described=halo, measured=need, remedy=remedy)


def _need(io: ModelIO, axis: AnalysedAxis, output: AnalysedOutputAxis, halo: int) -> int | None:
    """Return the required halo; blocks of a fixed size start a halo before the grid, which may not be a multiple of the stride."""
    base = io.tensor(axis.inputs[0][0]).axis(axis.axis)
    fixed = base is not None and isinstance(base.size, FixedSize)
    whole_strides = (halo / output.ratio) % axis.grain == 0
    return output.halo if whole_strides or not fixed else output.halo_anywhere


def _larger_halo(axis: AxisId, halo: int) -> str:
    return f'halo="measured" (--halo measured, or --halo {axis}={halo})'
