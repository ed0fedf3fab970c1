"""Seams are found if the halo or the stride is wrong, and only then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import BATCH, box_model, channels, follows, pool_graph, save_description_0_5, space, tensor

import bioimageio_core as bc
from bioimageio_core.errors import InputError


def pool_model(folder: Path, size: Any, *, halo: int) -> Path:
    """Return a model that averages cells of 8 x 8 pixels."""
    pool_graph(folder / "weights.onnx")
    return save_description_0_5(
        folder,
        [tensor("raw", BATCH, channels(), space("y", size), space("x", size))],
        [tensor("out", BATCH, channels(), space("y", follows("y"), halo=halo), space("x", follows("x"), halo=halo))],
    )


@pytest.fixture
def image() -> Any:
    """Return an odd image of noise."""
    return np.random.default_rng(0).random((515, 515), dtype=np.float32)


class TestEqual:
    """Enough halo, origins on the stride."""

    @pytest.mark.parametrize("size", [64, {"min": 16, "step": 4}])
    def test_mean_filter(self, tmp_path: Path, image: Any, size: Any) -> None:
        """A 3 x 3 filter with halo 1."""
        report = bc.verify(box_model(tmp_path, size), image, block={"y": 64, "x": 64})
        assert report.equal
        assert report.blocks > 50
        assert report.reference == ("shifted grid" if size == 64 else "whole")

    @pytest.mark.parametrize("size", [128, {"min": 24, "step": 8}])
    def test_shift_variant(self, tmp_path: Path, image: Any, size: Any) -> None:
        """8 x 8 pooling on 515 x 515."""
        report = bc.verify(pool_model(tmp_path, size, halo=8), image, block={"y": 128, "x": 128})
        assert report.equal
        assert report.outputs[0].greatest <= 1e-6


class TestDifferent:
    """Seams are found and located."""

    @pytest.mark.parametrize("size", [64, {"min": 16, "step": 1}])
    def test_halo_too_small(self, tmp_path: Path, image: Any, size: Any) -> None:
        """A 9 x 9 filter needs a halo of 4; with 1, three pixels on either side of borders differ."""
        report = bc.verify(box_model(tmp_path, size, filter_size=9), image, block={"y": 64, "x": 64})
        assert not report.equal
        (output,) = report.outputs
        grid = next(g for g in report.plan.grids if g.group.name in output.seam)
        border = int(output.seam.split("= ")[1].split(",")[0])
        assert border % grid.stride == 0
        assert "is too small by at least that much" in output.seam
        reach = int(output.seam.split("reach ")[1].split(" ")[0])
        assert 3 <= reach <= 4

    def test_grid_off_the_stride(self, tmp_path: Path, image: Any) -> None:
        """Origins at multiples of 60 (64 less twice the halo of 2) where the network pools 8 x 8."""
        model = pool_model(tmp_path, {"min": 24, "step": 8}, halo=2)
        report = bc.verify(model, image, block={"y": 64, "x": 64}, network_stride={"y": 2, "x": 2})
        assert not report.equal
        assert "off the stride of the network" in report.outputs[0].seam
        assert report.outputs[0].beyond > 0.1 * report.outputs[0].pixels

    def test_nothing_to_verify(self, tmp_path: Path) -> None:
        """A single block has no seams."""
        with pytest.raises(InputError, match="single block"):
            bc.verify(box_model(tmp_path, {"min": 16, "step": 4}), np.zeros((20, 20), np.float32))


class TestRealModels:
    """Models whose halos are known to be sufficient or not."""

    def test_nuclei_with_more_halo(self, shared: Path) -> None:
        """The described halo of 32 is smaller than the reach of the network; 64 is enough to 1e-4, 8 is not."""
        model = shared / "models/unet2d_nuclei_broad"
        x = np.load(model / "test_input.npy")[0, 0]
        x = np.concatenate([x, x[:, ::-1]], axis=1)[:200]
        good = bc.verify(model, x, axes="yx", halo={"y": 64, "x": 64}, weights_format="onnx")
        assert good.equal
        bad = bc.verify(model, x, axes="yx", halo={"y": 8, "x": 8}, weights_format="onnx")
        assert not bad.equal
        assert "the halo of 8 is too small" in bad.outputs[0].seam
