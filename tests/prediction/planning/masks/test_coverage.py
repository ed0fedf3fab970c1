"""Tasks outside of a mask are known before the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_models import box_model, pointwise_model

import bioimageio_core as bc
from bioimageio_core.blocks import AxisGrid, AxisGroup, RegionGrid, SteppedSize, TiedAxis
from bioimageio_core.prediction.planning.masks import coverage
from bioimageio_core.prediction.planning.plan_json import plan_as_dict


@pytest.fixture(autouse=True)
def nothing_remembered(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plan networks that other tests have measured as if nothing were known of them."""
    monkeypatch.setenv("BMZ_CACHE", str(tmp_path_factory.mktemp("cache")))


class Empty:
    """A large image that takes no memory, without chunks."""

    dtype = np.dtype("float32")

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def __getitem__(self, index: tuple[slice, ...]) -> Any:
        return np.zeros([len(range(*s.indices(n))) for s, n in zip(index, self.shape, strict=True)], self.dtype)


class TestCoverage:
    """The law: a task runs if the mask covers a block of one of its regions."""

    @settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_same_as_block_by_block(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: st.DataObject) -> None:
        """For masks of any resolution, any blocks, bricks, a time axis, and however the mask is cut to be read."""
        model = box_model(tmp_path, {"min": 8, "step": 1})
        draw = data.draw
        shape = (draw(st.integers(1, 3)), draw(st.integers(20, 90)), draw(st.integers(20, 90)))
        mask = np.random.default_rng(draw(st.integers(0, 99))).random((draw(st.integers(1, 120)), draw(st.integers(1, 120)))) < draw(
            st.sampled_from([0.0, 0.002, 0.1])
        )
        monkeypatch.setattr(coverage, "PIXELS", draw(st.sampled_from([1, 50, 2**26])))
        monkeypatch.setattr(coverage, "REGIONS", draw(st.sampled_from([1, 7, 2**22])))
        block = draw(st.integers(8, 40))
        plan = bc.open_predictor(model).plan(Empty(*shape), axes="tyx", mask=mask, block={"y": block, "x": block})
        covered = plan.mask
        assert covered is not None
        regions = {n for n in range(plan.regions.count) if any(covered.covers(b) for b in plan.regions.blocks(n))}
        needed = {t for t in range(plan.task_count) if regions & set(plan.regions_of(t))}
        # A finer mask has pixels between those of the image, which may add a task.
        finer = any(m > n for m, n in zip(mask.shape, shape[1:], strict=True))
        assert needed <= set(plan.tasks) if finer else needed == set(plan.tasks)

    def test_numbers_of_bricks(self) -> None:
        """Positions are numbered as `RegionGrid.position` numbers them, with bricks that do not divide the grid."""
        for brick in ((), (2, 1, 3), (1, 4, 5)):
            axis = AxisGroup(
                size=SteppedSize(1, 1), inputs=(TiedAxis(tensor="raw", axis="y"),), outputs=(TiedAxis(tensor="out", axis="y"),)
            )
            grids = tuple(AxisGrid(group=axis, image_size=n, stride=1) for n in (3, 5, 7))
            regions = RegionGrid(grids=grids, blocks_per_region=(1, 1, 1), brick=brick)
            positions = np.array([regions.position(n) for n in range(regions.count)])
            np.testing.assert_array_equal(coverage._numbers(regions, positions), np.arange(regions.count))


class TestTinyMask:
    """A few pixels in a huge image."""

    def test_only_what_is_covered_runs(self, tmp_path: Path) -> None:
        """Of a million blocks, those of one or two tasks run; the plan says so, with the time that they take."""
        mask = np.zeros((1000, 1000), bool)
        mask[500, 300] = True
        image = Empty(16_000, 16_000)
        with bc.open_predictor(pointwise_model(tmp_path)) as predictor:
            options: dict[str, Any] = {"axes": "yx", "block": {"y": 16, "x": 16}, "chunks": {"y": 16, "x": 16}}
            everything = predictor.plan(image, **options)
            plan = predictor.plan(image, mask=mask, **options)
            assert everything.regions.block_count == 1_000_000
            assert len(plan.tasks) <= 2 < plan.task_count / 50
            assert plan_as_dict(plan)["tasks_to_run"] == len(plan.tasks)
            assert plan.estimated_seconds < everything.estimated_seconds / 50
            seen = []
            out = tmp_path / "out.zarr"
            prediction = predictor.run(plan, str(out), progress=lambda stage, done, total: seen.append((stage, done, total)))
        assert prediction.finished
        assert max(total for _, _, total in seen) <= 8 < plan.regions.count
        array = zarr.open_array(str(out / next(iter(prediction))), mode="r")
        assert array.nchunks_initialized <= 4 * 64 * 64  # of a million

    def test_shards_divide_what_is_covered(self, tmp_path: Path) -> None:
        """Each shard gets about as many covered tasks as any other, and together they complete the output."""
        model = pointwise_model(tmp_path)
        mask = np.zeros((64, 64), bool)
        mask[3:9, 40:60] = True
        rng = np.random.default_rng(0)
        zarr.create_array(str(tmp_path / "image.zarr"), data=rng.random((256, 256), "f4"), chunks=(16, 16), dimension_names=("y", "x"))
        zarr.create_array(str(tmp_path / "mask.zarr"), data=mask.astype("u1"), dimension_names=("y", "x"))
        options: dict[str, Any] = {
            "mask": str(tmp_path / "mask.zarr"), "block": {"y": 16, "x": 16}, "chunks": {"y": 16, "x": 16},
        }  # fmt: skip
        whole = bc.predict(model, str(tmp_path / "image.zarr"), **options)
        out = str(tmp_path / "out.zarr")
        finished = [bc.predict(model, str(tmp_path / "image.zarr"), out, shard=(n, 3), **options).finished for n in (1, 2, 3)]
        assert finished == [False, False, True]
        for name, array in whole.items():
            np.testing.assert_array_equal(zarr.open_array(f"{out}/0", mode="r")[...], np.asarray(array)[0], err_msg=name)
        with bc.open_predictor(model) as predictor:
            plan = predictor.plan(str(tmp_path / "image.zarr"), **options)
        sizes = [len(plan.tasks_of_shard(n, 3)) for n in (1, 2, 3)]
        assert sum(sizes) == len(plan.tasks)
        assert max(sizes) - min(sizes) <= 1

    @pytest.mark.parametrize("mask", [np.ma.masked_array(np.ones((8, 8)), mask=np.arange(64).reshape(8, 8) > 31), None])
    def test_masked_and_nan(self, tmp_path: Path, mask: Any) -> None:
        """Pixels of the mask that are masked themselves, or NaN, select nothing."""
        if mask is None:
            mask = np.where(np.arange(64).reshape(8, 8) > 31, np.nan, 1.0)
        found = np.asarray(bc.predict(pointwise_model(tmp_path), np.ones((64, 64), "f4"), axes="yx", mask=mask)["out"])[0, 0]
        assert found[:32].all()
        assert not found[32:].any()

    def test_empty_mask(self, tmp_path: Path) -> None:
        """Nothing runs, and the output is 0."""
        model = pointwise_model(tmp_path)
        prediction = bc.predict(model, np.ones((64, 64), "f4"), str(tmp_path / "out.zarr"), axes="yx", mask=np.zeros((4, 4)))
        assert prediction.finished
        assert not any(np.asarray(a).any() for a in prediction.values())
