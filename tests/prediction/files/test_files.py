"""Outputs as files: what is written, resumed, shared, replaced and refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import BATCH, box_model, channels, follows, identity_graph, save_description_0_5, space, tensor

import bioimageio_core as bc
from bioimageio_core.errors import InputError, OutputError

pytest.importorskip("onnxruntime")
INTERRUPTED = Path(__file__).parents[1] / "execution" / "interrupted.py"
IMAGE = np.random.default_rng(0).random((300, 280), dtype=np.float32)
BLOCKS: dict[str, Any] = {"axes": "yx", "block": 64}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model that smooths along y and x, with a halo."""
    (tmp_path / "model").mkdir()
    return box_model(tmp_path / "model", {"min": 8, "step": 1})


@pytest.fixture
def expected(model: Path) -> np.ndarray[Any, Any]:
    """The prediction in memory."""
    return np.asarray(bc.predict(model, IMAGE, **BLOCKS)["out"])


def hidden(folder: Path) -> list[str]:
    """Return the names of what a run left, apart from the records of files."""
    return sorted(p.name for p in folder.iterdir() if p.name.startswith(".") and not p.name.endswith(".bmz-run.json"))


class TestWritten:
    """Files and what predictions return."""

    def test_pixels(self, model: Path, tmp_path: Path, expected: np.ndarray[Any, Any]) -> None:
        """The file has the pixels of the prediction; the result reads from it, with the axes of the output."""
        result = bc.predict(model, IMAGE, tmp_path / "out.npy", **BLOCKS)
        np.testing.assert_array_equal(np.load(tmp_path / "out.npy").squeeze(), expected.squeeze())
        array = result["out"]
        assert array.axes == ("batch", "channel", "y", "x")
        np.testing.assert_array_equal(np.asarray(array), expected)
        np.testing.assert_array_equal(array[0, ..., -1:5:-7, 3], expected[0, ..., -1:5:-7, 3])
        np.testing.assert_array_equal(array[..., [5, 2]], expected[..., [5, 2]])
        assert array[0, 0, 5:5].shape == (0, 280)
        assert hidden(tmp_path) == []

    def test_threads_processes_memory(self, model: Path, tmp_path: Path, expected: np.ndarray[Any, Any]) -> None:
        """Files are the same from worker processes."""
        np.save(tmp_path / "in.npy", IMAGE)
        with bc.worker_processes(2) as client:
            bc.predict(model, tmp_path / "in.npy", tmp_path / "out.npy", client=client, **BLOCKS)
        np.testing.assert_array_equal(np.load(tmp_path / "out.npy").squeeze(), expected.squeeze())

    def test_several_outputs(self, tmp_path: Path) -> None:
        """Each has a file, which ``{output}`` names; without it the name is refused."""
        folder = tmp_path / "two"
        folder.mkdir()
        from onnx import TensorProto, helper, save

        nodes = [helper.make_node("Identity", ["raw"], [name]) for name in ("a", "b")]
        shape = [None, 1, None, None]
        values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in ("raw", "a", "b")]
        save(
            helper.make_model(
                helper.make_graph(nodes, "g", values[:1], values[1:]), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
            ),
            folder / "weights.onnx",
        )
        sizes = [space(axis, {"min": 8, "step": 1}) for axis in "yx"]
        outputs = [tensor(name, BATCH, channels(), *(space(a, follows(a)) for a in "yx")) for name in "ab"]
        save_description_0_5(folder, [tensor("raw", BATCH, channels(), *sizes)], outputs)
        with pytest.raises(OutputError, match=r"is one file, and the model has 2 outputs \(a, b\): expected \{output\} in the name"):
            bc.predict(folder, IMAGE, tmp_path / "out.npy", axes="yx")
        bc.predict(folder, IMAGE, tmp_path / "out_{output}.npy", axes="yx")
        for name in "ab":
            np.testing.assert_array_equal(np.load(tmp_path / f"out_{name}.npy").squeeze(), IMAGE)

    def test_many(self, model: Path, tmp_path: Path) -> None:
        """A template names files; a second run takes none of them for an image, and leaves them as they are."""
        (tmp_path / "in").mkdir()
        for n in range(3):
            np.save(tmp_path / "in" / f"{n}.npy", IMAGE + n)
        template = str(tmp_path / "in" / "{name}_smooth.npy")
        for _ in range(2):
            results = list(bc.predict_many(model, sorted((tmp_path / "in").glob("*.npy")), template, resume=True, **BLOCKS))
            assert all(isinstance(one, bc.Prediction) and one.finished for one in results)
            assert len(results) == 3
        assert sorted(p.name for p in (tmp_path / "in").glob("[0-9]*")) == sorted(
            [f"{n}{s}.npy" for n in range(3) for s in ("", "_smooth")]
        )


class TestContinued:
    """Interrupted runs, and shards."""

    def test_killed(self, model: Path, tmp_path: Path, expected: np.ndarray[Any, Any]) -> None:
        """A killed run leaves no file; it is refused until it is resumed or begun again."""
        image, out = tmp_path / "in.npy", tmp_path / "out.npy"
        np.save(image, IMAGE)
        killed = {**BLOCKS, "kill_stage": "predict", "kill_after": 6}
        arguments = [sys.executable, "-P", str(INTERRUPTED), str(model), str(image), str(out)]
        assert subprocess.run([*arguments, json.dumps(killed)], capture_output=True, check=False).returncode == -9
        assert not out.exists()
        with pytest.raises(OutputError, match=r"out\.npy was started by a run that still computes, or was interrupted: resume=True"):
            bc.predict(model, image, out, **BLOCKS)
        result = bc.predict(model, image, out, resume=True, **BLOCKS)
        assert result.done_before > 0
        np.testing.assert_array_equal(np.load(out).squeeze(), expected.squeeze())
        assert hidden(tmp_path) == []

    def test_killed_while_the_file_is_written(self, model: Path, tmp_path: Path, expected: np.ndarray[Any, Any]) -> None:
        """The results are there, so that nothing is computed again."""
        image, out = tmp_path / "in.npy", tmp_path / "out.npy"
        np.save(image, IMAGE)
        arguments = [sys.executable, "-P", str(INTERRUPTED), str(model), str(image), str(out)]
        killed = subprocess.run([*arguments, json.dumps({**BLOCKS, "kill_stage": "write out.npy"})], capture_output=True, check=False)
        assert killed.returncode == -9
        assert not out.exists()
        result = bc.predict(model, image, out, resume=True, **BLOCKS)
        assert result.done_before == (result.plan.regions.count if result.plan else None)
        np.testing.assert_array_equal(np.load(out).squeeze(), expected.squeeze())

    def test_complete(self, model: Path, tmp_path: Path) -> None:
        """A complete file stays as it is; one of another run, or that was changed since, is refused."""
        out = tmp_path / "out.npy"
        bc.predict(model, IMAGE, out, **BLOCKS)
        before = out.stat().st_mtime_ns
        assert bc.predict(model, IMAGE, out, resume=True, **BLOCKS).finished
        assert out.stat().st_mtime_ns == before
        with pytest.raises(OutputError, match=r"started by a different run \(different images\)"):
            bc.predict(model, IMAGE + 1, out, resume=True, **BLOCKS)
        np.save(out, IMAGE)
        with pytest.raises(OutputError, match="exists, and is not as a run left it"):
            bc.predict(model, IMAGE, out, resume=True, **BLOCKS)

    def test_shards(self, model: Path, tmp_path: Path, expected: np.ndarray[Any, Any]) -> None:
        """The last shard writes the file."""
        out = tmp_path / "out.npy"
        first = bc.predict(model, IMAGE, out, shard=(1, 2), **BLOCKS)
        assert (first.finished, out.exists()) == (False, False)
        assert bc.predict(model, IMAGE, out, shard=(2, 2), **BLOCKS).finished
        np.testing.assert_array_equal(np.load(out).squeeze(), expected.squeeze())

    def test_replaced(self, model: Path, tmp_path: Path, expected: np.ndarray[Any, Any]) -> None:
        """An existing file is replaced only if that is wanted, and stays until its replacement is complete."""
        out = tmp_path / "out.npy"
        np.save(out, IMAGE)
        with pytest.raises(OutputError, match=r"out\.npy exists: give overwrite=True"):
            bc.predict(model, IMAGE, out, **BLOCKS)
        seen = []
        bc.predict(model, IMAGE, out, overwrite=True, progress=lambda *_: seen.append(np.load(out).shape), **BLOCKS)
        assert set(seen) == {IMAGE.shape}
        np.testing.assert_array_equal(np.load(out).squeeze(), expected.squeeze())


class TestRefused:
    """What cannot be a file is said before anything is computed."""

    def test_names(self, model: Path, tmp_path: Path) -> None:
        """Unknown endings, those of formats that are not written, remote files."""
        for name, message in {
            "out.xyz": r"has an unknown ending: expected a name that ends in \.zarr, for a zarr folder, or in .*\.npy",
            "out.czi": "the ending of microscope files, which are not written",
            "out_{output}.zarr": r"holds all outputs of a model: leave out \{output\}",
        }.items():
            with pytest.raises(OutputError, match=message):
                bc.predict(model, IMAGE, tmp_path / name, axes="yx")
        with pytest.raises(OutputError, match=r"is a file in a remote store: expected a path .*, such as memory://x/out\.zarr"):
            bc.predict(model, IMAGE, "memory://x/out.npy", axes="yx")
        assert [p.name for p in tmp_path.iterdir()] == ["model"]

    def test_options_of_zarr(self, model: Path, tmp_path: Path) -> None:
        """Versions of OME-Zarr and shards are of zarr; formats are of files."""
        with pytest.raises(OutputError, match=r"ome= is for zarr outputs"):
            bc.predict(model, IMAGE, tmp_path / "out.npy", axes="yx", ome="0.5")
        with pytest.raises(OutputError, match=r"zarr folder: expected the name of a file for output_format= imagej"):
            bc.predict(model, IMAGE, tmp_path / "out.zarr", axes="yx", output_format="imagej")
        with pytest.raises(OutputError, match=r"does not end as files of the format .imagej. do: expected .*tif"):
            bc.predict(model, IMAGE, tmp_path / "out.npy", axes="yx", output_format="imagej")

    def test_over_the_image(self, model: Path, tmp_path: Path) -> None:
        """A file never replaces the image."""
        np.save(tmp_path / "in.npy", IMAGE)
        with pytest.raises(OutputError, match="would overwrite the image"):
            bc.predict(model, tmp_path / "in.npy", tmp_path / "in.npy", overwrite=True, **BLOCKS)

    def test_plan_for_another_output(self, model: Path, tmp_path: Path) -> None:
        """A plan without output does not say how a file is made."""
        with bc.open_predictor(model, **BLOCKS) as predictor:
            plan = predictor.plan(IMAGE)
            with pytest.raises(OutputError, match="expected a plan for this output"):
                predictor.run(plan, tmp_path / "out.npy")

    def test_several_items(self, tmp_path: Path) -> None:
        """Formats of images have no batch."""
        folder = tmp_path / "model"
        folder.mkdir()
        identity_graph(folder / "weights.onnx")
        axes = [{"type": "batch"}, channels(), *(space(axis, {"min": 8, "step": 1}) for axis in "yx")]
        save_description_0_5(folder, [tensor("raw", *axes)], [tensor("out", *axes[:2], *(space(a, follows(a)) for a in "yx"))])
        with pytest.raises(InputError, match="no batch"):
            bc.predict(folder, np.zeros((2, 1, 9, 9), np.float32), tmp_path / "out.npy", axes="bcyx")
        assert bc.predict(folder, np.zeros((2, 1, 9, 9), np.float32), tmp_path / "out.zarr", axes="bcyx")["out"].shape == (2, 1, 9, 9)
