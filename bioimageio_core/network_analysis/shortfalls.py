"""Halos and steps that a description gives too small for its network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import attrs

from ..blocks import FixedSize, SteppedSize
from ..prediction.model.tensor_spec import AxisIO, ModelIO
from .network_geometry import AnalysedAxis, AnalysedOutputAxis, NetworkAnalysis

__all__ = ["Shortfall", "shortfalls"]

LARGEST_GUESS = 32
"""Largest stride that planning assumes for a network of fixed size."""


@attrs.frozen(kw_only=True)
class Shortfall:
    """A halo or step that is described too small."""

    kind: Literal["halo", "step"]
    tensor: str
    axis: str
    described: int
    measured: int | None
    """The smallest sufficient value; None: no value is sufficient."""

    remedy: str
    """Options for ``bmz predict``; empty where no option helps."""

    def in_words(self) -> str:
        """Return the shortfall as a sentence."""
        where = f"axis {self.axis!r} of {self.tensor!r}"
        if self.kind == "step":
            return (
                f"the step of {where} is described as {self.described}, the measured stride of the network is {self.measured}: "
                f"blocks may start at another phase of the network; predict with {self.remedy}"
            )
        if self.measured is None:
            return (
                f"the halo of {where} is described as {self.described}, but every pixel depends on the whole axis, "
                "as with statistics of the image or attention: with any halo, blocks differ from one prediction of the image; "
                f"prefer a single block where it fits{f', or at least {self.remedy}' if self.remedy else ''}"
            )
        return f"the halo of {where} is described as {self.described}, measured {self.measured}: predict with {self.remedy}"

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {**attrs.asdict(self), "message": self.in_words()}


def shortfalls(io: ModelIO, measured: NetworkAnalysis) -> tuple[Shortfall, ...]:
    """Return the axes whose described halo is smaller than the receptive field, or whose step is not a multiple of the stride."""
    return tuple(s for axis in measured.axes for s in (*_of_step(io, axis), *_of_halos(io, axis)))


def _of_step(io: ModelIO, axis: AnalysedAxis) -> Iterator[Shortfall]:
    described = io.tensor(axis.inputs[0][0]).axis(axis.axis)
    if described is None or axis.stride is None or not axis.outputs:
        return
    size = described.size
    if isinstance(size, SteppedSize):
        step = size.step
    elif isinstance(size, FixedSize):
        step = min(size.value & -size.value, LARGEST_GUESS)  # as planning assumes
    else:
        return
    if step % axis.stride:
        remedy = f"--network-stride {axis.axis}={axis.stride}"
        yield Shortfall(kind="step", tensor=axis.inputs[0][0], axis=axis.axis, described=step, measured=axis.stride, remedy=remedy)


def _of_halos(io: ModelIO, axis: AnalysedAxis) -> Iterator[Shortfall]:
    for output in axis.outputs:
        described = io.tensor(output.tensor).axis(output.axis)
        if described is None:
            continue
        need = _need(io, axis, output, described)
        if need is None:
            local = axis.sufficient_halo(output, output.local_halo or 0)
            remedy = f"--halo {output.axis}={local}" if local > described.halo else ""
            yield Shortfall(kind="halo", tensor=output.tensor, axis=output.axis, described=described.halo, measured=None, remedy=remedy)
        elif described.halo < need:
            remedy = f"--halo {output.axis}={axis.sufficient_halo(output, need)}"
            yield Shortfall(kind="halo", tensor=output.tensor, axis=output.axis, described=described.halo, measured=need, remedy=remedy)


def _need(io: ModelIO, axis: AnalysedAxis, output: AnalysedOutputAxis, described: AxisIO) -> int | None:
    """Return the required halo; blocks of a fixed size start a halo before the grid, which may not be a multiple of the stride."""
    base = io.tensor(axis.inputs[0][0]).axis(axis.axis)
    fixed = base is not None and isinstance(base.size, FixedSize)
    whole_strides = (described.halo / output.ratio) % axis.grain == 0
    return output.halo if whole_strides or not fixed else output.halo_anywhere
