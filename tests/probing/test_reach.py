"""How far pixels reach, against arithmetic."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import lcm, prod
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import onnxruntime
import pytest
import torch
from bioimageio_core.blocks import FixedSize, SteppedSize
from bioimageio_core.errors import ModelRunError
from bioimageio_core.probing.measure import measure_network
from bioimageio_core.probing.measured import MeasuredAxis, MeasuredNetwork, MeasuredOutputAxis
from bioimageio_core.probing.signature import ProbedInput, ProbedOutput, Signature
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from torch import nn

AXES = {1: ("x",), 2: ("y", "x"), 3: ("z", "y", "x")}


def of_torch(module: nn.Module) -> Callable[[Sequence[Any]], list[np.ndarray]]:
    """Return a module as a network."""
    module = module.eval()

    def call(inputs: Sequence[Any]) -> list[np.ndarray]:
        try:
            with torch.inference_mode():
                result = module(*(torch.from_numpy(i) for i in inputs))
        except RuntimeError as error:
            raise ModelRunError(str(error)) from error
        return [r.numpy() for r in (result if isinstance(result, tuple) else (result,))]

    return call


def of_onnx(module: nn.Module, example: torch.Tensor, path: Path) -> Callable[[Sequence[Any]], list[np.ndarray]]:
    """Return a module as a network on ONNX Runtime, which drops not-a-number in rectifiers and poolings."""
    dims = {0: "b", **{n: f"d{n}" for n in range(2, example.ndim)}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(), (example,), str(path), dynamo=False, input_names=["i"], output_names=["o"], dynamic_axes={"i": dims, "o": dims}
        )
    return of_session(path)


def of_session(path: Path) -> Callable[[Sequence[Any]], list[np.ndarray]]:
    """Return an ONNX file as a network."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]

    def call(inputs: Sequence[Any]) -> list[np.ndarray]:
        try:
            return list(session.run(None, dict(zip(names, inputs, strict=True))))
        except Exception as error:
            raise ModelRunError(str(error)) from error

    return call


def signature(*shapes: Sequence[int], outputs: int = 1, fixed: bool = False) -> Signature:
    """Return the signature of a network with batch, channels and one to three axes of space."""
    axes = AXES[len(shapes[0]) - 2]
    return Signature(
        inputs=tuple(ProbedInput(id=f"in{n}", axes=("batch", "channel", *axes), dtype="float32", shape=tuple(s)) for n, s in enumerate(shapes)),
        outputs=tuple(ProbedOutput(id=f"out{n}", axes=("batch", "channel", *axes)) for n in range(outputs)),
        probed=axes,
        fixed=frozenset((f"in{n}", a) for n in range(len(shapes)) for a in axes) if fixed else frozenset(),
    )


def only(measured: MeasuredNetwork, axis: str = "x") -> tuple[MeasuredAxis, MeasuredOutputAxis]:
    """Return an axis and the one output axis that follows it."""
    found = next(a for a in measured.axes if a.axis == axis)
    (output,) = found.outputs
    return found, output


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
        axis, output = only(measure_network(of_torch(nn.Sequential(*modules)), signature((1, 1, 96))))
        ratio = Fraction(1)
        for layer in layers:
            ratio *= {"pool": Fraction(1, layer.size), "max": Fraction(1, layer.size), "up": Fraction(layer.size)}.get(layer.kind, Fraction(1))
        assert output.ratio == ratio
        assert output.exact
        assert axis.stride is not None
        assert output.halo == computed_halo(layers, ratio, output.offset, axis.grain)
        assert output.halo_anywhere is not None
        assert output.halo_anywhere >= output.halo
        granularity, factor = 1, Fraction(1)
        for layer in layers:
            factor *= {"pool": Fraction(1, layer.size), "max": Fraction(1, layer.size), "up": Fraction(layer.size)}.get(layer.kind, Fraction(1))
            granularity = lcm(granularity, factor.denominator)
        assert granularity % axis.stride == 0 or axis.stride == granularity
