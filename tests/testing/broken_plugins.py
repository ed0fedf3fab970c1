"""Entries that each break one rule, and one of each kind that breaks none; run by `test_kit_finds`, in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import attrs
import click
import numpy as np
import pytest

from bioimageio_core.errors import InputError, ModelRunError
from bioimageio_core.registry import (
    CommandEntry,
    ConsumerEntry,
    ForeignFormatEntry,
    Judgement,
    Measure,
    Needs,
    ProcessingOpEntry,
    RunModeEntry,
    WeightsAdapterEntry,
    WeightsConverterEntry,
    WeightsFormatEntry,
    hookimpl,
)
from bioimageio_core.spec.model.weights import WeightsEntryV05
from bioimageio_core.spec.node import Node, node
from bioimageio_core.testing import (
    CommandConformance,
    ConsumerConformance,
    ForeignFormatConformance,
    ProcessingOpConformance,
    RunModeConformance,
    WeightsAdapterConformance,
    WeightsConverterConformance,
    WeightsExample,
    WeightsFormatConformance,
)
from bioimageio_core.testing.fixtures import model_tree

# --- ops


@node
class FactorKwargs(Node):
    factor: float = 2.0


@node
class FactorDescr(Node):
    id: str = "factor"
    kwargs: FactorKwargs = FactorKwargs()


@attrs.define
class Op:
    """An op that is what its function is."""

    run: Callable[..., Any]
    state: Any = None

    def __call__(self, tensor: Any, measured: Any) -> Any:
        return self.run(self, tensor, measured)


def good(op: Op, tensor: Any, measured: Any) -> Any:
    return tensor.astype(np.float32) * np.float32(2)


def in_place(op: Op, tensor: Any, measured: Any) -> Any:
    result = tensor.astype(np.float32) * np.float32(2)
    tensor[...] = 0
    return result


def wrong_dtype(op: Op, tensor: Any, measured: Any) -> Any:
    return tensor.astype(np.float64) * 2


def neighbours(op: Op, tensor: Any, measured: Any) -> Any:
    return np.maximum(tensor, np.roll(tensor, 1, -1)).astype(np.float32)


def narrow_halo(op: Op, tensor: Any, measured: Any) -> Any:
    padded = np.pad(tensor.astype(np.float32), [(0, 0)] * 3 + [(2, 2)], mode="edge")
    return padded[..., 4:] + padded[..., :-4]


def own_mean(op: Op, tensor: Any, measured: Any) -> Any:
    return (tensor - tensor.mean()).astype(np.float32)


def given_mean(op: Op, tensor: Any, measured: Any) -> Any:
    (mean,) = measured.values()
    return (tensor - mean).astype(np.float32)


def shared_state(op: Op, tensor: Any, measured: Any) -> Any:
    op.state = tensor.astype(np.float32)
    time.sleep(0)
    return op.state * np.float32(2)


def counts_calls(op: Op, tensor: Any, measured: Any) -> Any:
    op.state = (op.state or 0) + 1
    return tensor.astype(np.float32) + np.float32(op.state)


def makes_nan(op: Op, tensor: Any, measured: Any) -> Any:
    with np.errstate(invalid="ignore"):
        return np.sqrt(tensor.astype(np.float32))


def drops_pixels(op: Op, tensor: Any, measured: Any) -> Any:
    return tensor[..., 1:].astype(np.float32)


def of_reference(tensor: Any, kwargs: Any, axes: Any) -> Any:
    return tensor.astype(np.float32) * 3


FLOATS = Needs(dtype="float32")


def op(run: Callable[..., Any], needs: Any = FLOATS, **more: Any) -> ProcessingOpEntry:
    make = more.pop("make", lambda kwargs, axes: Op(run))
    requirements = needs if callable(needs) else lambda kwargs, axes: needs
    fields = {"name": "factor", "descr": {"0.5": FactorDescr}, "load": lambda: make, "requirements": requirements, **more}
    return ProcessingOpEntry(**fields)


class OpTest(ProcessingOpConformance):
    plugin = __name__
    examples = 10


class TestOpGood(OpTest):
    entry = op(good)


class TestOpGoodMean(OpTest):
    entry = op(given_mean, Needs(dtype="float32", measures=(Measure(kind="mean", axes=("batch", "channel", "y", "x")),)))


class TestOpGoodHalo(OpTest):
    entry = op(narrow_halo, Needs(dtype="float32", halo={"x": 2}))


class TestOpInPlace(OpTest):
    entry = op(in_place)


class TestOpWrongDtype(OpTest):
    entry = op(wrong_dtype)
    dtypes = ("float32", "uint8")


class TestOpNeighbours(OpTest):
    entry = op(neighbours)


class TestOpNarrowHalo(OpTest):
    entry = op(narrow_halo, Needs(dtype="float32", halo={"x": 1}))


class TestOpOwnMean(OpTest):
    entry = op(own_mean)


class TestOpUnpicklable(OpTest):
    entry = op(good, make=lambda kwargs, axes: lambda tensor, measured: good(None, tensor, measured))  # type: ignore[arg-type]


class TestOpSharedState(OpTest):
    entry = op(shared_state)


class TestOpCountsCalls(OpTest):
    entry = op(counts_calls)


class TestOpMakesNan(OpTest):
    entry = op(makes_nan)


class TestOpDropsPixels(OpTest):
    entry = op(drops_pixels)


class TestOpStrangeAxis(OpTest):
    entry = op(good, Needs(dtype="float32", whole_axes=("lambda",)))


class TestOpFickleNeeds(OpTest):
    entry = op(good, lambda kwargs, axes: Needs(dtype="float32", halo={"x": time.perf_counter_ns()}))


class TestOpUnlikeItsReference(OpTest):
    entry = op(good, reference_implementation=f"{__name__}:of_reference")


class TestOpMisnamed(OpTest):
    entry = op(good, name="another")


@node
class LaxDescr(Node):
    allows_unknown_keys = True
    id: str = "factor"


class TestOpAcceptsAnyKey(OpTest):
    entry = op(good, descr={"0.5": LaxDescr})


class TestOpHeavyImport(OpTest):
    plugin = "imports_jax"
    entry = op(good)


# --- weights formats


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


# --- adapters


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


# --- run modes


@attrs.define
class Wrapped:
    network: Any
    change: Callable[[Any], Any]

    def __call__(self, inputs: Sequence[Any]) -> Any:
        return [self.change(output) for output in self.network(inputs)]

    def close(self) -> None:
        self.network.close()


@attrs.define
class Mode:
    change: Callable[[Any], Any] = lambda output: output
    planned: Callable[[Any], Any] = lambda pipeline: pipeline

    def plan(self, pipeline: Any) -> Any:
        return self.planned(pipeline)

    def wrap(self, adapter: Any, pipeline: Any) -> Any:
        return Wrapped(adapter, self.change)


class LeavesOpen(Mode):
    def wrap(self, adapter: Any, pipeline: Any) -> Any:
        wrapped = Wrapped(adapter, self.change)
        return type("Open", (), {"__call__": lambda self, inputs: wrapped(inputs), "close": lambda self: None})()


@node
class NoKwargs(Node):
    """Takes none."""


def mode(made: Mode, kwargs: type | None = NoKwargs) -> RunModeEntry:
    return RunModeEntry(name="twice", load=lambda: lambda arguments: made, kwargs=kwargs)


class ModeTest(RunModeConformance):
    plugin = __name__
    keeps_identity = True
    examples = 10


class TestModeGood(ModeTest):
    entry = mode(Mode())


class TestModeChangesShape(ModeTest):
    entry = mode(Mode(lambda output: output[..., 1:]))


class TestModeChangesDtype(ModeTest):
    entry = mode(Mode(lambda output: output.astype(np.float64)))


class TestModeDoubles(ModeTest):
    entry = mode(Mode(lambda output: output * np.float32(2)))


class TestModeSeesTheBlock(ModeTest):
    entry = mode(Mode(lambda output: output - output.mean()))
    keeps_identity = False


class TestModePlansOtherInputs(ModeTest):
    entry = mode(Mode(planned=lambda pipeline: attrs.evolve(pipeline, inputs=())))


class TestModeLeavesOpen(ModeTest):
    entry = mode(LeavesOpen())


class TestModeTakesAnything(ModeTest):
    entry = mode(Mode(), kwargs=None)


# --- foreign formats


class Reader:
    """Files that start with MODEL."""

    def sniff(self, path: Path) -> bool:
        return path.is_file() and path.read_bytes()[:5] == b"MODEL"

    def read(self, path: Path, folder: Path) -> Any:
        if path.read_bytes() != b"MODEL and its end":
            raise ValueError(f"{path.name} ends too early")
        for name in ("README.md", "raw.npy", "out.npy", "weights.onnx"):
            (folder / name).write_bytes(b"")
        return model_tree("Nuclei", {"onnx": {"source": "weights.onnx", "opset_version": 17}})


class AcceptsAll(Reader):
    def sniff(self, path: Path) -> bool:
        return True


class ForgetsAFile(Reader):
    def read(self, path: Path, folder: Path) -> Any:
        tree = super().read(path, folder)
        (folder / "raw.npy").unlink()
        return tree


class Invalid(Reader):
    def read(self, path: Path, folder: Path) -> Any:
        return {**super().read(path, folder), "license": "none that there is"}


class Crashes(Reader):
    def read(self, path: Path, folder: Path) -> Any:
        assert path.read_bytes().endswith(b"end")
        return super().read(path, folder)


class NamesTheFolder(Reader):
    def read(self, path: Path, folder: Path) -> Any:
        return {**super().read(path, folder), "description": f"read into {folder}"}


def foreign(reader: type) -> ForeignFormatEntry:
    return ForeignFormatEntry(name="simple", patterns=("*.simple",), load=lambda: reader())


class ForeignTest(ForeignFormatConformance):
    plugin = __name__

    @pytest.fixture
    def files(self, tmp_path: Path) -> Sequence[Path]:
        (tmp_path / "nuclei.simple").write_bytes(b"MODEL and its end")
        return [tmp_path / "nuclei.simple"]


class TestForeignGood(ForeignTest):
    entry = foreign(Reader)


class TestForeignAcceptsAll(ForeignTest):
    entry = foreign(AcceptsAll)


class TestForeignForgetsAFile(ForeignTest):
    entry = foreign(ForgetsAFile)


class TestForeignInvalid(ForeignTest):
    entry = foreign(Invalid)


class TestForeignCrashes(ForeignTest):
    entry = foreign(Crashes)


class TestForeignNamesTheFolder(ForeignTest):
    entry = foreign(NamesTheFolder)


# --- converters


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


# --- consumers


def judged(*judgements: Judgement) -> ConsumerEntry:
    return ConsumerEntry(name="Viewer", load=lambda: lambda model: judgements)


NO = Judgement(rule="has weights that it runs", answer="no", reason="none are onnx", remedy="convert them")


class ConsumerTest(ConsumerConformance):
    plugin = __name__


class TestConsumerGood(ConsumerTest):
    entry = judged(NO)


class TestConsumerSaysNothing(ConsumerTest):
    entry = judged()


class TestConsumerWithoutRemedy(ConsumerTest):
    entry = judged(attrs.evolve(NO, remedy=""))


class TestConsumerWithoutDate(ConsumerTest):
    entry = judged(attrs.evolve(NO, source="https://example.com/"))


# --- commands


@click.command()
def greet() -> None:
    """Greet."""


@click.command()
def silent() -> None:
    pass


class CommandTest(CommandConformance):
    plugin = __name__


class TestCommandGood(CommandTest):
    entry = CommandEntry(name="greet", load=lambda: greet)


class TestCommandNoCommand(CommandTest):
    entry = CommandEntry(name="greet", load=lambda: print)


class TestCommandWithoutHelp(CommandTest):
    entry = CommandEntry(name="greet", load=lambda: silent)


class TestCommandTaken(CommandTest):
    entry = CommandEntry(name="predict", load=lambda: greet)


# --- the hooks, for `test_is_collected`


@hookimpl
def bioimageio_processing_ops() -> Any:
    yield op(good)


@hookimpl
def bioimageio_weights_formats() -> Any:
    yield TestFormatGood.entry


@hookimpl
def bioimageio_weights_adapters() -> Any:
    yield adapter(Adapter)


@hookimpl
def bioimageio_weights_converters() -> Any:
    yield converter(convert)


@hookimpl
def bioimageio_run_modes() -> Any:
    yield mode(Mode())


@hookimpl
def bioimageio_foreign_formats() -> Any:
    yield foreign(Reader)


@hookimpl
def bioimageio_consumers() -> Any:
    yield judged(NO)


@hookimpl
def bioimageio_commands() -> Any:
    yield TestCommandGood.entry
    yield TestCommandTaken.entry
