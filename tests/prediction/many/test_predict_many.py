"""Many images, statistics of datasets, pixel sizes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from made_models import BATCH, box_model, channels, follows, identity_graph, pointwise_model, save_description_0_5, space, tensor

import bioimageio_core as bc
from bioimageio_core.errors import AxesError, InputError
from bioimageio_core.io import open_image
from bioimageio_core.io.reading.rescaled import rescaled
from bioimageio_core.prediction.many.predict_many import predict_many
from bioimageio_core.prediction.many.requests import plan_many
from bioimageio_core.sources import hashes

DATASET = [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["batch", "y", "x"]}}]
SAMPLE = [{"id": "scale_range", "kwargs": {"axes": ["y", "x"], "min_percentile": 1, "max_percentile": 99.8}}]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Twice the image."""
    (tmp_path / "model").mkdir()
    return pointwise_model(tmp_path / "model", gain=2.0)


def save(path: Path, data: np.ndarray) -> Path:
    """Write an image with axes."""
    zarr.create_array(str(path), data=data, dimension_names=("y", "x"))
    return path


class TestMany:
    """Many images with one predictor."""

    def test_weights_are_hashed_once(self, tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Weights without a described SHA-256 are read for it once, for all images, and again if they change."""
        hashed = []
        compute = hashes.sha256_of
        monkeypatch.setattr(hashes, "sha256_of", lambda path: hashed.append(path.name) or compute(path))
        images = [save(tmp_path / f"{n}.zarr", np.full((20, 30), n, np.float32)) for n in range(3)]
        with bc.open_predictor(model) as predictor:
            found = list(predict_many(predictor, plan_many(images, str(tmp_path / "out"))))
            assert [float(np.asarray(f["out"]).max()) for f in found] == [0.0, 2.0, 4.0]  # type: ignore[index]
            assert hashed == ["weights.onnx"]
            (weights,) = model.glob("*.onnx")
            os.utime(weights, ns=(1, 1))
            predictor.plan(images[0])
        assert hashed == ["weights.onnx"] * 2

    def test_bad_file_among_many(self, tmp_path: Path, model: Path) -> None:
        """The failure of one image is yielded in its place, and the rest is predicted."""
        (tmp_path / "plate").mkdir()
        for n in range(7):
            save(tmp_path / "plate" / f"w{n}.zarr", np.full((20, 30), n, np.float32))
        (tmp_path / "plate" / "w3.zarr" / "zarr.json").write_text("{")
        (tmp_path / "plate" / "notes.txt").write_text("ignored")
        results = list(bc.predict_many(model, tmp_path / "plate", tmp_path / "out" / "{name}-{number}.zarr"))
        assert [isinstance(r, bc.Failed) for r in results] == [n == 3 for n in range(7)]
        failed = results[3]
        assert isinstance(failed, bc.Failed)
        assert "w3.zarr" in str(failed.error)
        for n in (0, 6):
            assert zarr.open_group(str(tmp_path / "out" / f"w{n}-{n}.zarr"), mode="r")["0"][0, 0, 0] == 2 * n
        assert not (tmp_path / "out" / "w3-3.zarr").exists()

    def test_axes_of_all(self, tmp_path: Path, model: Path) -> None:
        """Axes hold for all images; the failure of one with another number of them says what to do."""
        for name, shape in (("a", (20, 30)), ("b", (3, 20, 30))):
            np.save(tmp_path / f"{name}.npy", np.ones(shape, np.float32))
        results = bc.predict_many(model, [tmp_path / "a.npy", tmp_path / "b.npy"], tmp_path / "out", axes="yx")
        found = {Path(one.inputs).stem: one for one in results if isinstance(one, bc.Failed)}
        assert list(found) == ["b"]
        assert "b has 3 axes (shape (3, 20, 30)), and axes= is 'yx'" in str(found["b"].error)
        assert "in a run of their own" in str(found["b"].error)

    def test_pattern_and_resume(self, tmp_path: Path, model: Path) -> None:
        """The output is a folder; a second call with ``resume`` computes nothing."""
        for n in range(3):
            save(tmp_path / f"a{n}.zarr", np.ones((9, 9), np.float32))
        pattern = str(tmp_path / "a*.zarr")
        first = list(bc.predict_many(model, pattern, tmp_path / "out"))
        assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a0.zarr", "a1.zarr", "a2.zarr"]
        again = list(bc.predict_many(model, pattern, tmp_path / "out", resume=True))
        assert [r.done_before for r in again] == [r.plan.regions.count for r in first]  # type: ignore[union-attr]

    @pytest.mark.parametrize(
        ("template", "ending"),
        [("{folder}", ".npy"), ("{folder}/{{name}}_out.zarr", ".npy"), ("{folder}/{{name}}_out.zarr", ".zarr")],
    )
    def test_outputs_among_the_images(self, tmp_path: Path, model: Path, template: str, ending: str) -> None:
        """A batch that writes into the folder of its images is resumed by the same call: its outputs are no images of it."""
        folder = tmp_path / "images"
        folder.mkdir()
        template = template.format(folder=folder)
        for name in "ab":
            if ending == ".npy":
                np.save(folder / f"{name}.npy", np.full((8, 8), ord(name), np.float32))
            else:
                zarr.create_array(str(folder / f"{name}.zarr"), data=np.full((8, 8), ord(name), np.float32))
        for _ in range(3):
            found = list(bc.predict_many(model, folder, template, axes="yx", resume=True))
            assert [type(one).__name__ for one in found] == ["Prediction", "Prediction"]
        assert len(list(folder.iterdir())) == 4

    def test_same_output(self, tmp_path: Path, model: Path) -> None:
        """Two images with the same output are refused; the field ``folder`` distinguishes them."""
        paths = []
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            paths.append(save(tmp_path / folder / "x.zarr", np.ones((9, 9), np.float32)))
        with pytest.raises(InputError, match="have the same output"):
            bc.predict_many(model, paths, tmp_path / "out")
        list(bc.predict_many(model, paths, tmp_path / "{folder}-{name}.zarr"))
        assert (tmp_path / "b-x.zarr").exists()
        with pytest.raises(InputError, match="expected the fields"):
            bc.predict_many(model, paths, tmp_path / "{nam}.zarr")

    def test_nothing_is_guessed(self, tmp_path: Path, model: Path) -> None:
        """Axes of many images are never guessed."""
        np.save(tmp_path / "x.npy", np.ones((9, 9), np.float32))
        (failed,) = bc.predict_many(model, [tmp_path / "x.npy"], tmp_path / "out")
        assert isinstance(failed, bc.Failed)
        assert isinstance(failed.error, AxesError)
        (fine,) = bc.predict_many(model, [tmp_path / "x.npy"], tmp_path / "out", axes="yx")
        assert isinstance(fine, bc.Prediction)


class TestStatistics:
    """Statistics that are measured before predictions."""

    def test_of_a_dataset(self, tmp_path: Path) -> None:
        """Images of different sizes are measured as one, and predictions use it."""
        model = pointwise_model(tmp_path, gain=1.0, pre=DATASET)
        images = [np.random.default_rng(n).normal(n, 1 + n, (40 + n, 30)).astype(np.float32) for n in range(3)]
        found = bc.compute_statistics(images, model)
        everything = np.concatenate([i.ravel() for i in images]).astype(np.float64)
        mean, std = (np.ravel(v)[0] for v in found.dataset.values())
        assert mean == pytest.approx(everything.mean(), rel=1e-12)
        assert std == pytest.approx(everything.std(), rel=1e-12)
        out = np.asarray(bc.predict(model, images[1], statistics=found)["out"])[0, 0]
        np.testing.assert_allclose(out, (images[1] - mean) / (std + 1e-6), rtol=1e-4, atol=1e-5)

    def test_of_each_image(self, tmp_path: Path) -> None:
        """Saved statistics of an image are used for this image only."""
        (tmp_path / "m").mkdir()
        model = pointwise_model(tmp_path / "m", gain=1.0, pre=SAMPLE)
        paths = [save(tmp_path / f"{n}.zarr", np.random.default_rng(n).random((50, 60), dtype=np.float32)) for n in range(2)]
        found = bc.compute_statistics(paths[:1], model)
        found.save(tmp_path / "s.json")
        seen: list[str] = []
        for path, measured in zip(paths, (False, True), strict=True):
            seen.clear()
            given = bc.predict(model, path, statistics=tmp_path / "s.json", progress=lambda stage, done, total: seen.append(stage))
            assert any(s.startswith("statistics") for s in seen) == measured
            np.testing.assert_array_equal(np.asarray(given["out"]), np.asarray(bc.predict(model, path)["out"]))
        assert json.loads((tmp_path / "s.json").read_text())["images"]

    def test_without_a_model(self, tmp_path: Path) -> None:
        """Any measure over any axes, compared with numpy."""
        image = np.random.default_rng(0).integers(0, 60000, (3, 41, 52)).astype("uint16")
        path = tmp_path / "i.zarr"
        zarr.create_array(str(path), data=image, chunks=(1, 16, 16), dimension_names=("c", "y", "x"))
        names = ["mean", "std", "min", "max", "median", "percentile 99.8", "percentile 7 inverted_cdf"]
        found = bc.compute_statistics(path, measures=names, over=["y", "x"]).dataset
        whole = image.astype(np.float64)
        expected: list[Any] = [whole.mean((1, 2)), whole.std((1, 2)), whole.min((1, 2)), whole.max((1, 2)), np.median(whole, (1, 2))]
        expected += [np.percentile(whole, 99.8, (1, 2)), np.percentile(whole, 7, (1, 2), method="inverted_cdf")]
        for value, wanted in zip(found.values(), expected, strict=True):
            np.testing.assert_allclose(np.ravel(value), wanted, rtol=1e-12)
        for bad in ("mode", "percentile", "percentile 101", "percentile 5 nearest", "mean 3"):
            with pytest.raises(InputError, match="unknown measure"):
                bc.compute_statistics(path, measures=[bad])
        with pytest.raises(InputError, match="unknown axis 'z'"):
            bc.compute_statistics(path, over=["z"])

    @pytest.mark.parametrize("most", [1, 5000, 10**9])
    def test_many_groups(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
        """Percentiles over time of every pixel are measured in slabs with few groups each, with the same result."""
        monkeypatch.setattr("bioimageio_core.prediction.data.split_along_axis.MAX_COUNTS", most)
        pre = [{"id": "scale_range", "kwargs": {"axes": ["z"], "min_percentile": 10, "max_percentile": 90}}]
        model = pointwise_model(tmp_path, axes=("z", "y", "x"), gain=1.0, pre=pre)
        image = np.random.default_rng(0).random((15, 40, 33), dtype=np.float32)
        found = np.asarray(bc.predict(model, image, axes="zyx", block={"y": 16})["out"])[0, 0]
        low, high = np.percentile(image.astype(np.float64), (10, 90), axis=0)
        np.testing.assert_allclose(found, (image - low) / (high - low + 1e-6), rtol=1e-4, atol=1e-5)

    def test_unfit(self, tmp_path: Path) -> None:
        """Images that differ along a kept axis, and a file without statistics, are refused."""
        images = [np.ones((2, 9, 9), np.float32), np.ones((3, 9, 9), np.float32)]
        with pytest.raises(InputError, match="over several images"):
            bc.compute_statistics(images, axes="cyx", over=["y", "x"])
        (tmp_path / "x.json").write_text("{}")
        for name in ("x.json", "none.json"):
            with pytest.raises(InputError, match=r"expected .*bmz stats"):
                bc.predict(pointwise_model(tmp_path), images[0], statistics=tmp_path / name)


def scaled_model(folder: Path, y: float, x: float) -> Path:
    """Return an identity model with pixels of these sizes, in micrometres."""
    identity_graph(folder / "weights.onnx")
    axes = [space("y", {"min": 8, "step": 1}, scale=y, unit="micrometer"), space("x", {"min": 8, "step": 1}, scale=x, unit="micrometer")]
    out = [space(a, follows(a), scale=s, unit="micrometer") for a, s in (("y", y), ("x", x))]
    return save_description_0_5(folder, [tensor("raw", BATCH, channels(), *axes)], [tensor("out", BATCH, channels(), *out)])


class TestPixelSize:
    """Pixel sizes of the model and of the image."""

    def test_warning(self, tmp_path: Path) -> None:
        """A different pixel size causes a warning with the remedy; a similar one does not."""
        predictor = bc.open_predictor(scaled_model(tmp_path, 0.5, 0.5))
        image = np.ones((40, 40), np.float32)
        assert predictor.plan(image).warnings == ()
        assert predictor.plan(image, pixel_size={"y": 0.52}).warnings == ()
        (warning,) = predictor.plan(image, pixel_size={"y": 1.0}).warnings
        assert "2 times as large along axis 'y'" in warning
        assert "--rescale" in warning

    def test_rescaled(self, tmp_path: Path) -> None:
        """Each axis is resampled by its own factor, in blocks as in one block; a ramp stays a ramp."""
        (tmp_path / "m").mkdir()
        model = scaled_model(tmp_path / "m", 0.5, 0.25)
        ramp = np.add.outer(np.arange(60.0), 3 * np.arange(50.0)).astype(np.float32)
        group = zarr.create_group(str(tmp_path / "i.zarr"), zarr_format=2)
        group.create_array("0", data=ramp, chunks=(16, 16))
        axes = [{"name": a, "type": "space", "unit": "micrometer"} for a in "yx"]
        scale = [{"type": "scale", "scale": [1.0, 0.5]}]
        group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}]
        whole = np.asarray(bc.predict(model, tmp_path / "i.zarr", rescale=True)["out"])[0, 0]
        assert whole.shape == (120, 100)
        blocks = np.asarray(bc.predict(model, tmp_path / "i.zarr", rescale=True, block={"y": 32, "x": 24})["out"])[0, 0]
        np.testing.assert_array_equal(blocks, whole)
        y, x = np.meshgrid((np.arange(120) + 0.5) / 2 - 0.5, (np.arange(100) + 0.5) / 2 - 0.5, indexing="ij")
        np.testing.assert_allclose(whole[2:-2, 2:-2], (y + 3 * x)[2:-2, 2:-2], rtol=1e-5)

    def test_means_where_pixels_get_larger(self) -> None:
        """Larger pixels are means of all smaller ones: noise decreases, and a constant stays."""
        noise = np.random.default_rng(0).normal(0, 1, (400, 400)).astype(np.float32)
        image = open_image(noise, axes="yx")
        small = rescaled(image, {"y": 0.25, "x": 0.25}).read((slice(0, 100), slice(0, 100)))
        assert small.std() < 0.25
        assert (
            rescaled(open_image(np.full((30, 30), 7, "uint8"), axes="yx"), {"y": 0.3, "x": 1.7}).read((slice(0, 9), slice(0, 51))).std()
            < 1e-5
        )

    def test_unknown(self, tmp_path: Path) -> None:
        """Without a known pixel size, rescaling is refused."""
        with pytest.raises(InputError, match=r"is unknown.*give pixel_size="):
            bc.predict(scaled_model(tmp_path, 0.5, 0.5), np.ones((20, 20), np.float32), rescale=True)
        (tmp_path / "other").mkdir()
        with pytest.raises(InputError, match="pixel size of the model"):
            bc.predict(box_model(tmp_path / "other", {"min": 16, "step": 4}), np.ones((20, 20), np.float32), rescale=True)
