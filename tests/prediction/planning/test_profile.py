"""Profiles of networks, and the blocks that are chosen by them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import BATCH, box_model, channels, follows, save_description_0_5, save_graph, space, tensor
from onnx import helper

import bioimageio_core as bc
from bioimageio_core.errors import BlockError
from bioimageio_core.prediction.planning.profiling.profile import Profile, ProfilePoint

MIB = 2**20


def big(*shape: int) -> Any:
    """Return an image that takes no memory."""
    return np.broadcast_to(np.float32(1), shape)


def profile(*points: tuple[int, float, int]) -> Profile:
    """Return a profile of sizes with seconds and MiB."""
    return Profile(base=100 * MIB, points=tuple(ProfilePoint(pixels=p, seconds=s, bytes=b * MIB) for p, s, b in points))


def remembered(monkeypatch: pytest.MonkeyPatch, found: Profile) -> None:
    """Let plans recall this profile as if it was measured."""
    monkeypatch.setattr("bioimageio_core.prediction.predictor.recall_profile", lambda model, weights, run_mode: found)


class TestProfile:
    """Values between and beyond the measured sizes."""

    def test_interpolated(self) -> None:
        """Powers between two sizes, proportional beyond them."""
        found = profile((1000, 1.0, 10), (4000, 8.0, 40))
        assert found.seconds(1000) == 1.0
        assert found.seconds(2000) == pytest.approx(8**0.5)
        assert found.seconds(500) == 0.5
        assert found.seconds(8000) == 16.0
        assert found.bytes(8000) == 80 * MIB
        assert Profile.from_dict(found.as_dict()) == found

    @pytest.mark.parametrize("data", [{}, {"points": []}, {"base": 1, "points": [{"pixels": 2, "seconds": 1, "bytes": 1}] * 2, "x": 1}])
    def test_something_else(self, data: dict[str, Any]) -> None:
        """Data with different content raise errors that callers catch."""
        with pytest.raises((KeyError, TypeError, ValueError)):
            Profile.from_dict(data)


class TestChoice:
    """Bigger is not always better."""

    def test_fast_sizes_are_preferred(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """If large blocks are slow per pixel, smaller ones are chosen in spite of more overlap."""
        model = box_model(tmp_path, {"min": 32, "step": 4}, halo=8)
        sizes = {}
        for name, found in {
            "even": profile((2**14, 0.01, 1), (2**22, 2.56, 256)),
            "slow": profile((2**14, 0.01, 1), (2**16, 0.04, 4), (2**22, 25.6, 256)),
        }.items():
            remembered(monkeypatch, found)
            plan = bc.open_predictor(model).plan(big(8000, 8000), axes="yx", workers=2, memory="4 GB")
            sizes[name] = plan.grids[-1].block_size(0)
            assert plan.estimated_memory <= plan.memory
        assert sizes["slow"] < 600 < sizes["even"]

    def test_memory_of_the_network(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """High memory use leads to smaller blocks, then to fewer workers; a budget below the floor is refused, and the floor is enough."""
        model = box_model(tmp_path, {"min": 64, "step": 4}, halo=8)
        remembered(monkeypatch, profile((2**12, 0.01, 40), (2**20, 2.56, 10240)))
        predictor = bc.open_predictor(model)
        plan = predictor.plan(big(4000, 4000), axes="yx", workers=2, memory="400 MiB")
        assert plan.workers == 2
        assert plan.grids[-1].block_size(0) < 120
        few = predictor.plan(big(4000, 4000), axes="yx", workers=2, memory=f"{plan.floor // MIB + 8} MiB")
        assert few.workers == 1
        with pytest.raises(BlockError, match="give that much"):
            predictor.plan(big(4000, 4000), axes="yx", memory="120 MiB")

    def test_aligned_with_chunks(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """With equal costs otherwise, blocks align with large chunks, so that less is read."""
        model = box_model(tmp_path, {"min": 16, "step": 4}, halo=4)
        remembered(monkeypatch, profile((2**14, 0.001, 1), (2**24, 1.024, 1024)))
        plan = bc.open_predictor(model).plan(big(6000, 6000), axes="yx", workers=2, memory="1 GB")
        assert plan.computed_per_kept < 1.1


class TestProbe:
    """Measurement of a real network in a separate process."""

    def test_remembered(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Time and memory grow with the size; plans of this and other predictors use it, those of other weights do not."""
        monkeypatch.setenv("BMZ_CACHE", str(tmp_path / "cache"))
        kernel = np.full((16, 1, 3, 3), 1 / 9, np.float32)
        nodes = [
            helper.make_node("Conv", ["raw", "kernel"], ["many"], pads=[1, 1, 1, 1]),
            helper.make_node("ReduceMean", ["many"], ["out"], axes=[1], keepdims=1),
        ]
        (tmp_path / "model").mkdir()
        save_graph(tmp_path / "model" / "weights.onnx", nodes, {"raw": 4}, {"out": 4}, kernel=kernel)
        model = save_description_0_5(
            tmp_path / "model",
            [tensor("raw", BATCH, channels(), *(space(a, {"min": 16, "step": 4}) for a in "yx"))],
            [tensor("out", BATCH, channels(), *(space(a, follows(a), halo=4) for a in "yx"))],
        )
        image = big(1500, 1500)
        seen: list[str] = []
        with bc.open_predictor(model) as predictor:
            assert not predictor.plan(image, axes="yx").profile.measured
            found = predictor.probe(image, axes="yx", progress=lambda stage, done, total: seen.append(stage))
            assert predictor.plan(image, axes="yx").profile == found
        assert set(seen) == {"measuring the network"}
        assert len(found.points) > 3
        first, last = found.points[0], found.points[-1]
        assert last.pixels >= 1500 * 1500 > first.pixels
        assert last.seconds > first.seconds
        # 16 maps of float32
        assert last.bytes > 16 * 4 * last.pixels
        assert bc.open_predictor(model).plan(image, axes="yx").profile == found
        (tmp_path / "other").mkdir()
        other = box_model(tmp_path / "other", {"min": 16, "step": 4}, halo=4)
        assert not bc.open_predictor(other).plan(image, axes="yx").profile.measured


class TestBeforeRuns:
    """The option ``probe`` of runs."""

    def test_many_images(self, tmp_path: Path) -> None:
        """The network is measured once, before the first image, and the measurement is used for all."""
        (tmp_path / "model").mkdir()
        model = box_model(tmp_path / "model", {"min": 16, "step": 4}, halo=4)
        images = [np.zeros((40 + n, 50), np.float32) for n in range(2)]
        found = list(bc.predict_many(model, images, str(tmp_path / "{number}.zarr"), axes="yx", probe=True))
        assert all(isinstance(p, bc.Prediction) and p.plan is not None and p.plan.profile.measured for p in found)
