"""Weights formats, adapters and converters that each break one rule, and some that break none; run by `test_kit_finds`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import attrs
import numpy as np
import pytest

from bioimageio_core.errors import InputError, ModelRunError
from bioimageio_core.registry import WeightsAdapterEntry, WeightsConverterEntry, WeightsFormatEntry, hookimpl
from bioimageio_core.spec.model.weights import WeightsEntryV05
from bioimageio_core.spec.node import Node, node
from bioimageio_core.testing import WeightsAdapterConformance, WeightsConverterConformance, WeightsExample, WeightsFormatConformance


@node
class GoodWeights(WeightsEntryV05):
    """Nothing more."""


@node
class FilelessWeights(Node):
    url: Literal["x"] = "x"


class TestFormatGood(WeightsFormatConformance):
    plugin = __name__
    entry = WeightsFormatEntry(name="numbers", descr={"0.5": GoodWeights})


class TestFormatWithoutFile(WeightsFormatConformance):
    plugin = __name__
    entry = WeightsFormatEntry(name="numbers", descr={"0.5": FilelessWeights})


class Adapter:
    """Doubles."""

    def __init__(self, context: Any) -> None:
        if context.device != "cpu":
            raise InputError(f"device {context.device} is not usable")
        if Path(context.path).read_bytes() != b"double":
            raise ModelRunError("the file holds no weights")

    def __call__(self, inputs: Sequence[Any]) -> Any:
        return [array * np.float32(2) for array in inputs]

    def close(self) -> None:
        pass


class SharedState(Adapter):
    def __call__(self, inputs: Sequence[Any]) -> Any:
        self.inputs = inputs
        time.sleep(1e-5)
        return [array * np.float32(2) for array in self.inputs]


class SameBuffer(Adapter):
    buffer = np.zeros((1, 1, 8, 8), np.float32)

    def __call__(self, inputs: Sequence[Any]) -> Any:
        if inputs[0].shape != self.buffer.shape:
            raise ModelRunError(f"the network cannot take {inputs[0].shape}")
        return [np.multiply(inputs[0], 2, out=self.buffer)]


class Wrong(Adapter):
    def __call__(self, inputs: Sequence[Any]) -> Any:
        return [array * np.float32(2.1) for array in inputs]


class AnyDevice(Adapter):
    def __init__(self, context: Any) -> None:
        super().__init__(attrs.evolve(context, device="cpu"))


class Traceback(Adapter):
    def __init__(self, context: Any) -> None:
        if Path(context.path).read_bytes() != b"double":
            raise KeyError("layers")
        super().__init__(context)


class OneLoad(Adapter):
    loads = 0

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        if type(self).loads:
            raise RuntimeError("session exists")
        type(self).loads += 1


def adapter(cls: type, **more: Any) -> WeightsAdapterEntry:
    return WeightsAdapterEntry(name="doubling", weights_format="numbers", requires=(), load=lambda: cls, **more)


class AdapterTest(WeightsAdapterConformance):
    plugin = __name__

    @pytest.fixture
    def example(self, tmp_path: Path) -> WeightsExample:
        (tmp_path / "weights.bin").write_bytes(b"double")
        image = np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8)
        return WeightsExample(path=tmp_path / "weights.bin", inputs=[image], outputs=[image * 2])


class TestAdapterGood(AdapterTest):
    entry = adapter(Adapter)


class TestAdapterSharedState(AdapterTest):
    entry = adapter(SharedState)


class TestAdapterSharedStateSaid(AdapterTest):
    entry = adapter(SharedState, thread_safe=False)


class TestAdapterSameBuffer(AdapterTest):
    entry = adapter(SameBuffer, thread_safe=False)


class TestAdapterWrong(AdapterTest):
    entry = adapter(Wrong)


class TestAdapterAnyDevice(AdapterTest):
    entry = adapter(AnyDevice)


class TestAdapterTraceback(AdapterTest):
    entry = adapter(Traceback)


class TestAdapterOneLoad(AdapterTest):
    entry = adapter(OneLoad)


def convert(context: Any) -> Any:
    content = Path(context.source.path).read_bytes()
    if content != b"double":
        raise ModelRunError("the file holds no weights")
    context.target.write_bytes(content)
    return {"opset_version": 17}


def leaves_target(context: Any) -> Any:
    context.target.write_bytes(b"half")
    return convert(context)


def misses_fields(context: Any) -> Any:
    convert(context)
    return {}


def writes_the_source(context: Any) -> Any:
    fields = convert(context)
    Path(context.source.path).write_bytes(b"gone")
    return fields


def converter(run: Callable[[Any], Any]) -> WeightsConverterEntry:
    return WeightsConverterEntry(name="to_onnx", from_format="torchscript", to_format="onnx", requires=(), load=lambda: run)


class ConverterTest(WeightsConverterConformance):
    plugin = __name__
    example = AdapterTest.example

    def test_same_outputs(self) -> None:  # type: ignore[override]
        """Left out: these converters write no graph."""


class TestConverterGood(ConverterTest):
    entry = converter(convert)


class TestConverterLeavesTarget(ConverterTest):
    entry = converter(leaves_target)


class TestConverterMissesFields(ConverterTest):
    entry = converter(misses_fields)


class TestConverterWritesTheSource(ConverterTest):
    entry = converter(writes_the_source)


@hookimpl
def bioimageio_weights_formats() -> Any:
    yield TestFormatGood.entry


@hookimpl
def bioimageio_weights_adapters() -> Any:
    yield adapter(Adapter)


@hookimpl
def bioimageio_weights_converters() -> Any:
    yield converter(convert)
