"""A plugin for tests of conversions: weights ``npz`` hold a gain, and can be written as an ONNX graph that multiplies, rightly or not."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from made_models import save_graph
from onnx import helper

from bioimageio_core.errors import ModelRunError
from bioimageio_core.registry import (
    AdapterContext,
    ConverterContext,
    WeightsAdapterEntry,
    WeightsConverterEntry,
    WeightsFormatEntry,
    hookimpl,
)
from bioimageio_core.spec.model.weights import WeightsEntryV05
from bioimageio_core.spec.node import node

FAULT = {"of": ""}
"""What the converter does wrong."""


@node
class NpzWeightsDescr(WeightsEntryV05):
    """A gain."""


class NpzNetwork:
    """The product."""

    def __init__(self, context: AdapterContext) -> None:
        with np.load(context.path) as arrays:
            self.gain = arrays["gain"]

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        return [inputs[0] * self.gain]

    def close(self) -> None:
        """Nothing to free."""


def convert(context: ConverterContext) -> Mapping[str, Any]:
    """Write an ONNX graph, with the fault that is asked for."""
    fault = FAULT["of"]
    if fault == "refuses":
        raise ModelRunError("the gain is too complex to be exported: make it simpler")
    if fault == "raises":
        raise KeyError("gain")
    if fault == "writes nothing":
        return {"opset_version": 17}
    with np.load(context.source.path) as arrays:
        gain = arrays["gain"]
    if fault == "altered":
        gain = gain * np.float32(1.002)
    shape = context.inputs[0].shape if fault == "one size" else context.inputs[0].ndim
    assert context.variable_axes == ({"batch", "y", "x"}, {"batch", "y", "x"})
    nodes = [helper.make_node("Mul", ["raw", "gain"], ["out"])]
    more: dict[str, np.ndarray] = {}
    if fault == "one branch":  # right for bright images alone
        nodes = [
            helper.make_node("ReduceMean", ["raw"], ["mean"], keepdims=0),
            helper.make_node("Greater", ["mean", "threshold"], ["bright"]),
            helper.make_node("Mul", ["raw", "gain"], ["product"]),
            helper.make_node("Where", ["bright", "product", "raw"], ["out"]),
        ]
        more = {"threshold": np.float32(1.5)}
    if fault == "noisy":
        print("graph():")
        os.write(1, b"%0 = aten::mul\n")
        os.write(2, b"W0101 exporter.cpp:7\n")
        warnings.warn("the gain is exported as a constant\nof this value", stacklevel=2)
        warnings.warn("this exporter is old", DeprecationWarning, stacklevel=2)
    if fault == "truncated":
        context.target.write_bytes(b"\x08\x08")
    else:
        save_graph(context.target, nodes, {"raw": shape}, {"out": shape}, gain=gain, **more)
    return {"opset_version": "many" if fault == "wrong fields" else 17}


@hookimpl
def bioimageio_weights_formats() -> Iterator[WeightsFormatEntry]:
    """Yield the format."""
    yield WeightsFormatEntry(name="npz", descr={"0.5": NpzWeightsDescr}, suffix=".npz")
    yield WeightsFormatEntry(name="npz64", descr={"0.5": NpzWeightsDescr}, suffix=".npz")


@hookimpl
def bioimageio_weights_adapters() -> Iterator[WeightsAdapterEntry]:
    """Yield what runs it."""
    yield WeightsAdapterEntry(name="npz_numpy", weights_format="npz", requires=("numpy",), load=lambda: NpzNetwork)


@hookimpl
def bioimageio_weights_converters() -> Iterator[WeightsConverterEntry]:
    """Yield the converters."""
    yield WeightsConverterEntry(name="npz_onnx", from_format="npz", to_format="onnx", requires=("onnx",), load=lambda: convert)
    yield WeightsConverterEntry(
        name="npz_better", from_format="npz", to_format="onnx", requires=("nonesuch",), load=lambda: convert, preference=9
    )
    yield WeightsConverterEntry(
        name="npz_far", from_format="npz", to_format="torchscript", requires=("nonesuch",), load=lambda: convert, extra="nonesuch[all]"
    )
    yield WeightsConverterEntry(name="npz_npz64", from_format="npz", to_format="npz64", requires=("numpy",), load=lambda: _copied)


def _copied(context: ConverterContext) -> Mapping[str, Any]:
    with np.load(context.source.path) as arrays:
        np.savez(context.target, **arrays)
    return {}
