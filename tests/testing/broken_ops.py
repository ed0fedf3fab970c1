"""Ops that each break one rule, and some that break none; run by `test_kit_finds`, in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

import attrs
import numpy as np

from bioimageio_core.errors import InputError
from bioimageio_core.registry import Measure, Needs, Objects, ProcessingOpEntry, ShapeChange, hookimpl
from bioimageio_core.spec.fields import suffix
from bioimageio_core.spec.files import FileDescr
from bioimageio_core.spec.node import Node, node
from bioimageio_core.testing import ProcessingOpConformance


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


def brightest(op: Op, tensor: Any, measured: Any) -> Any:
    return tensor.argmax(1, keepdims=True).astype(np.uint16)


def brightest_first(op: Op, tensor: Any, measured: Any) -> Any:
    return np.moveaxis(tensor, 1, 0).argmax(0).astype(np.uint16)


def each_pixel(op: Op, tensor: Any, measured: Any) -> Any:
    bright = tensor[:, :1] > 0
    return np.where(bright, np.cumsum(bright).reshape(bright.shape), 0).astype(np.uint32)


def each_pixel_from_minus_one(op: Op, tensor: Any, measured: Any) -> Any:
    return each_pixel(op, tensor, measured).astype(np.int32) - 1


def leaves_out_the_border(op: Op, tensor: Any, measured: Any) -> Any:
    labels = each_pixel(op, tensor, measured)
    labels[..., :2] = labels[..., -2:] = 0
    return labels


def float_labels(op: Op, tensor: Any, measured: Any) -> Any:
    return each_pixel(op, tensor, measured).astype(np.float32)


def of_reference(tensor: Any, kwargs: Any, axes: Any) -> Any:
    return tensor.astype(np.float32) * 3


@attrs.define
class GainOfFile:
    """An op that multiplies by the mean of a file, which it keeps in some form until it is called."""

    kept: Any
    read: Callable[[Any], Any]

    def __call__(self, tensor: Any, measured: Any) -> Any:
        return tensor.astype(np.float32) * np.float32(self.read(self.kept))


@node
class FileKwargs(Node):
    gain: FileDescr = attrs.field(validator=suffix(".npy"))


@node
class FileOpDescr(Node):
    id: str = "factor"
    kwargs: FileKwargs


def mean_of(path: str) -> Any:
    try:
        return np.load(path, allow_pickle=False).mean()
    except ValueError as error:
        raise InputError(f"{path} is no .npy file: {error}") from None


def mean_of_any(path: str) -> Any:
    return np.load(path, allow_pickle=False).mean()


_LOADING = Lock()
"""numpy reads headers with the parser of Python, which fails in Python 3.11 if threads that take turns often call it at once."""


def of_mapping(files: Any) -> Any:
    with _LOADING:
        return mean_of(files["gain"])


FLOATS = Needs(dtype="float32")
ONE_CHANNEL = ShapeChange(axes=("batch", "channel", "y", "x"), sizes={"channel": 1})
CLASSES = Needs(dtype="uint16", shape=ONE_CHANNEL)
NO_CHANNEL = Needs(dtype="uint16", shape=ShapeChange(axes=("batch", "y", "x")))
LABELS = Needs(dtype="uint32", shape=ONE_CHANNEL, objects=Objects(join="touch"))


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


class TestOpGoodFile(OpTest):
    entry = op(good, make=lambda kwargs, axes, context: GainOfFile(mean_of(context.files["gain"]), float), descr={"0.5": FileOpDescr})


class TestOpGoodFileLater(OpTest):
    entry = op(good, make=lambda kwargs, axes, context: GainOfFile(context.files, of_mapping), descr={"0.5": FileOpDescr})
    kwargs = ({"gain": {"source": "gain.npy"}},)


class TestOpKeepsAPath(OpTest):
    entry = op(good, make=lambda kwargs, axes, context: GainOfFile(context.files["gain"], mean_of), descr={"0.5": FileOpDescr})


class TestOpReadsAnyFile(OpTest):
    entry = op(good, make=lambda kwargs, axes, context: GainOfFile(mean_of_any(context.files["gain"]), float), descr={"0.5": FileOpDescr})


class TestOpGoodHalo(OpTest):
    entry = op(narrow_halo, Needs(dtype="float32", halo={"x": 2}))


class TestOpGoodShape(OpTest):
    entry = op(brightest, CLASSES)


class TestOpGoodAxes(OpTest):
    entry = op(brightest_first, NO_CHANNEL)


class TestOpGoodLabels(OpTest):
    entry = op(each_pixel, LABELS)


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


class TestOpWrongShape(OpTest):
    entry = op(brightest, NO_CHANNEL)


class TestOpLeavesOutTheBorder(OpTest):
    entry = op(leaves_out_the_border, attrs.evolve(LABELS, objects=Objects(join="owner", size={"y": 1, "x": 1})))


class TestOpFloatLabels(OpTest):
    entry = op(float_labels, Needs(dtype="float32", shape=ONE_CHANNEL, objects=LABELS.objects))


class TestOpNegativeLabels(OpTest):
    entry = op(each_pixel_from_minus_one, attrs.evolve(LABELS, dtype="int32"))


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


@hookimpl
def bioimageio_processing_ops() -> Any:
    yield op(good)
