"""What was measured of a network, as data."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil, lcm
from typing import Any

import attrs

from ..blocks import FixedSize, Size, SteppedSize
from ..typing import AxisId

__all__ = ["AnalysedAxis", "AnalysedOutputAxis", "NetworkAnalysis"]


@attrs.frozen(kw_only=True)
class AnalysedOutputAxis:
    """An output axis that follows an input axis: ``floor(size * ratio) + offset`` pixels, and how far the input reaches into it."""

    tensor: str
    axis: AxisId
    ratio: Fraction
    """Output pixels per input pixel."""

    offset: int
    """In output pixels; negative for convolutions without padding."""

    halo: int | None
    """Output pixels at either end of a block that depend on what lies beyond it, where blocks start on multiples of the network's stride.
    None: every pixel depends on the whole axis, and no halo is enough."""

    halo_anywhere: int | None
    """The same where blocks start anywhere."""

    local_halo: int | None = None
    """Where `halo` is None: how far the effect of a pixel stands out from what it does everywhere; an estimate."""

    exact: bool = False
    """Not-a-numbers came through the network to wherever a pixel reaches. Else differences were looked at, which may miss weak ones."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; the ratio as a text, such as ``1/2``."""
        return {**attrs.asdict(self), "ratio": str(self.ratio)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AnalysedOutputAxis:
        """Return what `as_dict` was made of."""
        return cls(**{**data, "ratio": Fraction(data["ratio"])})


@attrs.frozen(kw_only=True)
class AnalysedAxis:
    """An input axis, and those of other inputs that have to go with it."""

    axis: AxisId
    inputs: tuple[tuple[str, Fraction], ...]
    """Ids of the inputs whose axis of this id it is, and their pixels per pixel of the first."""

    size: Size
    """Sizes that the network takes, of the first input."""

    stride: int | None
    """Smallest shift of the input that shifts all outputs alike, product of the pooling factors as a rule; None: none was found."""

    outputs: tuple[AnalysedOutputAxis, ...]

    @property
    def grain(self) -> int:
        """Least distance of block origins that lie on whole output pixels and on the stride, if there is one."""
        return lcm(self.stride or 1, *(o.ratio.denominator for o in self.outputs))

    def sufficient_halo(self, output: AnalysedOutputAxis, need: int) -> int:
        """Return the smallest halo not below ``need`` that is a whole number of strides, in pixels of ``output``."""
        steps = ceil(need / (self.grain * output.ratio))
        return int(steps * self.grain * output.ratio)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        size = self.size.value if isinstance(self.size, FixedSize) else {"min": self.size.min, "step": self.size.step}
        return {
            "axis": self.axis,
            "inputs": {name: str(ratio) for name, ratio in self.inputs},
            "size": size,
            "stride": self.stride,
            "outputs": [o.as_dict() for o in self.outputs],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AnalysedAxis:
        """Return what `as_dict` was made of."""
        size = data["size"]
        return cls(
            axis=data["axis"],
            inputs=tuple((name, Fraction(ratio)) for name, ratio in data["inputs"].items()),
            size=FixedSize(size) if isinstance(size, int) else SteppedSize(size["min"], size["step"]),
            stride=data["stride"],
            outputs=tuple(map(AnalysedOutputAxis.from_dict, data["outputs"])),
        )


@attrs.frozen(kw_only=True)
class NetworkAnalysis:
    """A network, measured."""

    adapter: str = ""
    """Name of the adapter that ran it."""

    weights_format: str = ""
    axes: tuple[AnalysedAxis, ...]
    """Without batch and channels."""

    output_shapes: tuple[tuple[int, ...], ...] = ()
    """What the network returned for the inputs that measuring started from."""

    calls: int = 0
    """How often the network was called."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "adapter": self.adapter,
            "weights_format": self.weights_format,
            "axes": [a.as_dict() for a in self.axes],
            "output_shapes": [list(s) for s in self.output_shapes],
            "calls": self.calls,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NetworkAnalysis:
        """Return what `as_dict` was made of.

        Raises:
            KeyError, TypeError, ValueError: It was made of something else.

        """
        return cls(
            adapter=data["adapter"],
            weights_format=data["weights_format"],
            axes=tuple(map(AnalysedAxis.from_dict, data["axes"])),
            output_shapes=tuple(tuple(map(int, s)) for s in data["output_shapes"]),
            calls=data["calls"],
        )
