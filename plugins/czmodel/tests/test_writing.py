"""Files for ZEN: the network in them, run bare on the raw image, predicts what the library predicts with all its processing."""

from __future__ import annotations

import uuid
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_files import XML, bare, metadata_of, network_of, write_czann, write_czmodel
from made_models import (
    BATCH,
    box_model,
    channels,
    follows,
    pointwise_model,
    pointwise_model_0_4,
    save_description_0_5,
    save_graph,
    space,
    tensor,
)
from numpy.typing import NDArray
from onnx import helper

import bioimageio_core as bc
from bioimageio_core.errors import InputError

OPSETS = {"1.0.0": 12, "1.1.0": 12, "2.0.0": 12, "2.1.0": 18}


def exported(model: Path, path: Path, **options: Any) -> Path:
    """Export, and return the path."""
    return bc.export_model(model, path.suffix[1:], path, overwrite=True, **options).path


def lost(model: Path, path: Path, **options: Any) -> str:
    """Export, and return what was lost as one text."""
    return " ".join(bc.export_model(model, path.suffix[1:], path, overwrite=True, **options).lost)


def members(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        return archive.namelist()


def predicted(model: Path, image: NDArray[Any], axes: str = "byxc", **options: Any) -> NDArray[Any]:
    """Return what the library predicts of a whole image at once, with channels last and axes of a size of 1 left out."""
    spatial = [axis for axis in axes if axis in "zyx"]
    whole = {axis: image.shape[axes.index(axis)] for axis in spatial}
    found = next(iter(bc.predict(model, image, axes=axes, halo=dict.fromkeys(spatial, 0), block=whole, **options).values()))
    wanted = ("batch", *spatial, "channel")
    rest = [axis for axis in found.axes if axis not in wanted]
    kept = [axis for axis in wanted if axis in found.axes]
    array = np.moveaxis(np.asarray(found), [found.axes.index(axis) for axis in (*rest, *kept)], range(len(found.axes)))
    sizes = dict(zip((*rest, *kept), array.shape, strict=True))
    return array.reshape([sizes.get(axis, 1) for axis in wanted]).astype(np.float32)


def assert_same(model: Path, path: Path, image: NDArray[Any], *, background: bool = False, atol: float = 1e-5, **options: Any) -> None:
    """Assert that the bare network gives what the library predicts, behind a class for the background."""
    found, expected = bare(network_of(path), image), predicted(model, image, **options)
    if background:
        np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-6)
        found = found[..., 1:]
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=atol * max(1, np.abs(expected).max()))


def integers(shape: Sequence[int], most: int = 255, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).integers(0, most, shape).astype(np.float32)


SHARED = {
    "unet2d_nuclei_broad/bioimageio.yaml": ({"statistics": "tile"}, True, [512, 512, 1], [512, 512, 2], [64, 64]),
    "unet2d_nuclei_broad/v0_4_9.bioimageio.yaml": ({"statistics": "tile"}, True, [512, 512, 1], [512, 512, 2], [64, 64]),
    "unet2d_fixed_shape/v0_4.bioimageio.yaml": ({"statistics": "tile"}, False, [256, 256, 1], [256, 256, 1], [16, 16]),
    "upsample_test_model/v0_4.bioimageio.yaml": ({"spatial_dims": [40, 65]}, False, [40, 65, 1], [160, 260, 1], None),
}


class TestSharedModels:
    """Real models."""

    @pytest.mark.parametrize("version", ["2.1.0", "1.1.0"])
    @pytest.mark.parametrize("name", SHARED)
    def test_bare_network(self, shared: Path, tmp_path: Path, name: str, version: str) -> None:
        """In both versions of the operators."""
        options, background, taken, given, overlap = SHARED[name]
        model = shared / "models" / name
        path = exported(model, tmp_path / "m.czann", file_version=version, **options)
        found = metadata_of(path)
        assert (found["InputShape"], found["OutputShape"], found.get("MinOverlap")) == (taken, given, overlap)
        image = integers((1, *taken))
        bare(network_of(path), image, opset=OPSETS[version])
        assert_same(model, path, image, background=background, weights_format="onnx")

    def test_test_tensors(self, shared: Path, tmp_path: Path) -> None:
        """The network in the file, on the test input, gives the test output."""
        folder = shared / "models" / "unet2d_nuclei_broad"
        path = exported(folder / "bioimageio.yaml", tmp_path / "m.czmodel", statistics="tile")
        image, expected = np.load(folder / "test_input.npy"), np.load(folder / "test_output.npy")
        found = bare(network_of(path), image.transpose(0, 2, 3, 1), opset=12)
        np.testing.assert_allclose(found[..., 1], expected[:, 0], atol=1e-3)

    def test_converted(self, shared: Path, tmp_path: Path) -> None:
        """Weights of another format are converted; an output with an axis z of one plane loses it."""
        pytest.importorskip("torch", reason="torch is not installed")
        model = shared / "models" / "unet2d_nuclei_broad" / "expand_output_shape.bioimageio.yaml"
        path = exported(model, tmp_path / "m.czann", statistics="tile", file_version="2.0.0")
        assert metadata_of(path)["OutputShape"] == [512, 512, 2]
        assert_same(model, path, integers((1, 512, 512, 1)), background=True)

    def test_cannot(self, shared: Path, tmp_path: Path) -> None:
        """All that a file cannot hold is in one error, and nothing is written."""
        with pytest.raises(InputError) as raised:
            exported(shared / "models" / "unet2d_multi_tensor_v0_4" / "v0_4.bioimageio.yaml", tmp_path / "m.czann")
        for words in (
            "there are 2 inputs (input0, input1): expected one",
            "there are 2 outputs (output0, output1): expected one, which the option output names",
            "the op 'zero_mean_unit_variance' of 'input0' takes statistics of the whole image (over channel, y, x)",
            "the op 'zero_mean_unit_variance' of 'input1' takes statistics of the whole image (over channel, y, x)",
        ):
            assert words in str(raised.value)
        assert list(tmp_path.iterdir()) == []


BOUNDED = {"post": [{"id": "sigmoid"}]}

PRE: dict[str, list[dict[str, Any]]] = {
    "linear": [{"id": "scale_linear", "kwargs": {"gain": 0.02, "offset": -1.5}}],
    "along channels": [{"id": "scale_linear", "kwargs": {"axis": "channel", "gain": [0.5, 0.01], "offset": 3.0}}],
    "fixed": [{"id": "fixed_zero_mean_unit_variance", "kwargs": {"mean": 101.3, "std": 12.5}}],
    "fixed along channels": [
        {"id": "fixed_zero_mean_unit_variance", "kwargs": {"axis": "channel", "mean": [100.1, 20.7], "std": [0.01, 3.0]}}
    ],
    "over channels": [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["channel"]}}],
    "range over channels": [{"id": "scale_range", "kwargs": {"axes": ["channel"], "min_percentile": 10, "max_percentile": 95}}],
    "clipped": [{"id": "clip", "kwargs": {"min": 20, "max": 200}}, {"id": "scale_linear", "kwargs": {"gain": 0.01}}],
    "one bound": [{"id": "clip", "kwargs": {"min": 20.5}}],
    "thresholds": [{"id": "binarize", "kwargs": {"axis": "channel", "threshold": [100, 150.5]}}],
    "softmax": [{"id": "scale_linear", "kwargs": {"gain": 0.02}}, {"id": "softmax", "kwargs": {"axis": "channel"}}],
    "softmax over y": [{"id": "scale_linear", "kwargs": {"gain": 0.02}}, {"id": "softmax", "kwargs": {"axis": "y"}}],
    "sigmoid": [{"id": "scale_linear", "kwargs": {"gain": 0.02, "offset": -2.0}}, {"id": "sigmoid"}],
    "casts": [
        {"id": "scale_linear", "kwargs": {"gain": 0.3}},
        {"id": "ensure_dtype", "kwargs": {"dtype": "uint8"}},
        {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}},
    ],
}

STATISTICS: dict[str, list[dict[str, Any]]] = {
    "moments": [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["y", "x"]}}],
    "moments of all": [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["channel", "y", "x"], "eps": 0.01}}],
    "moments after": [{"id": "scale_linear", "kwargs": {"gain": 3.0}}, {"id": "zero_mean_unit_variance", "kwargs": {"axes": ["x", "y"]}}],
    "range": [{"id": "scale_range", "kwargs": {"axes": ["y", "x"], "min_percentile": 1, "max_percentile": 99.8}}],
    "whole range": [{"id": "scale_range", "kwargs": {"axes": ["channel", "y", "x"]}}],
    "range in one half": [{"id": "scale_range", "kwargs": {"axes": ["y", "x"], "min_percentile": 60, "max_percentile": 61.3}}],
    "clipped to percentiles": [{"id": "clip", "kwargs": {"min_percentile": 5, "max_percentile": 90, "axes": ["y", "x"]}}],
    "clipped at one": [{"id": "clip", "kwargs": {"max_percentile": 50, "axes": ["channel", "y"]}}],
}


class TestOps:
    """Each op becomes nodes that compute what it computes."""

    @pytest.mark.parametrize("version", ["2.1.0", "2.0.0"])
    @pytest.mark.parametrize("where", ["pre", "post"])
    @pytest.mark.parametrize("name", PRE)
    def test_fixed(self, tmp_path: Path, name: str, where: str, version: str) -> None:
        """Ops that need nothing but the pixel, before and after the network."""
        model = pointwise_model(tmp_path, names=("a", "b"), gain=[0.5, 2], **{where: PRE[name]})
        path = exported(model, tmp_path / "m.czann", type="Regression", spatial_dims=[12, 20], file_version=version)
        image = integers((1, 12, 20, 2))
        bare(network_of(path), image, opset=OPSETS[version])
        assert_same(model, path, image)

    @pytest.mark.parametrize("version", ["2.1.0", "2.0.0"])
    @pytest.mark.parametrize("where", ["pre", "post"])
    @pytest.mark.parametrize("name", STATISTICS)
    def test_statistics(self, tmp_path: Path, name: str, where: str, version: str) -> None:
        """Statistics of an image: an error; on request those of a tile, which is said to be lost."""
        model = pointwise_model(tmp_path, names=("a", "b"), gain=[0.5, 2], **{where: STATISTICS[name]})
        options: dict[str, Any] = {"type": "Regression", "spatial_dims": [12, 20], "file_version": version}
        with pytest.raises(InputError, match=f"the op '{STATISTICS[name][-1]['id']}' of '.*' takes statistics of the whole image"):
            exported(model, tmp_path / "m.czann", **options)
        path = tmp_path / "m.czann"
        assert "Statistics are taken of each tile" in lost(model, path, statistics="tile", **options)
        assert_same(model, path, integers((1, 12, 20, 2)) + 3000)

    @pytest.mark.parametrize("axes", [["y", "x"], ["channel", "y", "x"]])
    def test_matched_to_the_input(self, tmp_path: Path, axes: list[str]) -> None:
        """Ops that compare with the input as it was given."""
        post = [{"id": "scale_mean_variance", "kwargs": {"reference_tensor": "raw", "axes": axes}}]
        pre = [{"id": "scale_linear", "kwargs": {"gain": 0.1, "offset": 5.0}}]
        model = pointwise_model(tmp_path, names=("a", "b"), gain=[0.5, 2], pre=pre, post=post)
        path = exported(model, tmp_path / "m.czann", type="Regression", spatial_dims=[12, 20], statistics="tile")
        assert_same(model, path, integers((1, 12, 20, 2)))

    def test_format_0_4(self, tmp_path: Path) -> None:
        """Ops as the older format says them."""
        pre = [{"name": "zero_mean_unit_variance", "kwargs": {"mode": "fixed", "axes": "yx", "mean": [100.0], "std": [7.0]}}]
        post = [{"name": "sigmoid"}, {"name": "binarize", "kwargs": {"threshold": 0.3}}]
        model = pointwise_model_0_4(tmp_path, pre=pre, post=post)
        for name in ("raw", "out"):
            np.save(tmp_path / f"{name}.npy", np.zeros((1, 1, 8, 8), np.float32))
        path = exported(model, tmp_path / "m.czann", spatial_dims=[12, 20])
        assert_same(model, path, integers((1, 12, 20, 1)), background=True)

    def test_unknown(self, tmp_path: Path) -> None:
        """An op that is no arithmetic, one that nobody knows and a run mode are listed together."""
        model = pointwise_model(
            tmp_path,
            post=[{"id": "stardist_postprocessing_2d", "kwargs": {"prob_threshold": 0.5, "nms_threshold": 0.4}}, {"id": "subtract_median"}],
            run_mode={"name": "tta"},
        )
        with pytest.raises(InputError) as raised:
            exported(model, tmp_path / "m.czann")
        assert "the run mode 'tta' cannot be part of a network" in str(raised.value)
        assert "the op 'subtract_median' of 'out' (bioimageio-runtime-median brings it) cannot be part of a network" in str(raised.value)
        assert "the op 'stardist_postprocessing_2d' of 'out'" in str(raised.value)

    def test_integers(self, tmp_path: Path) -> None:
        """Images of integers come as floats; what the values stand for can be said."""
        pre = [{"id": "scale_linear", "kwargs": {"gain": 0.5}}, {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}}]
        model = pointwise_model(tmp_path, dtype="uint8", pre=pre)
        path = tmp_path / "m.czann"
        assert "The network is made for the values of uint8 images" in lost(model, path, spatial_dims=[12, 20])
        image = integers((1, 12, 20, 1))
        np.testing.assert_allclose(bare(network_of(path), image), predicted(model, image.astype(np.uint8)), rtol=1e-6)
        assert "made for the values" not in lost(model, path, spatial_dims=[12, 20], input_maximum=255)
        np.testing.assert_allclose(bare(network_of(path), image / 255), predicted(model, image.astype(np.uint8)), rtol=1e-5, atol=1e-5)


class TestAxes:
    """Axes in any order, in the plane and in space."""

    @pytest.mark.parametrize(
        ("order", "wanted"),
        [("byxc", "yxc"), ("bcxy", "yxc"), ("cyx", "yxc"), ("yx", "yxc"), ("bczyx", "zyxc"), ("bzyxc", "zyxc"), ("xczyb", "zyxc")],
    )
    def test_orders(self, tmp_path: Path, order: str, wanted: str) -> None:
        """Whatever the network takes, the file takes batch, axes in space, channel."""
        names = ("a", "b") if "c" in order else ("a",)
        made = {"b": BATCH, "c": channels(*names), **{a: space(a, {"min": 2, "step": 2}) for a in "zyx"}}
        out = {**made, **{a: space(a, follows(a)) for a in "zyx"}}
        power = helper.make_node("Pow", ["raw", "two"], ["out"])
        save_graph(tmp_path / "weights.onnx", [power], {"raw": len(order)}, {"out": len(order)}, two=np.float32(2).reshape(1))
        pre = [{"id": "scale_linear", "kwargs": {"axis": "channel", "gain": [2.0, 3.0]}}] if len(names) == 2 else []
        model = save_description_0_5(
            tmp_path, [tensor("raw", *(made[a] for a in order), preprocessing=pre)], [tensor("out", *(out[a] for a in order))]
        )
        sizes = {"z": 4, "y": 6, "x": 8}
        path = exported(model, tmp_path / "m.czann", type="Regression", spatial_dims=[sizes[a] for a in wanted[:-1]])
        shape = [*(sizes[a] for a in wanted[:-1]), len(names)]
        assert (metadata_of(path)["InputShape"], metadata_of(path)["OutputShape"]) == (shape, shape)
        image = np.random.default_rng(5).random((1, *shape)).astype(np.float32)
        found = bare(network_of(path), image)
        without = "c" not in order  # then the image has no channel axis, either
        expected = predicted(model, image[..., 0] if without else image, axes=f"b{wanted[: -1 if without else None]}")
        np.testing.assert_allclose(found, expected, atol=1e-5)

    def test_other_axes(self, tmp_path: Path) -> None:
        """Time is no axis of ZEN's."""
        time = {"type": "time", "size": {"min": 1, "step": 1}}
        follow = {"type": "time", "size": {"tensor_id": "raw", "axis_id": "time"}}
        made = [BATCH, channels(), space("y", 8), space("x", 8)]
        save_graph(tmp_path / "weights.onnx", [helper.make_node("Identity", ["raw"], ["out"])], {"raw": 5}, {"out": 5})
        model = save_description_0_5(tmp_path, [tensor("raw", *made, time)], [tensor("out", *made, follow)])
        with pytest.raises(InputError, match="the axis 'time' of 'raw' is no axis of ZEN's.*; the axis 'time' of 'out'"):
            exported(model, tmp_path / "m.czann")

    def test_legacy_in_space(self, tmp_path: Path) -> None:
        """A czmodel file has two axes in space."""
        model = pointwise_model(tmp_path, axes=("z", "y", "x"), **BOUNDED)
        with pytest.raises(InputError, match="three axes in space: expected two in a czmodel file"):
            exported(model, tmp_path / "m.czmodel")

    @pytest.mark.parametrize(
        ("size", "dims", "expected"),
        [
            ({"min": 64, "step": 16}, None, [512, 512]),
            ({"min": 600, "step": 100}, None, [600, 600]),
            ({"min": 5, "step": 7}, None, [509, 509]),
            (48, None, [48, 48]),
            ({"min": 64, "step": 16}, [64, 96], [64, 96]),
        ],
    )
    def test_sizes(self, tmp_path: Path, size: Any, dims: Any, expected: list[int]) -> None:
        """The size of a tile: as described, the largest that is not unusually large, or what is asked for."""
        path = exported(box_model(tmp_path, size), tmp_path / "m.czann", type="Regression", spatial_dims=dims)
        assert metadata_of(path)["InputShape"] == [*expected, 1]
        assert metadata_of(path)["MinOverlap"] == [2, 2]

    @pytest.mark.parametrize("dims", [[65, 64], [64], [64, 64, 64], [0, 64], "large"])
    def test_impossible_sizes(self, tmp_path: Path, dims: Any) -> None:
        """Sizes that the network does not take."""
        with pytest.raises(InputError, match="spatial_dims"):
            exported(box_model(tmp_path, {"min": 64, "step": 16}), tmp_path / "m.czann", type="Regression", spatial_dims=dims)

    def test_border(self, tmp_path: Path) -> None:
        """Another border than the halo."""
        path = exported(box_model(tmp_path, 64), tmp_path / "m.czann", type="Regression", border=7)
        assert metadata_of(path)["MinOverlap"] == [14, 14]

    def test_insisting_graph(self, tmp_path: Path) -> None:
        """A graph that takes another size than is described is told before it runs."""
        model = box_model(tmp_path, {"min": 64, "step": 16})
        save_graph(tmp_path / "weights.onnx", [helper.make_node("Identity", ["raw"], ["out"])], {"raw": ("b", 1, 64, 64)}, {"out": 4})
        with pytest.raises(InputError, match=r"takes an input of the shape \[0, 1, 64, 64\] and no other: expected it to take \[1, 1, 512"):
            exported(model, tmp_path / "m.czann", type="Regression")


class TestScaling:
    """Sizes of pixels, in metres along x, y, z."""

    @pytest.mark.parametrize(
        ("axes", "version", "expected"),
        [
            ("yx", "2.1.0", [1.3e-07, 6.5e-08]),
            ("zyx", "2.1.0", [1.3e-07, 6.5e-08, 5e-07]),
            ("zyx", "1.1.0", [1.3e-07, 6.5e-08]),
            ("yx", "1.0.0", None),
        ],
    )
    def test_described(self, tmp_path: Path, axes: str, version: str, expected: Any) -> None:
        """As the axes say it, as far as the version can."""
        pixel = {"z": (500, "nanometer"), "y": (0.065, "micrometer"), "x": (0.13, "micrometer")}
        made = [space(a, 8, scale=pixel[a][0], unit=pixel[a][1]) for a in axes]
        save_graph(tmp_path / "weights.onnx", [helper.make_node("Identity", ["raw"], ["out"])], {"raw": 5}, {"out": 5})
        rank = 2 + len(axes)
        save_graph(tmp_path / "weights.onnx", [helper.make_node("Identity", ["raw"], ["out"])], {"raw": rank}, {"out": rank})
        model = save_description_0_5(tmp_path, [tensor("raw", BATCH, channels(), *made)], [tensor("out", BATCH, channels(), *made)])
        said = lost(model, tmp_path / "m.czann", file_version=version)
        assert metadata_of(tmp_path / "m.czann").get("Scaling") == expected
        assert ("does not say the size of pixels" in said) == (version != "2.1.0")

    def test_given(self, tmp_path: Path) -> None:
        """By an option."""
        path = exported(box_model(tmp_path, 64), tmp_path / "m.czann", type="Regression", scaling=[1e-7, 2e-7])
        assert metadata_of(path)["Scaling"] == [1e-07, 2e-07]

    def test_unknown(self, tmp_path: Path) -> None:
        """Without a unit nothing is said."""
        assert "Scaling" not in metadata_of(exported(box_model(tmp_path, 64), tmp_path / "m.czann", type="Regression"))


class TestColor:
    """ZEN gives blue, green, red."""

    @pytest.mark.parametrize(
        ("names", "option", "flipped"),
        [
            (("red", "green", "blue"), None, True),
            (("R", "G", "B"), None, True),
            (("blue", "green", "red"), None, False),
            (("a", "b", "c"), None, False),
            (("a", "b", "c"), True, True),
            (("red", "green", "blue"), False, False),
            (("red", "green", "blue", "alpha"), None, True),
        ],
    )
    def test_order(self, tmp_path: Path, names: tuple[str, ...], option: bool | None, flipped: bool) -> None:
        """A network of red, green, blue gets its channels in that order; names or an option say it."""
        gain = [1.0, 10.0, 100.0, 1000.0][: len(names)]
        model = pointwise_model(tmp_path, names=names, gain=gain, pre=[{"id": "scale_linear", "kwargs": {"gain": 2.0}}])
        said = lost(model, tmp_path / "m.czann", type="Regression", spatial_dims=[8, 8], rgb_to_bgr=option)
        image = integers((1, 8, 8, len(names)))
        as_network = image[..., [2, 1, 0, 3][: len(names)]] if flipped else image
        found = bare(network_of(tmp_path / "m.czann"), image)
        np.testing.assert_allclose(found, predicted(model, as_network), rtol=1e-6)
        assert ("rgb_to_bgr=true" in said) == (names == ("a", "b", "c") and option is None)

    def test_no_color(self, tmp_path: Path) -> None:
        """Two channels are none."""
        with pytest.raises(InputError, match="rgb_to_bgr is for 3 or 4 channels, the network takes 2"):
            exported(pointwise_model(tmp_path, names=("a", "b")), tmp_path / "m.czann", type="Regression", rgb_to_bgr=True)


class TestClasses:
    """Probabilities that sum to 1."""

    def test_background(self, tmp_path: Path) -> None:
        """One probability gets a class for the rest."""
        model = pointwise_model(tmp_path, names=("nucleus",), gain=0.02, offset=-2, **BOUNDED)
        path = exported(model, tmp_path / "m.czann", spatial_dims=[12, 20])
        found = metadata_of(path)
        assert (found["Type"], found["Classes"]) == ("SingleClassSemanticSegmentation", ["Background", "nucleus"])
        assert_same(model, path, integers((1, 12, 20, 1)), background=True)

    def test_several_with_background(self, tmp_path: Path) -> None:
        """Several share what there is: divided by their sum where that is above 1."""
        model = pointwise_model(tmp_path, names=("a", "b"), gain=[0.02, 0.01], offset=-2, **BOUNDED)
        with pytest.raises(InputError, match="nothing says that the 2 channels of 'out' are probabilities that sum to 1"):
            exported(model, tmp_path / "m.czann")
        path = exported(model, tmp_path / "m.czann", spatial_dims=[12, 20], probabilities="background", classes=["none", "A", "B"])
        assert metadata_of(path)["Classes"] == ["none", "A", "B"]
        image = integers((1, 12, 20, 2))
        own = predicted(model, image)
        total = own.sum(-1, keepdims=True)
        expected = np.concatenate([np.maximum(0, 1 - total), own / np.maximum(1, total)], axis=-1)
        assert total.min() < 1 < total.max()
        np.testing.assert_allclose(bare(network_of(path), image), expected, atol=1e-6)

    def test_softmax_described(self, tmp_path: Path) -> None:
        """A softmax among the ops becomes part of the network, and makes it a segmentation."""
        model = pointwise_model(tmp_path, names=("a", "b"), gain=[0.02, 0.01], post=[{"id": "softmax"}])
        path = exported(model, tmp_path / "m.czmodel", spatial_dims=[12, 20])
        assert_same(model, path, integers((1, 12, 20, 2)))
        np.testing.assert_allclose(bare(network_of(path), integers((1, 12, 20, 2))).sum(-1), 1, atol=1e-6)

    def test_softmax_asked_for(self, tmp_path: Path) -> None:
        """Scores become probabilities."""
        model = pointwise_model(tmp_path, names=("a", "b"), gain=[0.02, 0.01])
        path = exported(model, tmp_path / "m.czann", spatial_dims=[12, 20], probabilities="softmax")
        assert metadata_of(path)["Type"] == "SingleClassSemanticSegmentation"
        scores = np.exp(predicted(model, integers((1, 12, 20, 2))))
        np.testing.assert_allclose(bare(network_of(path), integers((1, 12, 20, 2))), scores / scores.sum(-1, keepdims=True), atol=1e-6)

    def test_regression(self, tmp_path: Path) -> None:
        """What is not said to be probabilities is none; a czmodel file cannot hold it."""
        model = pointwise_model(tmp_path)
        found = metadata_of(exported(model, tmp_path / "m.czann", spatial_dims=[12, 20]))
        assert found["Type"] == "Regression"
        assert "Classes" not in found
        with pytest.raises(InputError, match="nothing says that the 1 channels of 'out' are probabilities"):
            exported(model, tmp_path / "m.czmodel")

    def test_too_few(self, tmp_path: Path) -> None:
        """One class is none."""
        model = pointwise_model(tmp_path, **BOUNDED)
        with pytest.raises(InputError, match="'out' has one class: expected at least two"):
            exported(model, tmp_path / "m.czann", probabilities="as_is")
        with pytest.raises(InputError, match="there are 3 classes in the option: expected 2"):
            exported(model, tmp_path / "m.czann", classes=["a", "b", "c"])

    def test_one_of_several_outputs(self, tmp_path: Path) -> None:
        """One output is chosen by its id."""
        nodes = [helper.make_node("Identity", ["raw"], ["one"]), helper.make_node("Neg", ["raw"], ["two"])]
        save_graph(tmp_path / "weights.onnx", nodes, {"raw": 4}, {"one": 4, "two": 4})
        made = [BATCH, channels(), space("y", 8), space("x", 8)]
        model = save_description_0_5(tmp_path, [tensor("raw", *made)], [tensor("one", *made), tensor("two", *made)])
        path = tmp_path / "m.czann"
        assert "Outputs other than two are not written: one." in lost(model, path, output="two")
        image = integers((1, 8, 8, 1))
        np.testing.assert_array_equal(bare(network_of(path), image), -image)
        with pytest.raises(InputError, match="there is no output 'three': expected one of one, two"):
            exported(model, path, output="three")


class TestFiles:
    """What is in a file, and in which order."""

    def test_czann(self, tmp_path: Path) -> None:
        """Metadata, network, license, test image; all stored."""
        (tmp_path / "LICENSE.md").write_text("mine")
        (tmp_path / "image.png").write_bytes(b"png")
        model = box_model(tmp_path, 64)
        path = tmp_path / "m.czann"
        options = {"license_file": str(tmp_path / "LICENSE.md"), "test_image": str(tmp_path / "image.png"), "type": "Regression"}
        assert "it lies in the file as a further member" in lost(model, path, **options)
        assert members(path) == ["model.json", "model.model", "LICENSE.md", "image.png"]
        assert uuid.UUID(metadata_of(path)["Id"])
        assert metadata_of(path)["ModelName"] == "made model"

    def test_same_bytes(self, tmp_path: Path) -> None:
        """The same model gives the same file."""
        model = box_model(tmp_path, 64)
        one, other = (exported(model, tmp_path / f"{name}.czann", type="Regression").read_bytes() for name in ("one", "other"))
        assert one == other

    @pytest.mark.parametrize(
        ("dtype", "names", "expected"),
        [
            ("uint8", ("a",), (["Gray8"], "ConvertToMonochrome")),
            ("uint16", ("a",), (["Gray16"], "ConvertToMonochrome")),
            ("float32", ("a",), (["Gray32Float"], "ConvertToMonochrome")),
            ("float32", ("a", "b"), (["Gray32Float", "Gray32Float"], "ConvertToMonochrome")),
            ("uint8", ("red", "green", "blue"), (["Bgr24"], "SplitRgb")),
            ("uint16", ("red", "green", "blue"), (["Bgr48"], "SplitRgb")),
            ("uint8", ("r", "g", "b", "alpha"), (["Bgra32"], "SplitRgb")),
        ],
    )
    def test_czmodel(self, tmp_path: Path, dtype: str, names: tuple[str, ...], expected: tuple[list[str], str]) -> None:
        """XML, network, license and a marker; the pixel type is that of the input."""
        (tmp_path / "LICENSE.txt").write_text("mine")
        model = pointwise_model(tmp_path, names=names, dtype=dtype, post=[{"id": "softmax"}])
        path = exported(
            model,
            tmp_path / "m.czmodel",
            spatial_dims=[8, 8],
            license_file=str(tmp_path / "LICENSE.txt"),
            id="5f0c6f0e-5d2b-4a53-9d55-0b9a3b1a7f10",
            probabilities="background",
        )
        guid = "5f0c6f0e-5d2b-4a53-9d55-0b9a3b1a7f10"
        assert members(path) == [f"{guid}.xml", f"{guid}.model", "LICENSE.txt", f"modelid={guid}"]
        bc.import_model(path, tmp_path / "again")
        found = bc.load_model_description(tmp_path / "again").config["czmodel"]
        assert (list(found["pixel_types"]), found["color_handling"]) == expected
        colors = [tuple(one["color"]) for one in found["classes"]]
        assert colors[:2] == [(255, 0, 0), (0, 255, 0)]
        assert [one["label"] for one in found["classes"]] == list(range(1, len(names) + 2))

    def test_versions(self, tmp_path: Path) -> None:
        """The newest by default; else what is asked for, or what a ZEN reads."""
        model = box_model(tmp_path, 64)
        for options, stated in (
            ({}, "2.1.0"),
            ({"file_version": "2-0-0"}, None),
            ({"zen_blue": "3.5"}, None),
            ({"zen_blue": "3.13", "zen_core": 3.2}, "error"),
            ({"zen_core": "3.13"}, "2.1.0"),
        ):
            try:
                found = metadata_of(exported(model, tmp_path / "m.czann", type="Regression", **options)).get("FormatVersion")
            except InputError:
                found = "error"
            assert found == stated

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"file_version": "9.0"}, r"there is no file version 9.0: expected one of 2.1.0 \(ZEN Blue 3.13, Core 3.13; ONNX opset 18\)"),
            ({"zen_blue": "3.4"}, "ZEN Blue 3.4 does not read czann files"),
            ({"zen_blue": 3.1}, "zen_blue 3.1 may be 3.1 or 3.10: write it as text"),
            ({"zen_core": "new"}, "expected zen_core as in '3.5'"),
            ({"file_version": "2.1.0", "zen_core": "3.5"}, "ZEN Core 3.5 does not read file version 2.1.0"),
            ({"type": "Other"}, "option type: expected one of SingleClass"),
            ({"license_file": "nowhere.txt"}, "option license_file: expected a file, found none at nowhere.txt"),
            ({"id": "mine"}, "option id: expected a UUID"),
            ({"border": -1, "rgb_to_bgr": 1, "scaling": [0, 1]}, "option border: .*; option rgb_to_bgr: .*; option scaling: "),
            ({"input_maximum": "many"}, "option input_maximum: "),
            ({"statistics": "image"}, "option statistics: expected one of tile"),
            ({"probabilities": "no"}, "option probabilities: expected one of softmax, background, as_is"),
            ({"classes": {"a": 1}}, "option classes: "),
        ],
    )
    def test_options(self, tmp_path: Path, options: dict[str, Any], words: str) -> None:
        """Values that make no sense, all of them listed."""
        with pytest.raises(InputError, match=words):
            exported(box_model(tmp_path, 64), tmp_path / "m.czann", **options)


class TestRoundTrip:
    """From a file to a description and back."""

    @pytest.mark.parametrize(
        "name",
        [
            "json_101.czmodel", "keras_101.czmodel", "keras_200.czann", "keras_300.czann", "keras_legacy_300.czseg", "onnx_101.czmodel",
            "onnx_101_notf.czmodel", "savedmodel_101.czmodel", "tiny_510.czann", "tiny_510_legacy.czmodel", "tiny_620.czann",
        ],
    )  # fmt: skip
    def test_shared_files(self, fixtures: Path, tmp_path: Path, name: str) -> None:
        """Files of official packages come back byte for byte, member for member."""
        kind = bc.import_model(fixtures / name, tmp_path / "model").format
        path = tmp_path / name
        bc.export_model(tmp_path / "model", kind, path)
        with zipfile.ZipFile(fixtures / name) as one, zipfile.ZipFile(path) as other:
            assert one.namelist() == other.namelist()
            for member in one.namelist():
                assert one.read(member) == other.read(member), member

    def test_all_that_czann_says(self, tmp_path: Path) -> None:
        """Keys of no version, another order of classes and several files, too."""
        path = write_czann(
            tmp_path / "m.czann", license_text=b"mine", Comment={"by": ["me"]}, Type="MultiClassSemanticSegmentation", FormatVersion="2.1.0"
        )
        bc.import_model(path, tmp_path / "model")
        exported(tmp_path / "model", tmp_path / "again.czann")
        assert metadata_of(tmp_path / "again.czann") == metadata_of(path)
        assert members(tmp_path / "again.czann") == members(path)

    def test_all_that_czmodel_says(self, tmp_path: Path) -> None:
        """Colors and labels of classes, postprocessing and version."""
        xml = XML.replace('Version="3.1.0"', 'Version="3.0.0"').replace("<Postprocessing />", "<Postprocessing>CRF</Postprocessing>")
        path = write_czmodel(tmp_path / "m.czmodel", xml)
        bc.import_model(path, tmp_path / "model")
        exported(tmp_path / "model", tmp_path / "again.czmodel")
        with zipfile.ZipFile(path) as one, zipfile.ZipFile(tmp_path / "again.czmodel") as other:
            assert [one.read(name) for name in one.namelist()] == [other.read(name) for name in other.namelist()]

    def test_from_one_to_the_other(self, tmp_path: Path) -> None:
        """A czann file as a czmodel file: classes and border stay."""
        bc.import_model(write_czann(tmp_path / "m.czann"), tmp_path / "model")
        path = exported(tmp_path / "model", tmp_path / "m.czmodel")
        bc.import_model(path, tmp_path / "again")
        found = bc.load_model_description(tmp_path / "again")
        assert found.outputs[0].axes[-1].channel_names == ("Background", "Interesting Object")
        assert [axis.halo for axis in found.outputs[0].axes[1:3]] == [2, 2]
        assert found.config["czmodel"]["pixel_types"] == ("Bgr96Float",)

    def test_changed(self, tmp_path: Path) -> None:
        """What was changed in the description since is written as it is now."""
        bc.import_model(write_czann(tmp_path / "m.czann"), tmp_path / "model")
        file = tmp_path / "model" / "bioimageio.yaml"
        text = file.read_text().replace("scale: 0.25", "scale: 0.5").replace("name: made", "name: another")
        text = text.replace("halo: 2", "halo: 3").replace("Interesting Object", "Nucleus", 1)
        file.write_text(text)
        found = metadata_of(exported(tmp_path / "model", tmp_path / "again.czann", type="SingleClassSemanticSegmentation"))
        assert found["Scaling"] == [1e-07, 5e-07]
        assert found["MinOverlap"] == [6, 6]
        assert found["Id"] == "5f0c6f0e-5d2b-4a53-9d55-0b9a3b1a7f10"
