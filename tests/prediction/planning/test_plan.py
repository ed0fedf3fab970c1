"""Decisions that are made before anything is computed."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from made_models import BATCH, box_model, channels, follows, identity_graph, resample_graph, save_description_0_5, space, tensor

import bioimageio_core as bc
from bioimageio_core.errors import BlockError, InputError, OutputError
from bioimageio_core.prediction.planning.plan_json import plan_as_dict


def big(*shape: int) -> Any:
    """Return an image that takes no memory."""
    return np.broadcast_to(np.float32(1), shape)


def grid(plan: Any, axis: str) -> Any:
    """Return the grid of an axis."""
    return next(g for g in plan.grids if g.group.name == axis)


@pytest.fixture(autouse=True)
def nothing_remembered(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plan networks that other tests have measured as if nothing were known of them."""
    monkeypatch.setenv("BMZ_CACHE", str(tmp_path_factory.mktemp("cache")))


class TestBlocks:
    """Block sizes follow from the model, the memory budget and the options."""

    def test_fixed_size_with_halo(self, tmp_path: Path) -> None:
        """64 pixels with halo 1 leave 62, of which 32 are a multiple of the granularity."""
        plan = bc.open_predictor(box_model(tmp_path, 64)).plan(big(1000, 64), axes="yx")
        assert (grid(plan, "y").stride, grid(plan, "y").count, grid(plan, "x").count) == (32, 32, 2)

    def test_smaller_budget_smaller_blocks(self, tmp_path: Path) -> None:
        """The estimate of the plan stays within the budget."""
        predictor = bc.open_predictor(box_model(tmp_path, {"min": 16, "step": 4}))
        blocks = []
        for memory in ("256 MiB", "512 MiB", "1 GiB", "4 GiB"):
            plan = predictor.plan(big(20000, 30000), axes="yx", memory=memory)
            assert plan.estimated_memory <= plan.memory
            blocks.append(grid(plan, "y").block_size(0))
        assert blocks == sorted(blocks)
        assert blocks[0] < blocks[-1] / 3

    def test_equal_parts(self, tmp_path: Path) -> None:
        """An image a little larger than a block is cut into nearly equal parts, not into a large one and a sliver."""
        plan = bc.open_predictor(box_model(tmp_path, {"min": 16, "step": 4})).plan(big(1600, 1600), axes="yx", memory="1 GiB", workers=2)
        sizes = [grid(plan, "y").block_size(k) for k in range(grid(plan, "y").count)]
        assert len(sizes) > 1
        assert min(sizes) > 0.9 * max(sizes)

    def test_no_halo_is_not_cut_unless_forced(self, tmp_path: Path) -> None:
        """Without a halo the image is one block; a small budget cuts it, with a warning that names axis and remedy."""
        model = box_model(tmp_path, {"min": 16, "step": 4}, halo=0)
        whole = bc.open_predictor(model).plan(big(900, 900), axes="yx")
        assert whole.regions.block_count == 1
        assert not whole.warnings
        cut = bc.open_predictor(model).plan(big(900, 900), axes="yx", memory="300 MiB")
        assert cut.regions.block_count > 1
        assert "--halo x=N" in " ".join(cut.warnings)
        healed = bc.open_predictor(model).plan(big(900, 900), axes="yx", memory="300 MiB", halo={"y": 1, "x": 1})
        assert not healed.warnings

    def test_block_too_small(self, tmp_path: Path) -> None:
        """The error names the smallest block."""
        predictor = bc.open_predictor(box_model(tmp_path, {"min": 16, "step": 4}))
        with pytest.raises(BlockError, match="give at least 16"):
            predictor.plan(big(900, 900), axes="yx", block={"y": 8})

    def test_unknown_axis(self, tmp_path: Path) -> None:
        """A misspelt axis is an error that lists the axes."""
        predictor = bc.open_predictor(box_model(tmp_path, 64))
        with pytest.raises(InputError, match="block names the axis 'yy', which the model lacks: expected some of batch, channel, x, y"):
            predictor.plan(big(10, 10), axes="yx", block={"yy": 64})
        with pytest.raises(InputError, match="unknown option 'blocks'"):
            predictor.plan(big(10, 10), blocks={"y": 64})

    def test_ten_million_regions_cost_nothing(self, tmp_path: Path) -> None:
        """Regions are numbered, not listed."""
        plan = bc.open_predictor(box_model(tmp_path, 64)).plan(big(1000, 100_000, 100_000), axes="tyx")
        assert plan.regions.block_count == 1000 * 3125**2
        assert plan.task_count <= 2**20
        assert plan.regions_of(plan.task_count - 1).stop == plan.regions.count

    def test_output_that_does_not_follow(self, tmp_path: Path) -> None:
        """An output of fixed size cannot be assembled from blocks."""
        resample_graph(tmp_path / "weights.onnx", down=16)
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), space("y", 16), space("x", 16))],
            [tensor("out", BATCH, channels(), space("y", 1), space("x", 1))],
        )
        one = np.asarray(bc.predict(tmp_path, np.arange(256, dtype=np.float32).reshape(16, 16))["out"])
        np.testing.assert_allclose(one, [[[[127.5]]]])
        with pytest.raises(BlockError, match="output 'out' does not follow axis 'y'"):
            bc.predict(tmp_path, big(17, 16))


class TestChunks:
    """Regions consist of complete chunks of the output."""

    @pytest.mark.parametrize("chunk", [8, 16, 24, 48, 96])
    def test_requested_chunks(self, tmp_path: Path, chunk: int) -> None:
        """Chunks that divide a stride, or are multiples of it, are each written by one task."""
        model = box_model(tmp_path, {"min": 16, "step": 4})
        x = np.random.default_rng(0).random((200, 130), dtype=np.float32)
        result = bc.predict(model, x, tmp_path / "out.zarr", block={"y": 60, "x": 60}, chunks={"y": chunk, "x": chunk})
        stored = zarr.open_group(str(tmp_path / "out.zarr"), mode="r")["0"]
        assert isinstance(stored, zarr.Array)
        assert stored.chunks[-2:] == (chunk, chunk)
        np.testing.assert_allclose(np.asarray(result["out"]), np.asarray(bc.predict(model, x)["out"]), rtol=1e-6)

    def test_impossible(self, tmp_path: Path) -> None:
        """Chunks that fit no stride are refused, and possible ones named."""
        with pytest.raises(BlockError, match="expected chunks that divide or are divided by one of 48, 44, 40"):
            bc.open_predictor(box_model(tmp_path, {"min": 16, "step": 4})).plan(big(200, 200), axes="yx", block={"y": 56}, chunks={"y": 51})

    def test_axes_are_written(self, tmp_path: Path) -> None:
        """The store has axes, channel names and the record of the run; an existing output is kept without ``overwrite``."""
        identity_graph(tmp_path / "weights.onnx")
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels("a", "b"), space("y", {"min": 4, "step": 1}), space("x", {"min": 4, "step": 1}))],
            [tensor("out", BATCH, channels("fore", "back"), space("y", follows("y")), space("x", follows("x")))],
        )
        bc.predict(tmp_path, np.zeros((2, 9, 9), np.float32), tmp_path / "out.zarr", ome="none")
        group = zarr.open_group(str(tmp_path / "out.zarr"), mode="r")
        assert group["out"].metadata.dimension_names == ("batch", "channel", "y", "x")  # type: ignore[union-attr]
        assert group["out"].attrs["channel_names"] == ["fore", "back"]
        assert group.attrs["bioimageio_core"]["plan"]["model"] == "made model"  # type: ignore[index, call-overload]
        with pytest.raises(OutputError, match="exists"):
            bc.predict(tmp_path, np.zeros((2, 9, 9), np.float32), tmp_path / "out.zarr")
        bc.predict(tmp_path, np.zeros((2, 8, 9), np.float32), tmp_path / "out.zarr", overwrite=True)


class TestShards:
    """Parts of a plan for independent processes."""

    @pytest.mark.parametrize("block", [{"y": 24, "x": 24}, {"y": 40, "x": 24}, {}])
    def test_equal_parts(self, tmp_path: Path, block: dict[str, int]) -> None:
        """Each task is in one shard, and shards differ by no more blocks than two tasks have, though regions at edges have fewer."""
        plan = bc.open_predictor(box_model(tmp_path, {"min": 16, "step": 4}, halo=4)).plan(big(150, 330), axes="yx", block=block)
        blocks = [sum(len(list(plan.regions.blocks(r))) for r in plan.regions_of(t)) for t in range(plan.task_count)]
        for count in (1, 2, 3, 7, 1000):
            shards = [plan.tasks_of_shard(n, count) for n in range(1, count + 1)]
            assert [t for tasks in shards for t in tasks] == list(range(plan.task_count))
            sizes = [sum(blocks[t] for t in tasks) for tasks in shards]
            assert max(sizes) - min(sizes) <= 2 * max(blocks)

    def test_of_very_many(self, tmp_path: Path) -> None:
        """Tasks are numbered, not listed: a shard of 10^9 blocks is found immediately."""
        plan = bc.open_predictor(box_model(tmp_path, {"min": 16, "step": 4}, halo=4)).plan(
            big(1000, 16_000, 16_000), axes="tyx", block={"y": 24, "x": 24}
        )
        tasks = plan.tasks_of_shard(1000, 1000)
        assert tasks.stop == plan.task_count
        before = plan.regions.blocks_before(plan.regions_of(tasks.start).start)
        assert (plan.regions.block_count - before) / plan.regions.block_count == pytest.approx(1e-3, rel=0.02)


class TestOutputIsNoInput:
    """Inputs and the model are never overwritten."""

    def test_same_path(self, tmp_path: Path) -> None:
        """The image as output is refused, as path and as array; so are a folder that contains it, and the model."""
        (tmp_path / "model").mkdir()
        model = box_model(tmp_path / "model", 64)
        place = tmp_path / "data" / "x.zarr"
        array = zarr.create_array(str(place), shape=(9, 9), chunks=(9, 9), dtype="float32", dimension_names=("y", "x"))
        for image in (place, array):
            for output in (place, tmp_path / "data" / ".." / "data" / "x.zarr", tmp_path / "data", tmp_path / "model"):
                with pytest.raises(OutputError, match="would overwrite"):
                    bc.predict(model, image, output, overwrite=True)
        assert zarr.open_array(str(place), mode="r").shape == (9, 9)


class TestData:
    """A plan is data."""

    def test_travels(self, tmp_path: Path) -> None:
        """A plan with images on disk is picklable, and prints as JSON."""
        model = box_model(tmp_path, 64, preprocessing=[{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["y", "x"]}}])
        np.save(tmp_path / "x.npy", np.zeros((70, 70), np.float32))
        plan = bc.open_predictor(model).plan(tmp_path / "x.npy", axes="yx")
        again = pickle.loads(pickle.dumps(plan))
        assert plan_as_dict(again) == plan_as_dict(plan)
        data = json.loads(json.dumps(plan_as_dict(plan)))
        assert data["plan_format"] == "3"
        assert data["inputs"]["raw"]["statistics"] == ["mean over y, x", "std over y, x"]
        assert data["blocks"] == 9


class TestInputs:
    """Images matched to inputs."""

    def test_lossy_dtype(self, tmp_path: Path) -> None:
        """A float image for a uint8 model is an error, not a silent cut."""
        identity_graph(tmp_path / "weights.onnx")
        size = {"min": 4, "step": 1}
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), space("y", size), space("x", size), dtype="uint8")],
            [tensor("out", BATCH, channels(), space("y", follows("y")), space("x", follows("x")), dtype="uint8")],
        )
        with pytest.raises(InputError, match=r"float32.*uint8 of input 'raw'"):
            bc.open_predictor(tmp_path).plan(big(5, 5))

    @pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 5, 5)])
    def test_empty(self, tmp_path: Path, shape: tuple[int, ...]) -> None:
        """An image without pixels is an error, whichever axis is empty."""
        with pytest.raises(InputError, match="is empty"):
            bc.predict(box_model(tmp_path, 64), np.zeros(shape, np.float32), axes="tyx"[-len(shape) :])

    def test_channels_last(self, tmp_path: Path) -> None:
        """Three channels at the end are recognised where the model takes three."""
        identity_graph(tmp_path / "weights.onnx")
        size = {"min": 4, "step": 1}
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels("r", "g", "b"), space("y", size), space("x", size))],
            [tensor("out", BATCH, channels("r", "g", "b"), space("y", follows("y")), space("x", follows("x")))],
        )
        x = np.random.default_rng(0).random((7, 5, 3), dtype=np.float32)
        result = bc.predict(tmp_path, x)
        assert result.plan.inputs[0].bound.axes_guessed
        np.testing.assert_array_equal(np.asarray(result["out"])[0], x.transpose(2, 0, 1))
        with pytest.raises(InputError, match="fit no part of the axes of input"):
            bc.predict(tmp_path, x[..., :2])
