"""The run mode ``tta``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import onnx
import pytest
import yaml
from bioimageio_runtime_tta import TtaKwargs, bioimageio_run_modes
from bioimageio_runtime_tta.run_mode import Tta

import bioimageio_core as bc
from bioimageio_core.errors import InputError, ModelRunError
from bioimageio_core.registry import Pipeline, PipelineSize, PipelineTensor
from bioimageio_core.testing import RunModeConformance
from bioimageio_core.typing import FrozenMapping

(ENTRY,) = bioimageio_run_modes()
STEPPED = PipelineSize(min=8, step=4)
ONE = PipelineSize(min=1)


class TestContract(RunModeConformance):
    """What every run mode keeps."""

    entry = ENTRY
    kwargs = ({}, {"merge": "max"}, {"flips": ["x"], "rotations": False}, {"flips": False, "rotations": ["x", "y"]})
    keeps_identity = True


@attrs.define
class Network:
    """A function of the first input, as an adapter."""

    function: Callable[[np.ndarray[Any, Any]], Any]
    calls: int = 0

    def __call__(self, inputs: Sequence[np.ndarray[Any, Any] | None]) -> list[np.ndarray[Any, Any]]:
        assert inputs[0] is not None
        assert inputs[0].flags.c_contiguous
        self.calls += 1
        found = self.function(inputs[0])
        return found if isinstance(found, list) else [found]

    def close(self) -> None:
        pass


def tensor(name: str, axes: str = "bcyx", **sizes: PipelineSize) -> PipelineTensor:
    """Return a tensor with axes by their first letters; those of a size that is not given are stepped."""
    ids = tuple({"b": "batch", "c": "channel"}.get(a, a) for a in axes)
    kinds = tuple(a if a in ("batch", "channel") else "space" for a in ids)
    found = tuple(sizes.get(a, STEPPED if kind == "space" else ONE) for a, kind in zip(ids, kinds, strict=True))
    return PipelineTensor(id=name, axes=ids, kinds=kinds, dtype="float32", ops=(), sizes=found)


def pipeline(*inputs: PipelineTensor, output: PipelineTensor | None = None, **halo: int) -> Pipeline:
    """Return a pipeline, by default from ``raw`` to ``out``, both along bcyx."""
    return Pipeline(inputs=inputs or (tensor("raw"),), outputs=(output or tensor("out"),), halo=FrozenMapping(halo))


def run(function: Callable[..., Any], image: Any, lines: Pipeline | None = None, **kwargs: Any) -> Any:
    """Return what the run mode makes of a network and an image along yx."""
    mode = Tta(TtaKwargs(**kwargs))
    wrapped = mode.wrap(Network(function), mode.plan(lines or pipeline()))
    return wrapped([np.asarray(image, np.float32)[None, None]])[0][0, 0]


def corner(image: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Keep the pixel at the upper left, which every turn brings another pixel to."""
    kept = np.zeros_like(image)
    kept[..., 0, 0] = image[..., 0, 0]
    return kept


CORNERS = [[4, 8], [16, -32]]


class TestNumbers:
    """Computed by hand."""

    @pytest.mark.parametrize(
        ("kwargs", "expected"),
        [
            ({}, [[1, 2], [4, -8]]),  # each pixel is in the corner twice in eight turns
            ({"rotations": False}, [[1, 2], [4, -8]]),  # once in four
            ({"flips": False}, [[1, 2], [4, -8]]),
            ({"flips": ("x",), "rotations": False}, [[2, 4], [0, 0]]),  # two corners, once in two
            ({"flips": False, "rotations": ("y", "x"), "merge": "max"}, [[4, 8], [16, 0]]),  # else it is 0, which is more than -32
            ({"flips": ("y",), "rotations": False, "merge": "max"}, [[4, 0], [16, 0]]),
        ],
    )
    def test_corner(self, kwargs: dict[str, Any], expected: list[list[float]]) -> None:
        """Only what a turn brings into the corner is seen by the network."""
        found = run(corner, CORNERS, **kwargs)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, expected)

    def test_calls(self) -> None:
        """The network runs once for each turn."""
        for kwargs, expected in (({}, 8), ({"rotations": False}, 4), ({"flips": ("y",), "rotations": False}, 2)):
            network, mode = Network(corner), Tta(TtaKwargs(**kwargs))
            mode.wrap(network, mode.plan(pipeline()))([np.zeros((1, 1, 4, 6), np.float32)])
            assert network.calls == expected

    def test_other_scale(self) -> None:
        """An output of twice the size is turned as it is."""
        follows = {a: PipelineSize(follows=("raw", a), ratio=Fraction(2)) for a in "yx"}
        found = run(lambda x: corner(x).repeat(2, -1).repeat(2, -2), CORNERS, pipeline(output=tensor("out", **follows)))
        np.testing.assert_array_equal(found, np.repeat(np.repeat([[1, 2], [4, -8]], 2, 0), 2, 1))

    def test_output_without_space(self) -> None:
        """Numbers about the whole image are merged as they are."""
        mode = Tta(TtaKwargs(flips=("x",), rotations=False))
        wrapped = mode.wrap(Network(lambda x: x[..., 0].sum(-1)), mode.plan(pipeline(output=tensor("out", "bc"))))
        np.testing.assert_array_equal(wrapped([np.array([[[[4, 8], [16, 32]]]], np.float32)])[0], [[(20 + 40) / 2]])

    def test_absent_input(self) -> None:
        """An optional input that is absent stays absent."""
        mode = Tta(TtaKwargs())
        wrapped = mode.wrap(Network(corner), mode.plan(pipeline(tensor("raw"), tensor("mask"))))
        np.testing.assert_array_equal(wrapped([np.array(CORNERS, np.float32)[None, None], None])[0][0, 0], [[1, 2], [4, -8]])


class TestPlan:
    """What the run mode makes of the pipeline."""

    def test_equal_halos(self) -> None:
        """Axes that are turned into each other get the greater halo; others keep theirs."""
        lines = pipeline(tensor("raw", "bczyx"), output=tensor("out", "bczyx"), z=1, y=2, x=5)
        assert dict(Tta(TtaKwargs()).plan(lines).halo) == {"z": 1, "y": 5, "x": 5}
        assert dict(Tta(TtaKwargs(rotations=False)).plan(lines).halo) == {"z": 1, "y": 2, "x": 5}

    def test_other_sizes(self) -> None:
        """Quarter turns are left out, with a warning, where the network takes other sizes along the two axes."""
        lines = pipeline(tensor("raw", x=PipelineSize(min=16, step=4)), y=2, x=5)
        planned = Tta(TtaKwargs()).plan(lines)
        assert planned.warnings == ("run mode 'tta' leaves out quarter turns: 'raw' has other sizes along y than along x",)
        assert planned.halo == lines.halo
        network = Network(corner)
        Tta(TtaKwargs()).wrap(network, planned)([np.zeros((1, 1, 4, 6), np.float32)])
        assert network.calls == 4

    @pytest.mark.parametrize(
        ("kwargs", "lines", "message"),
        [
            ({}, pipeline(tensor("raw", "bc")), "has no axes to flip or rotate: input 'raw' has no spatial axis 'y'"),
            ({}, pipeline(tensor("raw"), tensor("prompt", "bc")), "has no axes to flip or rotate: input 'prompt' has no spatial axis 'y'"),
            ({"flips": False, "rotations": False}, pipeline(), "has no axes to flip or rotate: both are switched off"),
            ({"flips": ("z",)}, pipeline(), "cannot flip along what it was asked to: input 'raw' has no spatial axis 'z'"),
            ({"flips": ("channel",)}, pipeline(), "input 'raw' has no spatial axis 'channel'"),
            ({"rotations": ("z", "x")}, pipeline(), "cannot turn z into x: input 'raw' has no spatial axis 'z'"),
            (
                {"rotations": ("y", "x")},
                pipeline(output=tensor("out", y=PipelineSize(follows=("raw", "y"), ratio=Fraction(1, 2)))),
                "cannot turn y into x: 'out' has other sizes along y than along x",
            ),
            ({"rotations": ("y", "x")}, pipeline(output=tensor("out", "bcy")), "cannot turn y into x: 'out' has only one of the two axes"),
            ({}, pipeline(output=tensor("out", x=PipelineSize())), "cannot merge output 'out', whose size along axis 'x' the network"),
        ],
    )
    def test_refusals(self, kwargs: dict[str, Any], lines: Pipeline, message: str) -> None:
        """What cannot be is said in a sentence, before anything runs."""
        with pytest.raises(InputError, match=r"^run mode 'tta' ") as caught:
            Tta(TtaKwargs(**kwargs)).plan(lines)
        assert message in str(caught.value)

    @pytest.mark.parametrize(
        ("function", "message"),
        [
            (lambda x: x[0], "expected the axes batch, channel, y, x"),
            (lambda x: x[..., : x.shape[-1] // 3], "where the input is turned"),
            (lambda x: [], "returned 0 outputs: expected 1"),
        ],
    )
    def test_wrong_outputs(self, function: Any, message: str) -> None:
        """A network that does not return what is described is told of in a sentence."""
        with pytest.raises(ModelRunError, match=message):
            run(function, np.zeros((4, 6)))


class TestPrediction:
    """A convolution that looks in one direction, on images of any size."""

    @pytest.mark.parametrize("merge", ["mean", "max"])
    def test_blocks_give_the_whole(self, tmp_path: Path, merge: str) -> None:
        """Blocks that are not square, an image that is no multiple of them; the halo is that of the one axis, for both."""
        model = conv_model(tmp_path, halo={"y": 1, "x": 2})
        image = np.random.default_rng(0).random((90, 130), dtype=np.float32)
        options: dict[str, Any] = {"axes": "yx", "run_mode": "tta", "run_mode_kwargs": {"merge": merge}}
        blocks = bc.predict(model, image, block={"y": 32, "x": 40}, **options)
        assert blocks.plan is not None
        assert blocks.plan.regions.block_count > 12
        assert {g.group.left for g in blocks.plan.grids if g.count > 1} == {4}  # 2, rounded up to the grid
        whole = bc.predict(model, image, **options)
        np.testing.assert_allclose(np.asarray(blocks["out"]), np.asarray(whole["out"]), atol=1e-6)
        np.testing.assert_allclose(np.asarray(whole["out"])[0, 0], by_hand(image, merge), atol=1e-5)

    def test_described(self, tmp_path: Path) -> None:
        """A description can ask for it, too."""
        image = np.random.default_rng(0).random((40, 50), dtype=np.float32)
        model = conv_model(tmp_path, halo={"y": 2, "x": 2}, run_mode={"name": "tta", "kwargs": {"merge": "max"}})
        np.testing.assert_allclose(np.asarray(bc.predict(model, image, axes="yx")["out"])[0, 0], by_hand(image, "max"), atol=1e-5)

    def test_warning(self, tmp_path: Path) -> None:
        """What is left out is part of the plan."""
        model = conv_model(tmp_path, halo={"y": 2, "x": 2}, size={"y": 32, "x": 64})
        with bc.open_predictor(model, run_mode="tta") as predictor:
            plan = predictor.plan(np.zeros((90, 130), np.float32), axes="yx")
        assert [w for w in plan.warnings if "leaves out quarter turns: 'raw' has other sizes" in w]

    @pytest.mark.parametrize(
        ("kwargs", "message"),
        [
            ({"merge": "median"}, "merge"),
            ({"flips": ["x", "x"]}, "flips"),
            ({"rotations": ["x"]}, "rotations"),
            ({"rotation": True}, "rotation"),
        ],
    )
    def test_wrong_arguments(self, tmp_path: Path, kwargs: dict[str, Any], message: str) -> None:
        """Are told by name."""
        model = conv_model(tmp_path, halo={"y": 2, "x": 2})
        with pytest.raises(InputError, match=f"run mode 'tta' .*{message}"):
            bc.predict(model, np.zeros((40, 50), np.float32), axes="yx", run_mode="tta", run_mode_kwargs=kwargs)


KERNEL = np.arange(25, dtype=np.float32).reshape(5, 5) / 100


def by_hand(image: np.ndarray[Any, Any], merge: str) -> Any:
    """Return the merged convolutions with all eight turned kernels; symmetric padding."""
    padded = np.pad(image.astype(np.float64), 2, mode="symmetric")
    height, width = image.shape
    found = [
        sum(np.rot90(kernel, turns)[i, j] * padded[i : i + height, j : j + width] for i in range(5) for j in range(5))
        for kernel in (KERNEL, KERNEL[:, ::-1])
        for turns in range(4)
    ]
    return np.mean(found, 0) if merge == "mean" else np.max(found, 0)


def conv_model(folder: Path, *, halo: dict[str, int], size: Any = None, **more: Any) -> Path:
    """Write a model whose network is a convolution with `KERNEL`."""
    info = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["b", "c", "y", "x"]) for name in ("raw", "out")]
    kernel = onnx.numpy_helper.from_array(KERNEL[None, None], "kernel")
    node = onnx.helper.make_node("Conv", ["raw", "kernel"], ["out"], pads=[2] * 4)
    graph = onnx.helper.make_graph([node], "made", info[:1], info[1:], [kernel])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), str(folder / "weights.onnx"))
    first = [{"type": "batch"}, {"type": "channel", "channel_names": ["intensity"]}]
    raw = [{"type": "space", "id": a, "size": size[a] if size else {"min": 16, "step": 4}} for a in "yx"]
    out = [{"type": "space", "id": a, "size": {"tensor_id": "raw", "axis_id": a}, "halo": halo[a]} for a in "yx"]
    tree = {
        "type": "model",
        "format_version": "0.5.4",
        "name": "made model",
        "description": "made for a test",
        "authors": [{"name": "An author"}],
        "cite": [{"text": "nothing", "url": "https://example.com/"}],
        "license": "MIT",
        "documentation": "README.md",
        "timestamp": "2024-01-01T00:00:00+00:00",
        "inputs": [{"id": "raw", "axes": [*first, *raw], "data": {"type": "float32"}}],
        "outputs": [{"id": "out", "axes": [*first, *out], "data": {"type": "float32"}}],
        "weights": {"onnx": {"source": "weights.onnx", "opset_version": 17}},
        **more,
    }
    (folder / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
    return folder
