"""How far pixels reach, against arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm, prod
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from networks_to_measure import of_torch, only, signature

from bioimageio_core.network_analysis.analyse_network import analyse_network

torch: Any = pytest.importorskip("torch")
nn: Any = torch.nn


@attrs.frozen(kw_only=True)
class Layer:
    """A convolution, a pooling by its factor, or an enlargement to the nearest pixel, along one axis."""

    kind: str
    size: int = 1
    dilation: int = 1

    def module(self, channels: int) -> nn.Module:
        """Return the layer, with weights of which none is small."""
        if self.kind in ("conv", "valid"):
            padding = 0 if self.kind == "valid" else self.dilation * (self.size // 2)
            made = nn.Conv1d(channels, 2, self.size, dilation=self.dilation, padding=padding)
            with torch.no_grad():
                made.weight.copy_(torch.where(torch.rand_like(made.weight) < 0.5, -1.0, 1.0) * (0.5 + torch.rand_like(made.weight)))
            return made
        return {"pool": nn.AvgPool1d(self.size), "max": nn.MaxPool1d(self.size), "up": nn.Upsample(scale_factor=self.size)}[self.kind]

    def reads(self, first: int, last: int) -> tuple[int, int]:
        """Return the pixels that the layer reads for a range of what it returns."""
        if self.kind == "conv":
            half = self.dilation * (self.size // 2)
            return first - half, last + half
        if self.kind == "valid":
            return first, last + self.dilation * (self.size - 1)
        if self.kind == "up":
            return first // self.size, last // self.size
        return first * self.size, last * self.size + self.size - 1


def computed_halo(layers: Sequence[Layer], ratio: Fraction, offset: int, grid: int) -> int:
    """Return the halo that blocks with origins on a grid need, by following every output pixel of one period back to what it reads."""
    before = behind = 0
    period = int(grid * ratio)
    for pixel in range(100 * period, 101 * period):
        first = last = pixel
        for layer in reversed(layers):
            first, last = layer.reads(first, last)
        before = max(before, 100 * grid - first)
        behind = max(behind, last + 1 - 101 * grid)
    for pixel in range(101 * period - 40 * period, 101 * period):  # pixels of the block farther from its end may read beyond, too
        last = pixel
        for layer in reversed(layers):
            last = layer.reads(last, last)[1]
        behind = max(behind, last + 1 - 101 * grid)
    needs = (before * ratio, behind * ratio + min(offset, 0), Fraction(0))
    return max(-(-n.numerator // n.denominator) for n in needs)


LAYERS = st.one_of(
    st.builds(Layer, kind=st.just("conv"), size=st.sampled_from([1, 3, 5]), dilation=st.sampled_from([1, 2])),
    st.builds(Layer, kind=st.just("valid"), size=st.sampled_from([3, 5])),
    st.builds(Layer, kind=st.sampled_from(["pool", "max", "up"]), size=st.sampled_from([2, 3])),
)


def pooled(layers: Sequence[Layer]) -> int:
    """Return how many pixels are pooled to one."""
    return prod(layer.size for layer in layers if layer.kind in ("pool", "max"))


class TestStacks:
    """Stacks of layers whose reach is computed by arithmetic."""

    @given(layers=st.lists(LAYERS, min_size=1, max_size=5).filter(lambda some: pooled(some) <= 12), seed=st.integers(0, 1000))
    @example(layers=[Layer(kind="valid", size=5)], seed=0)
    @example(layers=[Layer(kind="pool", size=2), Layer(kind="up", size=2)], seed=0)
    @hypothesis_settings(max_examples=40, deadline=None)
    def test_halo_is_that_of_arithmetic(self, layers: list[Layer], seed: int) -> None:
        """Ratio, and halo on the measured stride and anywhere."""
        torch.manual_seed(seed)
        channels, modules = 1, []
        for layer in layers:
            modules.append(layer.module(channels))
            channels = 2 if layer.kind in ("conv", "valid") else channels
        axis, output = only(analyse_network(of_torch(nn.Sequential(*modules)), signature((1, 1, 96))))
        ratio = Fraction(1)
        for layer in layers:
            ratio *= {"pool": Fraction(1, layer.size), "max": Fraction(1, layer.size), "up": Fraction(layer.size)}.get(
                layer.kind, Fraction(1)
            )
        assert output.ratio == ratio
        assert output.exact
        assert axis.stride is not None
        assert output.halo == computed_halo(layers, ratio, output.offset, axis.grain)
        assert output.halo_anywhere is not None
        assert output.halo_anywhere >= output.halo
        granularity, factor = 1, Fraction(1)
        for layer in layers:
            factor *= {"pool": Fraction(1, layer.size), "max": Fraction(1, layer.size), "up": Fraction(layer.size)}.get(
                layer.kind, Fraction(1)
            )
            granularity = lcm(granularity, factor.denominator)
        assert granularity % axis.stride == 0 or axis.stride == granularity
