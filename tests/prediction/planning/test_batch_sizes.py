"""The number of blocks per call of the network, chosen by its measured profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import BATCH, box_model, channels, follows, save_description_0_5, save_graph, space, tensor
from onnx import helper

import bioimageio_core as bc
from bioimageio_core.prediction.planning.profiling.profile import Profile, ProfilePoint

MIB = 2**20
SIZE = {"min": 16, "step": 4}


def profile(*points: tuple[int, float, int], batches: bool = True) -> Profile:
    """Return a measured profile of sizes with seconds and MiB."""
    found = tuple(ProfilePoint(pixels=p, seconds=s, bytes=b * MIB) for p, s, b in points)
    return Profile(base=100 * MIB, points=found, batches=batches)


FIXED = profile((2**12, 0.020, 1), (2**20, 0.021, 64))
"""A call takes 20 milliseconds, whatever its size."""

PROPORTIONAL = profile((2**12, 0.002, 1), (2**20, 0.512, 256))


class TestChoice:
    """Which size is chosen."""

    @pytest.fixture
    def size(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        """A function that returns the batch size for 100 frames of 64 x 64 pixels."""

        def batch_size(found: Profile, *, batch: dict[str, Any] = BATCH, frames: int = 100, **options: Any) -> int:
            monkeypatch.setattr("bioimageio_core.prediction.predictor.recall_profile", lambda model, weights, run_mode: found)
            folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            kernel = np.ones((1, 1, 1, 1), np.float32)
            save_graph(folder / "weights.onnx", [helper.make_node("Conv", ["raw", "k"], ["out"])], {"raw": 4}, {"out": 4}, k=kernel)
            raw = tensor("raw", batch, channels(), *(space(a, SIZE) for a in "yx"))
            out = tensor("out", batch, channels(), *(space(a, follows(a), halo=4) for a in "yx"))
            image = np.broadcast_to(np.float32(1), (frames, 64, 64))
            with bc.open_predictor(save_description_0_5(folder, [raw], [out])) as predictor:
                return predictor.plan(image, axes="tyx", workers=1, **options).batch_size

        return batch_size

    def test_calls_that_cost_more_than_pixels(self, size: Any) -> None:
        """Many frames share a call where a call costs the same for each size, and none where pixels alone cost."""
        assert size(FIXED) == 32
        assert size(FIXED, frames=6) == 4  # the largest full batch
        assert size(PROPORTIONAL) == 1

    def test_given(self, size: Any) -> None:
        """What the user gives is kept."""
        assert size(FIXED, batch_size=3) == 3
        assert size(FIXED, batch_size=1) == 1

    def test_unknown(self, size: Any) -> None:
        """Batches are chosen only where they were measured, and where the description allows them."""
        assert size(profile((2**12, 0.02, 1), (2**20, 0.02, 64), batches=False)) == 1
        assert size(FIXED, batch={"type": "batch", "size": 1}) == 1

    def test_memory(self, size: Any) -> None:
        """A batch takes the memory of its items, within the budget."""
        heavy = profile((2**12, 0.020, 40), (2**20, 0.021, 40 * 256))
        assert size(heavy, memory="400 MiB") < size(heavy, memory="8 GiB")


class TestProbe:
    """Whether a network takes batches."""

    def probed(self, folder: Path, nodes: list[Any], shape: Any, **constants: np.ndarray) -> Profile:
        folder.mkdir()
        save_graph(folder / "weights.onnx", nodes, {"raw": shape}, {"out": shape}, **constants)
        raw = tensor("raw", BATCH, channels(), *(space(a, SIZE) for a in "yx"))
        out = tensor("out", BATCH, channels(), *(space(a, follows(a)) for a in "yx"))
        with bc.open_predictor(save_description_0_5(folder, [raw], [out])) as predictor:
            return predictor.probe(np.broadcast_to(np.float32(1), (64, 64)), axes="yx")

    def test_networks(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """One that treats items alike does; one that mixes them, or insists on a single one, does not."""
        monkeypatch.setenv("BMZ_CACHE", str(tmp_path / "cache"))
        alike = [helper.make_node("Mul", ["raw", "raw"], ["out"])]
        mixing = [helper.make_node("ReduceMean", ["raw"], ["mean"], axes=[0]), helper.make_node("Sub", ["raw", "mean"], ["out"])]
        largest = helper.make_node("ReduceMax", ["raw"], ["most"], axes=[0, 1, 2, 3])
        by_largest = [largest, helper.make_node("Div", ["raw", "most"], ["out"])]
        assert self.probed(tmp_path / "alike", alike, 4).batches
        assert not self.probed(tmp_path / "largest", by_largest, 4).batches
        assert not self.probed(tmp_path / "mixing", mixing, 4).batches
        assert not self.probed(tmp_path / "single", alike, (1, 1, "y", "x")).batches

    def test_prediction(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Frames that are predicted in batches of the measured network are those that are predicted one by one."""
        monkeypatch.setenv("BMZ_CACHE", str(tmp_path / "cache"))
        (tmp_path / "model").mkdir()
        model = box_model(tmp_path / "model", SIZE, halo=4)
        frames = np.random.default_rng(0).random((40, 48, 50), dtype=np.float32)
        with bc.open_predictor(model, axes="tyx") as predictor:
            measured = predictor.probe(frames)
            assert measured.batches
            assert measured.points[-1].pixels > 32 * 48 * 50  # batches are measured, too
            fixed = Profile.from_dict({**measured.as_dict(), "points": [{**p, "seconds": 0.02} for p in measured.as_dict()["points"]]})
            monkeypatch.setattr("bioimageio_core.prediction.predictor.recall_profile", lambda model, weights, run_mode: fixed)
            found = predictor.predict(frames)
            assert found.plan is not None
            assert found.plan.batch_size > 1
            one_by_one = predictor.predict(frames, batch_size=1)
        np.testing.assert_allclose(np.asarray(found["out"]), np.asarray(one_by_one["out"]), rtol=1e-6)
