"""Volumes predicted with a convolution of planes, beside ONNX Runtime on the slices of the complete volume."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import yaml
import zarr

import bioimageio_core as bc
from bioimageio_core.errors import InputError

KERNEL = np.arange(25, dtype=np.float32).reshape(5, 5)
"""A filter that looks in one direction; whole numbers, so that sums are exact in any order."""

HALO = 2
STANDARDISED = [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["channel", "y", "x"]}}]
MODE: dict[str, Any] = {"run_mode": "orthoplanes"}
BLOCKS = [{"z": 12, "y": 24, "x": 20}, {"z": 32, "y": 20, "x": 16}, {"z": 12, "y": 64, "x": 32}]


def conv_model(
    folder: Path, *, axes: str = "yx", size: Any = None, scale: float = 1.0, pre: Any = (), post: Any = (), gain: float = 1.0, **more: Any
) -> Path:
    """Write a model whose network is a convolution with `KERNEL`, padded with zeros; along zyx it returns what it gets."""
    folder.mkdir(parents=True, exist_ok=True)
    dims = ["b", "c", *axes]
    info = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, dims) for name in ("raw", "out")]
    kernel = onnx.numpy_helper.from_array(gain * KERNEL[None, None], "kernel")
    node = onnx.helper.make_node("Conv", ["raw", "kernel"], ["out"], pads=[2] * 4)
    if axes != "yx":
        node = onnx.helper.make_node("Identity", ["raw"], ["out"])
    graph = onnx.helper.make_graph([node], "made", info[:1], info[1:], [kernel])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), str(folder / "weights.onnx"))
    first = [{"type": "batch"}, {"type": "channel", "channel_names": ["intensity"]}]
    space = {"type": "space", "unit": "micrometer", "scale": scale}
    raw = [{**space, "id": a, "size": size or {"min": 8, "step": 4}} for a in axes]
    out = [{**space, "id": a, "size": {"tensor_id": "raw", "axis_id": a}, "halo": HALO} for a in axes]
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
        "inputs": [{"id": "raw", "axes": [*first, *raw], "data": {"type": "float32"}, "preprocessing": list(pre)}],
        "outputs": [{"id": "out", "axes": [*first, *out], "data": {"type": "float32"}, "postprocessing": list(post)}],
        "weights": {"onnx": {"source": "weights.onnx", "opset_version": 17}},
        **more,
    }
    (folder / "README.md").write_text("# Validation\nnone\n")
    (folder / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
    return folder


def by_onnxruntime(model: Path, volume: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the mean over all slices of a volume in three orientations, mirrored beyond its borders."""
    session = onnxruntime.InferenceSession(str(model / "weights.onnx"), providers=["CPUExecutionProvider"])
    padded = np.pad(volume, HALO, mode="symmetric")
    total = np.zeros(padded.shape, np.float64)
    for order in ((0, 1, 2), (1, 0, 2), (2, 0, 1)):  # slices at each z, along y and x; at each y, along z and x; at each x, along z and y
        slices = np.ascontiguousarray(padded.transpose(order)[:, None])
        (found,) = session.run(None, {"raw": slices})
        total += found[:, 0].transpose(np.argsort(order))
    return (total / 3)[HALO:-HALO, HALO:-HALO, HALO:-HALO]


def standardised(volume: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the volume less its mean, divided by its standard deviation."""
    exact = volume.astype(np.float64)
    return ((exact - exact.mean()) / (exact.std() + 1e-6)).astype(np.float32)


def noise(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Return whole numbers as float32, brighter from slice to slice, so that statistics of a slice are not those of the volume."""
    levels = 20 * np.arange(shape[-3]).reshape(-1, 1, 1)
    return (np.random.default_rng(seed).integers(0, 100, shape) + levels).astype(np.float32)


def pixels(prediction: Any) -> np.ndarray[Any, Any]:
    """Return the output of a prediction along zyx."""
    found = np.asarray(prediction["out"])
    return found.reshape(found.shape[-3:])


@pytest.fixture
def volume(tmp_path: Path) -> np.ndarray[Any, Any]:
    """A volume in memory, and in volume.zarr."""
    found = noise(21, 34, 45)
    zarr.create_array(str(tmp_path / "volume.zarr"), data=found, chunks=(8, 16, 16), dimension_names=("z", "y", "x"))
    return found


class TestBlocks:
    """Blocks give what the whole gives, and that is what the network gives for slices."""

    def test_bit_for_bit(self, tmp_path: Path, volume: np.ndarray[Any, Any]) -> None:
        """Of whole numbers, whatever the blocks."""
        model = conv_model(tmp_path / "model")
        whole = bc.predict(model, volume, axes="zyx", **MODE)
        assert whole["out"].axes == ("batch", "channel", "z", "y", "x")
        np.testing.assert_allclose(pixels(whole), by_onnxruntime(model, volume), rtol=1e-6)
        for n, block in enumerate(BLOCKS):
            found = bc.predict(model, tmp_path / "volume.zarr", tmp_path / f"{n}.zarr", block=block, **MODE)
            assert found.plan is not None
            assert found.plan.regions.block_count > 4
            np.testing.assert_array_equal(pixels(found), pixels(whole))

    @pytest.mark.parametrize("block", BLOCKS)
    def test_statistics_of_the_volume(self, tmp_path: Path, volume: np.ndarray[Any, Any], block: dict[str, int]) -> None:
        """Mean and standard deviation are those of the volume, not of slices."""
        model = conv_model(tmp_path / "model", pre=STANDARDISED)
        found = bc.predict(model, tmp_path / "volume.zarr", tmp_path / "out.zarr", block=block, **MODE)
        np.testing.assert_allclose(pixels(found), by_onnxruntime(model, standardised(volume)), atol=2e-3)  # of up to 300

    def test_resumed(self, tmp_path: Path, volume: np.ndarray[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """An interrupted run continues, and gives what an uninterrupted one gives."""
        monkeypatch.setattr("bioimageio_core.prediction.execution.progress.REPORT_EVERY", 0.0)  # on a fast machine, only the end is told
        model = conv_model(tmp_path / "model", pre=STANDARDISED)
        paths, options = (tmp_path / "volume.zarr", tmp_path / "out.zarr"), {"block": BLOCKS[0], **MODE}
        seen: list[int] = []

        def interrupt(stage: str, done: int, total: int) -> None:
            seen.append(done)
            if stage == "predict" and 0 < total // 2 <= done < total:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            bc.predict(model, *paths, progress=interrupt, workers=1, **options)
        again: list[int] = []
        found = bc.predict(model, *paths, resume=True, progress=lambda stage, done, total: again.append(done), **options)
        assert max(seen) > 1
        once = bc.predict(model, volume, axes="zyx", block=BLOCKS[0], **MODE)
        np.testing.assert_array_equal(pixels(found), pixels(once))
        with pytest.raises(bc.errors.OutputError, match="different run"):
            bc.predict(model, *paths, resume=True, **{**options, "run_mode_kwargs": {"merge": "max"}})

    def test_worker_processes(self, tmp_path: Path, volume: np.ndarray[Any, Any]) -> None:
        """Processes of a cluster give the same pixels."""
        distributed = pytest.importorskip("distributed", reason="distributed is not installed")
        model = conv_model(tmp_path / "model", pre=STANDARDISED)
        with (
            distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
            distributed.Client(cluster, set_as_default=False) as client,
        ):
            paths = (str(tmp_path / "volume.zarr"), str(tmp_path / "out.zarr"))
            found = bc.predict(str(model), *paths, client=client, block=BLOCKS[0], **MODE)
        once = bc.predict(model, volume, axes="zyx", block=BLOCKS[0], **MODE)
        np.testing.assert_array_equal(pixels(found), pixels(once))

    def test_lazy(self, tmp_path: Path, volume: np.ndarray[Any, Any]) -> None:
        """As dask arrays, with the statistics of the volume."""
        model = conv_model(tmp_path / "model", pre=STANDARDISED)
        with bc.open_predictor(model, block=BLOCKS[2], **MODE) as predictor:
            lazy = predictor.lazy(volume, axes="zyx")
            found = np.asarray(lazy["out"].data.compute(scheduler="threads"))[0, 0]
        np.testing.assert_allclose(found, by_onnxruntime(model, standardised(volume)), atol=2e-3)


class TestAxes:
    """Other axes than those of a volume, and sizes."""

    def test_time(self, tmp_path: Path) -> None:
        """Each time point is a volume of its own, with its own statistics, unless they are pooled."""
        model = conv_model(tmp_path / "model", pre=STANDARDISED)
        movie = noise(2, 13, 20, 24) * np.array([1, 3], np.float32).reshape(2, 1, 1, 1)
        found = bc.predict(model, movie, axes="tzyx", block=BLOCKS[0], **MODE)["out"]
        assert found.axes == ("time", "batch", "channel", "z", "y", "x")
        for number in range(2):
            np.testing.assert_allclose(np.asarray(found)[number, 0, 0], by_onnxruntime(model, standardised(movie[number])), atol=2e-3)
        pooled = np.asarray(bc.predict(model, movie, axes="tzyx", stats_over=["time", "z"], **MODE)["out"])
        np.testing.assert_allclose(pooled[1, 0, 0], by_onnxruntime(model, standardised(movie)[1]), atol=2e-3)

    def test_options_by_axis(self, tmp_path: Path, volume: np.ndarray[Any, Any]) -> None:
        """Options name z; those for all axes of space include it, as does a halo that users give for y."""
        model = conv_model(tmp_path / "model")
        with bc.open_predictor(model, axes="zyx", **MODE) as predictor:
            plan = predictor.plan(volume, block=24, halo={"y": 3, "x": 4}, roi={"z": (4, 12)}, network_stride={"y": 8, "x": 8})
            halos = {(g.group.name, o.halo) for g in plan.grids for o in g.group.outputs}
            assert halos >= {("z", 3), ("y", 4), ("x", 4)}  # z stands for y of the network, and y for x, too
            assert {g.group.name: (g.block_size(0), g.group.granularity) for g in plan.grids}["z"] == (24, 8)
            assert plan.outputs[0].shape == (1, 1, 8, 34, 45)
            assert {o.halo for g in predictor.plan(volume, halo={"z": 6}).grids for o in g.group.outputs if o.axis == "z"} == {6}
            with pytest.raises(InputError, match="the network was not measured"):
                predictor.plan(volume, halo="measured")

    def test_each_z_alone(self, tmp_path: Path, volume: np.ndarray[Any, Any]) -> None:
        """In one orientation slices do not depend on each other, so z is cut without a halo, and without a warning of seams."""
        model = conv_model(tmp_path / "model")
        options = {"run_mode_kwargs": {"orientations": ["yx"]}, **MODE}
        found = bc.predict(model, volume, axes="zyx", block={"z": 8, "y": 24, "x": 24}, **options)
        assert found.plan is not None
        assert {g.group.name: (g.group.left, g.count) for g in found.plan.grids}["z"] == (0, 3)
        assert found.plan.warnings == ()
        slices = bc.predict(model, volume, axes="zyx")
        np.testing.assert_array_equal(pixels(found), np.asarray(slices["out"])[:, 0, 0])

    def test_memory_of_slices(self, tmp_path: Path, volume: np.ndarray[Any, Any]) -> None:
        """A network gets some slices at once, so blocks of 128 x 128 x 128 pixels need no more memory than those, and input and output."""
        model = conv_model(tmp_path / "model", size=128)
        with bc.open_predictor(model, axes="zyx", memory="2 GiB", **MODE) as predictor:
            plan = predictor.plan(volume, workers=1)
            assert plan.floor < 500e6  # 200 MiB, 8 slices of 512 bytes per pixel, and copies of a block
            more = predictor.plan(volume, workers=1, run_mode_kwargs={"batch": 64})
            assert more.floor - plan.floor > 56 * 128 * 128 * 512

    def test_one_size(self, tmp_path: Path, volume: np.ndarray[Any, Any]) -> None:
        """A network of one size gets blocks of that size, along z too."""
        model = conv_model(tmp_path / "model", size=16)
        found = bc.predict(model, volume, axes="zyx", **MODE)
        assert found.plan is not None
        assert {g.group.name: g.block_size(0) for g in found.plan.grids if g.group.name in "zyx"} == {"z": 16, "y": 16, "x": 16}
        np.testing.assert_allclose(pixels(found), by_onnxruntime(model, volume), rtol=1e-6)

    def test_pixel_size(self, tmp_path: Path, volume: np.ndarray[Any, Any]) -> None:
        """OME-Zarr has the pixel size along z, which is compared with that of the model along y."""
        model = conv_model(tmp_path / "model", scale=0.5)
        options = {"axes": "zyx", "pixel_size": {"z": 2.0, "y": 0.5, "x": 0.5}, **MODE}
        with pytest.warns(bc.errors.PredictionWarning, match="4 times as large along axis 'z' as those that the model was trained with"):
            bc.predict(model, volume, tmp_path / "out.zarr", ome="0.5", **options)
        ome = zarr.open_group(str(tmp_path / "out.zarr"), mode="r").attrs["ome"]
        (dataset,) = ome["multiscales"][0]["datasets"]  # type: ignore[index, call-overload]
        assert [t for t in dataset["coordinateTransformations"] if t["type"] == "scale"] == [{"type": "scale", "scale": [1, 2, 0.5, 0.5]}]
        assert [a["unit"] for a in ome["multiscales"][0]["axes"] if a["type"] == "space"] == ["micrometer"] * 3  # type: ignore[index, call-overload]

    def test_rescaled(self, tmp_path: Path, volume: np.ndarray[Any, Any]) -> None:
        """A volume of coarse slices is resampled to the pixels of the model; then all orientations see the same."""
        options = {"axes": "zyx", "pixel_size": {"z": 3.0, "y": 1.0, "x": 1.0}, "rescale": True}
        resampled = pixels(bc.predict(conv_model(tmp_path / "same", axes="zyx"), volume, **options))
        assert resampled.shape == (63, 34, 45)
        model = conv_model(tmp_path / "model")
        found = pixels(bc.predict(model, volume, block=BLOCKS[0], **options, **MODE))
        np.testing.assert_allclose(found, by_onnxruntime(model, resampled), rtol=1e-5)


class TestSteps:
    """What is measured, and what follows the network."""

    def test_postprocessing(self, tmp_path: Path, volume: np.ndarray[Any, Any]) -> None:
        """Ops after the network get the merged volume: here its own mean and standard deviation."""
        model = conv_model(tmp_path / "model", post=STANDARDISED)
        found = pixels(bc.predict(model, tmp_path / "volume.zarr", tmp_path / "out.zarr", block=BLOCKS[0], **MODE))
        np.testing.assert_allclose(found, standardised(by_onnxruntime(model, volume)), atol=1e-4)

    def test_measured_before(self, tmp_path: Path, volume: np.ndarray[Any, Any]) -> None:
        """Statistics that are measured before a prediction are those of the volume, and are used by it."""
        model = conv_model(tmp_path / "model", pre=STANDARDISED)
        statistics = bc.compute_statistics(tmp_path / "volume.zarr", model, **MODE)
        (measured,) = statistics.images.values()
        assert sorted(np.ravel(list(measured.values()))) == pytest.approx(sorted([volume.mean(), volume.std()]), rel=1e-5)
        found = bc.predict(model, tmp_path / "volume.zarr", statistics=statistics, block=BLOCKS[0], **MODE)
        assert found.plan is not None
        assert dict(found.plan.known) == measured
        np.testing.assert_allclose(pixels(found), by_onnxruntime(model, standardised(volume)), atol=2e-3)

    def test_probed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, volume: np.ndarray[Any, Any]) -> None:
        """The network is measured as it is called: a profile in this run mode is none without it."""
        monkeypatch.setenv("BMZ_CACHE", str(tmp_path / "cache"))
        with bc.open_predictor(conv_model(tmp_path / "model"), axes="zyx") as predictor:
            predictor.probe(volume, **MODE)
            assert predictor.plan(volume, **MODE).profile.measured
            assert not predictor.plan(volume).profile.measured


class TestDescribed:
    """A description may name the run mode; its test tensors are planes."""

    @pytest.fixture
    def model(self, tmp_path: Path) -> Path:
        """A model with test tensors."""
        files = {"inputs": "in.npy", "outputs": "out.npy"}
        model = conv_model(tmp_path / "model", gain=1 / 300, run_mode={"name": "orthoplanes", "kwargs": {"merge": "mean"}})
        plane = noise(1, 32, 32)[None]
        session = onnxruntime.InferenceSession(str(model / "weights.onnx"), providers=["CPUExecutionProvider"])
        np.save(model / "in.npy", plane)
        np.save(model / "out.npy", session.run(None, {"raw": plane})[0])
        tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
        for key, name in files.items():
            tree[key][0]["test_tensor"] = {"source": name}
        (model / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
        return model

    def test_predicted(self, model: Path, volume: np.ndarray[Any, Any]) -> None:
        """The option is not needed then."""
        np.testing.assert_allclose(pixels(bc.predict(model, volume, axes="zyx")), by_onnxruntime(model, volume), rtol=1e-5)

    def test_tested(self, model: Path) -> None:
        """Test tensors are given to the network itself."""
        report = bc.test_model(model)
        assert [t.status for t in report.tests] == ["passed"], report

    def test_verified(self, model: Path) -> None:
        """Test inputs are repeated to a volume of several blocks, which give what the whole gives."""
        report = bc.verify(model)
        assert report.equal
        assert report.blocks > 1


class TestCommands:
    """From the command line."""

    def test_plan(self, tmp_path: Path, volume: np.ndarray[Any, Any]) -> None:
        """``bmz plan`` says that there is another axis, and what follows."""
        model = conv_model(tmp_path / "model", pre=STANDARDISED)
        arguments = ["plan", str(model), str(tmp_path / "volume.zarr"), "--run-mode", "orthoplanes"]
        command = [sys.executable, "-c", "from bioimageio_core.cli import main; main()", *arguments]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "run mode   orthoplanes: blocks have the axis z, like y, which the network lacks\n" in shown
        assert "output     out: batch 1, channel 1, z 21, y 34, x 45, float32" in shown

    @pytest.mark.parametrize(
        ("kwargs", "message"),
        [
            ({"merge": "median"}, "merge"),
            ({"orientations": ["xy"]}, "orientations"),
            ({"orientations": []}, "at least 1"),
            ({"batch": 0}, "batch"),
        ],
    )
    def test_wrong_arguments(self, tmp_path: Path, kwargs: dict[str, Any], message: str) -> None:
        """Are told by name."""
        with pytest.raises(InputError, match=f"run mode 'orthoplanes' .*{message}"):
            bc.predict(conv_model(tmp_path), noise(8, 8, 8), axes="zyx", run_mode_kwargs=kwargs, **MODE)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered from test to test."""
    monkeypatch.setenv("BMZ_CACHE", str(tmp_path / "own-cache"))
