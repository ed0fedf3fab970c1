"""Networks that list objects: none found, and objects beyond the image."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from bmz_process import run_process
from made_models import BATCH, channels, follows, save_description_0_5, save_graph, space, tensor, with_test_tensors
from onnx import TensorProto, helper

import bioimageio_core as bc
from bioimageio_core.errors import BlockError, DeviceMemoryError, PredictionWarning
from bioimageio_core.prediction.model.network import Network

STEPPED = {"min": 8, "step": 4}
OBJECTS = {"type": "index", "id": "object", "size": {"min": 1}}
IMAGE = np.random.default_rng(1).random((17, 19), dtype=np.float32)
BRIGHT = np.argwhere(IMAGE > 0.9)
"""Positions y, x of pixels that the network finds."""

NOTHING = np.zeros((16, 16), np.float32)


def detector(
    folder: Path, *, names: Sequence[str] = ("y", "x"), scale: float = 1.0, halo: int = 0, post: Sequence[dict[str, Any]] = ()
) -> Path:
    """List positions (times a scale) and values of pixels above 0.9; with a halo, also return the image."""
    order = [3, 2] if names == ("x", "y") else [2, 3]
    nodes = [
        helper.make_node("Greater", ["raw", "threshold"], ["bright"]),
        helper.make_node("NonZero", ["bright"], ["where"]),
        helper.make_node("Transpose", ["where"], ["indices"], perm=[1, 0]),
        helper.make_node("GatherND", ["raw", "indices"], ["value"]),
        helper.make_node("Gather", ["indices", "order"], ["chosen"], axis=1),
        helper.make_node("Cast", ["chosen"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["numbers", "scale"], ["position"]),
        helper.make_node("Identity", ["raw"], ["same"]),
    ]
    outputs = {"position": 2, "value": 1, **({"same": 4} if halo else {})}
    constants = {"threshold": np.float32(0.9), "order": np.array(order), "scale": np.float32(scale)}
    save_graph(folder / "weights.onnx", nodes if halo else nodes[:-1], {"raw": 4}, outputs, **constants)
    described = [tensor("position", OBJECTS, channels(*names)), tensor("value", OBJECTS, postprocessing=list(post))]
    if halo:
        described.append(tensor("same", BATCH, channels(), *(space(a, follows(a), halo=halo) for a in "yx")))
    raw = tensor("raw", {**BATCH, "size": 1}, channels(), space("y", STEPPED), space("x", STEPPED))
    return save_description_0_5(folder, [raw], described)


def arrays(prediction: bc.Prediction) -> dict[str, np.ndarray]:
    """Return the outputs as numpy arrays."""
    return {name: np.asarray(array) for name, array in prediction.items()}


class TestNoneFound:
    """An image without objects gives arrays without entries."""

    def test_in_memory(self, tmp_path: Path) -> None:
        """The other axes keep their sizes."""
        found = arrays(bc.predict(detector(tmp_path), NOTHING))
        assert {name: (a.shape, a.dtype) for name, a in found.items()} == {"position": ((0, 2), np.float32), "value": ((0,), np.float32)}

    def test_in_zarr(self, tmp_path: Path) -> None:
        """Chunks have a size of at least 1, and a resumed run finds the output complete."""
        model = detector(tmp_path)
        for options in ({}, {"resume": True}):
            found = bc.predict(model, NOTHING, tmp_path / "found.zarr", **options)
            assert {n: a.shape for n, a in found.items()} == {"position": (0, 2), "value": (0,)}
        group = zarr.open_group(tmp_path / "found.zarr", mode="r")
        assert {n: (a.shape, a.chunks) for n, a in group.arrays()} == {"position": ((0, 2), (1, 2)), "value": ((0,), (1,))}

    def test_statistics_of_no_values(self, tmp_path: Path) -> None:
        """They are NaN, which the attributes of the output store as null: JSON has no NaN."""
        model = detector(tmp_path, post=[{"id": "zero_mean_unit_variance"}])
        assert bc.predict(model, NOTHING, tmp_path / "found.zarr")["value"].shape == (0,)

        def refuse(constant: str) -> None:
            raise AssertionError(constant)

        attributes = json.loads((tmp_path / "found.zarr" / "zarr.json").read_text(), parse_constant=refuse)["attributes"]
        assert list(attributes["bioimageio_core"]["statistics"].values()) == [None, None]

    def test_command(self, tmp_path: Path) -> None:
        """Image and output on disk, resumed, and the test of the model with a page."""
        model = detector(tmp_path)
        np.save(tmp_path / "image.npy", NOTHING)
        predict = ("predict", str(model), "image.npy", "--axes", "yx", "-o", "found.zarr")
        assert "found.zarr/position: float32, object 0, channel 2" in run_process(*predict, cwd=tmp_path).out
        assert "already complete" in run_process(*predict, "--resume", cwd=tmp_path).out
        outputs = {"position": np.zeros((0, 2), np.float32), "value": np.zeros(0, np.float32)}
        with_test_tensors(model, {"raw": NOTHING[None, None]}, outputs)
        tested = run_process("test", str(model), "--html", "page.html", "--json", cwd=tmp_path)
        assert [o["elements"] for o in tested.json["tests"][0]["outputs"]] == [0, 0]
        assert (tmp_path / "page.html").exists()

    def test_some_found(self, tmp_path: Path) -> None:
        """Statistics are those of the found values, and all of them are in one chunk."""
        model = detector(tmp_path, post=[{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["object"], "eps": 1e-6}}])
        image = np.random.default_rng(0).random((64, 64), dtype=np.float32)
        bc.predict(model, image, tmp_path / "found.zarr")
        group = zarr.open_group(tmp_path / "found.zarr", mode="r")
        values = image[image > 0.9].astype(np.float64)
        assert group["position"].chunks == group["position"].shape == (len(values), 2)
        np.testing.assert_allclose(group["value"][:], (values - values.mean()) / (values.std() + 1e-6), rtol=1e-3, atol=1e-4)


class TestBeyondTheImage:
    """The network sees 20 x 20 pixels of an image of 17 x 19."""

    @pytest.mark.parametrize("names", [("y", "x"), ("x", "y"), ("Y", "X")])
    def test_left_out(self, tmp_path: Path, names: tuple[str, str]) -> None:
        """All outputs lose the same entries, whichever order positions have; the result says how many."""
        result = bc.predict(detector(tmp_path, names=names), IMAGE)
        found = arrays(result)
        expected = BRIGHT[:, ::-1] if names == ("x", "y") else BRIGHT
        np.testing.assert_array_equal(found["position"], expected)
        np.testing.assert_array_equal(found["value"], IMAGE[IMAGE > 0.9])
        padded = np.pad(IMAGE, ((0, 3), (0, 1)), mode="symmetric")
        lost = int((padded > 0.9).sum()) - len(BRIGHT)
        assert result.notes == (f"{lost} of {lost + len(BRIGHT)} objects along axis 'object' are beyond the image, and left out",)

    def test_statistics_without_them(self, tmp_path: Path) -> None:
        """Postprocessing sees the objects of the image alone."""
        found = arrays(bc.predict(detector(tmp_path, post=[{"id": "zero_mean_unit_variance"}]), IMAGE))
        assert abs(float(found["value"].mean())) < 1e-3
        assert len(found["value"]) == len(BRIGHT)

    def test_halo_before_the_image(self, tmp_path: Path) -> None:
        """Positions count from the first pixel of the image where the block begins before it."""
        found = arrays(bc.predict(detector(tmp_path, halo=3), IMAGE))
        np.testing.assert_array_equal(found["position"], BRIGHT)
        np.testing.assert_array_equal(found["same"].squeeze(), IMAGE)

    def test_region_of_interest(self, tmp_path: Path) -> None:
        """Positions count from the first pixel of the image, and objects outside of the region are left out."""
        found = arrays(bc.predict(detector(tmp_path), IMAGE, roi={"y": (6, 13)}))
        np.testing.assert_array_equal(found["position"], BRIGHT[(BRIGHT[:, 0] >= 6) & (BRIGHT[:, 0] < 13)])

    def test_exact_image(self, tmp_path: Path) -> None:
        """Nothing is said or left out where the network sees the image alone, wherever positions are."""
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = bc.predict(detector(tmp_path, scale=100.0), IMAGE[:16, :16], axes="yx")
        np.testing.assert_array_equal(result["position"], 100 * np.argwhere(IMAGE[:16, :16] > 0.9))
        assert result.notes == ()

    @pytest.mark.parametrize("names", [("row", "column"), ("y", "height")])
    def test_positions_not_known(self, tmp_path: Path, names: tuple[str, ...]) -> None:
        """Other names may mean other values: all objects are kept, with a warning."""
        model = detector(tmp_path, names=names)
        with pytest.warns(PredictionWarning, match=r"'position', 'value': the network sees pixels 0 to 20 along 'y', of which 0 to 17"):
            result = bc.predict(model, IMAGE, axes="yx")
        assert result["position"].shape[0] > len(BRIGHT)

    def test_positions_in_other_units(self, tmp_path: Path) -> None:
        """Positions outside of the block are not in its pixels: all objects are kept, with a note."""
        result = bc.predict(detector(tmp_path, scale=10.0), IMAGE)
        assert result["position"].shape[0] > len(BRIGHT)
        assert "positions outside of the pixels that the network sees" in result.notes[0]


class TestOneBlock:
    """Lists of objects are never assembled from several blocks."""

    def test_several_positions_of_an_axis(self, tmp_path: Path) -> None:
        """The error says how to predict them one by one, which works."""
        model, images = detector(tmp_path), np.stack([IMAGE[:16, :16], NOTHING])
        with pytest.raises(BlockError, match=r"2 blocks along axis 'time'.*roi=\{'time': \(0, 1\)\}"):
            bc.predict(model, images, axes="tyx")
        assert bc.predict(model, images, axes="tyx", roi={"time": (1, 2)})["position"].shape == (1, 0, 2)

    def test_full_device(self, tmp_path: Path) -> None:
        """A block that does not fit into the memory of a device is not halved."""
        with bc.open_predictor(detector(tmp_path)) as predictor:
            plan = predictor.plan(IMAGE)
            key = (plan.weights, plan.run_mode, plan.threads, plan.workers)
            predictor._loaded = (key, Network([_Full()], [None], calls=1))
            with pytest.raises(DeviceMemoryError, match="full"):
                predictor.run(plan)


class _Full:
    """An adapter whose device has no memory left."""

    def __call__(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        raise DeviceMemoryError("the device is full")

    def close(self) -> None:
        """Nothing to free."""
