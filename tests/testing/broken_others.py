"""Run modes, formats, consumers and commands that each break one rule, and some that break none; run by `test_kit_finds`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import click
import numpy as np
import pytest

from bioimageio_core.registry import CommandEntry, ConsumerEntry, ForeignFormatEntry, Judgement, RunModeEntry, hookimpl
from bioimageio_core.spec.node import Node, node
from bioimageio_core.testing import CommandConformance, ConsumerConformance, ForeignFormatConformance, RunModeConformance
from bioimageio_core.testing.fixtures import model_tree


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


@attrs.define
class EachZ:
    network: Any

    def __call__(self, inputs: Sequence[Any]) -> Any:
        (volume,) = inputs  # batch, channel, z, y, x
        return [np.stack([self.network([volume[:, :, n]])[0] for n in range(volume.shape[2])], 2)]

    def close(self) -> None:
        self.network.close()


@attrs.define
class Volumes(Mode):
    """Adds an axis, and smooths along it."""

    smooth: bool = False

    def wrap(self, adapter: Any, pipeline: Any) -> Any:
        return Wrapped(EachZ(adapter), self.smoothed if self.smooth else self.change)

    def smoothed(self, volume: Any) -> Any:
        padded = np.pad(volume, [(0, 0), (0, 0), (1, 1), (0, 0), (0, 0)])
        return ((padded[:, :, :-2] + padded[:, :, 1:-1] + padded[:, :, 2:]) / 3).astype(volume.dtype)


def with_z(halo: int) -> Callable[[Any], Any]:
    return lambda pipeline: attrs.evolve(pipeline, added_axes={"z": "y"}, halo={**pipeline.halo, "z": halo})


class TestModeAddsAnAxis(ModeTest):
    entry = mode(Volumes(planned=with_z(0)))


class TestModeSmoothsAlongIt(ModeTest):
    entry = mode(Volumes(planned=with_z(1), smooth=True))
    keeps_identity = False


class TestModeNarrowHaloAlongIt(ModeTest):
    entry = mode(Volumes(planned=with_z(0), smooth=True))
    keeps_identity = False


class TestModeAddsAnAxisThatThereIs(ModeTest):
    entry = mode(Mode(planned=lambda pipeline: attrs.evolve(pipeline, added_axes={"y": "x"})))
    keeps_identity = False


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


class TestForeignOption(ForeignTest):
    entry = attrs.evolve(foreign(Reader), reader_options={"gain": "a number"})


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
