"""What the run mode ``orthoplanes`` makes of networks of a few lines, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import attrs
import numpy as np
import pytest
from bioimageio_runtime_orthoplanes import OrthoplanesKwargs, bioimageio_run_modes
from bioimageio_runtime_orthoplanes.run_mode import Orthoplanes

from bioimageio_core.errors import InputError, ModelRunError
from bioimageio_core.registry import Pipeline, PipelineSize, PipelineTensor
from bioimageio_core.testing import RunModeConformance
from bioimageio_core.typing import FrozenMapping

(ENTRY,) = bioimageio_run_modes()
STEPPED = PipelineSize(min=8, step=4)
SIZES = {"batch": PipelineSize(min=1, step=1), "channel": PipelineSize(min=1)}


class TestContract(RunModeConformance):
    """What every run mode keeps."""

    entry = ENTRY
    kwargs = ({}, {"merge": "max", "batch": 3}, {"orientations": ["yx"]}, {"orientations": ["zy", "zx"], "batch": 1})
    keeps_identity = True
    examples = 10


@attrs.define
class Network:
    """A function of the inputs, as an adapter."""

    function: Callable[..., Any]
    shapes: list[tuple[int, ...]] = attrs.field(factory=list)
    input_shapes: list[tuple[int | None, ...]] = attrs.field(factory=list)

    def __call__(self, inputs: Sequence[np.ndarray[Any, Any] | None]) -> list[np.ndarray[Any, Any]]:
        assert all(a is None or a.flags.c_contiguous for a in inputs)
        self.shapes.append(tuple(inputs[0].shape if inputs[0] is not None else ()))
        found = self.function(*inputs)
        return found if isinstance(found, list) else [found]

    def close(self) -> None:
        pass


def tensor(name: str, axes: str = "bcyx", **sizes: PipelineSize) -> PipelineTensor:
    """Return a tensor with axes by their first letters; those of a size that is not given are stepped in inputs, and follow ``raw``."""
    ids = tuple({"b": "batch", "c": "channel"}.get(a, a) for a in axes)
    kinds = tuple(a if a in ("batch", "channel") else "space" for a in ids)
    own = {a: STEPPED if name != "out" else PipelineSize(follows=("raw", a)) for a in "zyx"} | SIZES | sizes
    return PipelineTensor(id=name, axes=ids, kinds=kinds, dtype="float32", ops=(), sizes=tuple(own[a] for a in ids))


def pipeline(*inputs: PipelineTensor, output: PipelineTensor | None = None, **halo: int) -> Pipeline:
    """Return a pipeline, by default from ``raw`` to ``out``, both along bcyx."""
    return Pipeline(inputs=inputs or (tensor("raw"),), outputs=(output or tensor("out"),), halo=FrozenMapping(halo))


def wrapped(network: Network, lines: Pipeline | None = None, **kwargs: Any) -> Any:
    """Return a network in the run mode."""
    mode = Orthoplanes(OrthoplanesKwargs(**kwargs))
    return mode.wrap(network, mode.plan(lines or pipeline()))


def rows(image: np.ndarray[Any, Any], axis: int = -2) -> np.ndarray[Any, Any]:
    """Return the number of the row, at each pixel."""
    shape = [1] * image.ndim
    shape[axis] = -1
    return np.broadcast_to(np.arange(image.shape[axis], dtype=np.float32).reshape(shape), image.shape)


Z, Y, X = np.meshgrid(np.arange(3.0), np.arange(4.0), np.arange(5.0), indexing="ij")
"""The position of each pixel of a volume."""


class TestNumbers:
    """Computed by hand: a network that tells where in a slice a pixel lies."""

    @pytest.mark.parametrize(
        ("kwargs", "expected"),
        [
            ({}, (Y + Z + Z) / 3),  # z stands for y in two of three orientations
            ({"merge": "max"}, np.maximum(Y, Z)),
            ({"orientations": ("yx",)}, Y),
            ({"orientations": ("zx",)}, Z),
            ({"orientations": ("zy", "yx")}, (Z + Y) / 2),
        ],
    )
    def test_rows(self, kwargs: dict[str, Any], expected: np.ndarray[Any, Any]) -> None:
        """y of the network is y or z of the volume."""
        (found,) = wrapped(Network(rows), **kwargs)([np.zeros((1, 1, 3, 4, 5), np.float32)])
        assert found.dtype == np.float32
        np.testing.assert_allclose(found[0, 0], expected, rtol=1e-6)

    def test_columns(self) -> None:
        """x of the network is x or y of the volume."""
        (found,) = wrapped(Network(lambda a: rows(a, -1)))([np.zeros((1, 1, 3, 4, 5), np.float32)])
        np.testing.assert_allclose(found[0, 0], (X + X + Y) / 3, rtol=1e-6)

    def test_order_of_axes(self) -> None:
        """Tensors have their axes in any order, also without a batch."""
        lines = pipeline(tensor("raw", "yxc"), output=tensor("out", "cxy"))
        volume = np.random.default_rng(0).random((3, 4, 5, 2)).astype(np.float32)
        network = Network(lambda a: np.ascontiguousarray(a.transpose(2, 1, 0)))
        (found,) = wrapped(network, lines)([volume])
        np.testing.assert_allclose(found, volume.transpose(3, 0, 2, 1), rtol=1e-6)  # z stands before x, the first axis of space
        assert len(network.shapes) == 3 + 4 + 5

    def test_items_of_a_batch(self) -> None:
        """Slices of several blocks keep apart, as does what is said about each block."""
        volume = np.random.default_rng(0).random((2, 1, 3, 4, 5)).astype(np.float32)
        factors = np.array([[10.0], [100.0]], np.float32)
        lines = pipeline(tensor("raw"), tensor("factor", "bc"), tensor("absent"))
        network = Network(lambda a, f, none: a * f[:, :, None, None])
        (found,) = wrapped(network, lines, batch=4)([volume, factors, None])
        np.testing.assert_allclose(found, volume * np.array([10, 100]).reshape(2, 1, 1, 1, 1), rtol=1e-6)
        assert {shape[0] for shape in network.shapes} == {2, 4}  # two blocks of two slices, or of the one that is left

    @pytest.mark.parametrize(
        ("batch", "required", "described", "expected"),
        [
            (None, [], SIZES["batch"], [3, 4, 5]),
            (2, [], SIZES["batch"], [2, 1, 2, 2, 2, 2, 1]),
            (None, [], PipelineSize(min=1), [1] * 12),
            (None, [(1, 1, None, None)], SIZES["batch"], [1] * 12),
        ],
    )
    def test_slices_per_call(self, batch: int | None, required: Any, described: PipelineSize, expected: list[int]) -> None:
        """As many as asked for, and no more than the network takes."""
        network = Network(lambda a: a, input_shapes=required)
        wrapped(network, pipeline(tensor("raw", batch=described)), batch=batch)([np.zeros((1, 1, 3, 4, 5), np.float32)])
        assert [shape[0] for shape in network.shapes] == expected

    def test_required_sizes(self) -> None:
        """Weights of one size require it of each axis that stands for another."""
        network = Network(lambda a: a, input_shapes=[(1, 3, 64, 32)])
        assert wrapped(network).input_shapes == [(None, 3, 64, 64, 32)]
        assert wrapped(network, orientations=("yx",)).input_shapes == [(None, 3, None, 64, 32)]

    @pytest.mark.parametrize(
        ("function", "message"),
        [
            (lambda a: a[..., :-1], r"shape \(3, 1, 4, 4\) for a slice: expected batch 3, channel of any size, y 4, x 5"),
            (lambda a: a[0], r"shape \(1, 4, 5\) for a slice"),
            (lambda a: [], "returned 0 outputs: expected 1"),
            (lambda a: a if len(a) == 3 else np.repeat(a, 2, 1), "another shape than for earlier slices"),
        ],
    )
    def test_wrong_outputs(self, function: Any, message: str) -> None:
        """A network that does not return what is described is told of in a sentence."""
        with pytest.raises(ModelRunError, match=message):
            wrapped(Network(function))([np.zeros((1, 1, 3, 4, 5), np.float32)])


class TestPlan:
    """What the run mode asks for."""

    @pytest.mark.parametrize(
        ("orientations", "halo"),
        [
            (("yx", "zx", "zy"), {"z": 2, "y": 5, "x": 5}),  # y stands for x, too
            (("yx", "zx"), {"z": 2, "y": 2, "x": 5}),
            (("yx",), {"z": 0, "y": 2, "x": 5}),
        ],
    )
    def test_halo(self, orientations: Any, halo: dict[str, int]) -> None:
        """Each axis gets the greatest halo of those that it stands for."""
        mode = Orthoplanes(OrthoplanesKwargs(orientations=orientations))
        planned = mode.plan(pipeline(y=2, x=5))
        assert dict(planned.halo) == halo
        assert dict(planned.added_axes) == {"z": "y"}
        assert dict(mode.plan(pipeline()).halo) == ({"z": 0} if orientations == ("yx",) else {})  # it stays unknown

    @pytest.mark.parametrize(
        ("lines", "message"),
        [
            (pipeline(tensor("raw", "bczyx")), "expected the axes of space y, x of input 'raw', found z, y, x"),
            (pipeline(tensor("raw", "bcx")), "expected the axes of space y, x of input 'raw', found x"),
            (pipeline(tensor("raw", "bc")), "expected an input with the axes y, x, found batch, channel"),
            (pipeline(output=tensor("out", "bc")), "cannot merge output 'out': expected the axes of space y, x, found none"),
            (
                pipeline(output=tensor("out", y=PipelineSize(follows=("raw", "y"), ratio=Fraction(1, 2)))),
                "cannot merge output 'out', whose size along axis 'y' is not that of the input",
            ),
            (pipeline(output=tensor("out", x=PipelineSize(follows=("raw", "x"), offset=-4))), "whose size along axis 'x' is not"),
            (pipeline(output=tensor("out", x=PipelineSize(min=16))), "whose size along axis 'x' is not that of the input"),
            (pipeline(output=tensor("out", x=PipelineSize())), "whose size along axis 'x' the network decides on"),
            (
                pipeline(tensor("raw", x=PipelineSize(min=16, step=8))),
                "cannot let y stand for x: 'raw' has other sizes along y than along x",
            ),
        ],
    )
    def test_refusals(self, lines: Pipeline, message: str) -> None:
        """What cannot be is said in a sentence, before anything runs."""
        with pytest.raises(InputError, match=r"^run mode 'orthoplanes' ") as caught:
            Orthoplanes(OrthoplanesKwargs()).plan(lines)
        assert message in str(caught.value)

    @pytest.mark.parametrize(
        "lines",
        [
            pipeline(tensor("raw", y=PipelineSize(min=32), x=PipelineSize(min=32)), output=tensor("out", y=PipelineSize(min=32))),
            pipeline(tensor("raw", x=PipelineSize(follows=("raw", "y"))), output=tensor("out", x=PipelineSize(follows=("raw", "y")))),
            pipeline(tensor("raw"), tensor("mask", y=PipelineSize(follows=("raw", "y")), x=PipelineSize(follows=("raw", "x")))),
        ],
    )
    def test_equal_sizes(self, lines: Pipeline) -> None:
        """Sizes are equal where they are fixed, where one follows the other, and where both follow another tensor."""
        Orthoplanes(OrthoplanesKwargs()).plan(lines)

    def test_unequal_sizes(self) -> None:
        """Without the orientation in which y stands for x, other sizes are no hindrance."""
        lines = pipeline(tensor("raw", x=PipelineSize(min=16, step=8)))
        Orthoplanes(OrthoplanesKwargs(orientations=("yx", "zx"))).plan(lines)
