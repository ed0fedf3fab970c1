"""The geometry of a network as data: sizes that it takes, ratios, stride and receptive field along every axis."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from math import ceil, lcm
from typing import TYPE_CHECKING, Any

import attrs

from ...blocks import FixedSize, Size, SteppedSize
from ...shown import Shown
from ...typing import AxisId

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["AnalysedAxis", "AnalysedOutputAxis", "NetworkAnalysis"]


@attrs.frozen(kw_only=True)
class AnalysedOutputAxis:
    """An output axis that follows an input axis: its size is ``floor(size * ratio) + offset`` pixels."""

    tensor: str
    axis: AxisId
    ratio: Fraction
    """Output pixels per input pixel."""

    offset: int
    """In output pixels; negative for convolutions without padding."""

    halo: int | None
    """Output pixels at either end of a block that depend on pixels beyond it, where blocks start at multiples of the network's stride.
    None: every pixel depends on the complete axis, and no halo is large enough."""

    halo_anywhere: int | None
    """The same where blocks start anywhere."""

    local_halo: int | None = None
    """Where `halo` is None: an estimate of how far the effect of a pixel exceeds the effect that it has everywhere, in output pixels."""

    exact: bool = False
    """Whether the halo follows from where not-a-numbers spread in the network. Otherwise it follows from differences of outputs, which may
    miss weak effects."""


@attrs.frozen(kw_only=True)
class AnalysedAxis:
    """An input axis, with the axes of other inputs whose sizes follow it."""

    axis: AxisId
    inputs: tuple[tuple[str, Fraction], ...]
    """Ids of the inputs that have the axis, and their pixels per pixel of the first."""

    size: Size
    """Sizes of the first input that the network takes."""

    stride: int | None
    """Smallest shift of the input that shifts all outputs equally, as a rule the product of the pooling factors; None: none was found."""

    outputs: tuple[AnalysedOutputAxis, ...]

    @property
    def grain(self) -> int:
        """Smallest distance of block origins that are multiples of the stride, if there is one, and lie on whole output pixels."""
        return lcm(self.stride or 1, *(o.ratio.denominator for o in self.outputs))

    def sufficient_halo(self, output: AnalysedOutputAxis, need: int) -> int:
        """Return the smallest halo not below ``need`` that is a multiple of the stride, in pixels of ``output``."""
        steps = ceil(need / (self.grain * output.ratio))
        return int(steps * self.grain * output.ratio)


@attrs.frozen(kw_only=True, repr=False)
class NetworkAnalysis(Shown):
    """The geometry of a network, found by calling it."""

    adapter: str = ""
    """Name of the adapter that ran it."""

    weights_format: str = ""
    axes: tuple[AnalysedAxis, ...]
    """Axes other than batch and channels."""

    output_shapes: tuple[tuple[int, ...], ...] = ()
    """Shapes of the outputs for the inputs that the analysis started from."""

    calls: int = 0
    """Number of calls of the network."""

    def __repr__(self) -> str:
        axes = "; ".join(
            f"{one.axis}: sizes {one.size}, stride {one.stride}, halo {', '.join(str(o.halo) for o in one.outputs)}" for one in self.axes
        )
        return f"<NetworkAnalysis of {self.weights_format or 'a network'}: {axes or 'no axis of space'}>"

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; ratios are text such as ``1/2``, a size is a number or has the keys ``min`` and ``step``."""
        plain: dict[str, Any] = _converter().unstructure(self)
        return plain

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NetworkAnalysis:
        """Return the analysis that `as_dict` was called on.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: The data is something else.

        """
        return _converter().structure(data, cls)


@cache
def _converter() -> Converter:
    from cattrs import Converter

    converter = Converter(detailed_validation=False, unstruct_collection_overrides={tuple: list})
    converter.register_unstructure_hook(Fraction, str)
    converter.register_structure_hook(Fraction, lambda value, _: Fraction(value))
    converter.register_unstructure_hook(Size, lambda s: s.value if isinstance(s, FixedSize) else {"min": s.min, "step": s.step})
    converter.register_structure_hook(Size, lambda v, _: FixedSize(v) if isinstance(v, int) else SteppedSize(v["min"], v["step"]))
    inputs = tuple[tuple[str, Fraction], ...]
    converter.register_unstructure_hook_func(lambda t: t == inputs, lambda pairs: {name: str(ratio) for name, ratio in pairs})
    converter.register_structure_hook_func(lambda t: t == inputs, lambda v, _: tuple((name, Fraction(r)) for name, r in v.items()))
    return converter
