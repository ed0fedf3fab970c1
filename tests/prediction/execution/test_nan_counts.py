"""Numbers of NaN in inputs, with and without statistics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
from made_models import BATCH, box_graph, box_model, channels, follows, null_model, save_description_0_5, space, tensor

import bioimageio_core as bc

NORMALISE = [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["y", "x"]}}]


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """200 x 150 pixels; 3 of 10 are NaN."""
    generator = np.random.default_rng(0)
    pixels = generator.random((200, 150), dtype=np.float32)
    pixels[generator.random(pixels.shape) < 0.3] = np.nan
    return pixels


class TestWithoutStatistics:
    """A model that measures nothing: NaN are counted as blocks are read."""

    @pytest.mark.parametrize("block", [24, 40, 56, 512])
    def test_each_pixel_once(self, tmp_path: Path, image: np.ndarray, block: int) -> None:
        """Overlap and padding count once, whatever the blocks are."""
        found = bc.predict(null_model(tmp_path, "yx", halo=4), image, axes="yx", block={"y": block, "x": block})
        assert dict(found.nan_counts) == {"raw": np.isnan(image).sum()}

    def test_extra_axes(self, tmp_path: Path, image: np.ndarray) -> None:
        """NaN of all positions are added up."""
        found = bc.predict(null_model(tmp_path, "yx"), np.stack([image, image * 0, image]), axes="tyx", block={"y": 48, "x": 48})
        assert dict(found.nan_counts) == {"raw": 3 * np.isnan(image).sum()}

    def test_region_of_interest(self, tmp_path: Path, image: np.ndarray) -> None:
        """Only the predicted part counts, not the pixels around it."""
        roi: Any = {"y": (24, 131), "x": (8, 77)}
        found = bc.predict(null_model(tmp_path, "yx"), image, axes="yx", block={"y": 40, "x": 40}, roi=roi)
        assert dict(found.nan_counts) == {"raw": np.isnan(image[24:131, 8:77]).sum()}

    def test_valid_convolution(self, tmp_path: Path, image: np.ndarray) -> None:
        """Pixels at the edge that no output has count too."""
        box_graph(tmp_path / "weights.onnx", size=5, padded=False)
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), *(space(a, {"min": 16, "step": 1}) for a in "yx"))],
            [tensor("out", BATCH, channels(), *(space(a, follows(a, offset=-4)) for a in "yx"))],
        )
        assert dict(bc.predict(tmp_path, image, axes="yx", block={"y": 40, "x": 40}).nan_counts) == {"raw": np.isnan(image).sum()}

    def test_masked_integers(self, tmp_path: Path, image: np.ndarray) -> None:
        """Masked pixels are NaN, of which the prediction knows nothing else."""
        masked = np.ma.masked_array(np.full(image.shape, 7, "uint8"), mask=np.isnan(image))
        model = null_model(tmp_path, "yx")
        for source in (masked, da.from_array(masked, chunks=64)):
            found = bc.predict(model, source, axes="yx")
            assert dict(found.nan_counts) == {"raw": masked.mask.sum()}
            np.testing.assert_array_equal(np.asarray(found["out"])[0, 0], np.where(masked.mask, np.nan, 7))
        np.testing.assert_array_equal(
            np.asarray(bc.open_predictor(model).lazy(da.from_array(masked, chunks=64), axes="yx")["out"].data)[0, 0],
            np.where(masked.mask, np.nan, 7),
        )

    def test_none(self, tmp_path: Path) -> None:
        """Inputs without NaN are left out."""
        model = null_model(tmp_path, "yx")
        for dtype in ("float32", "uint8"):
            assert dict(bc.predict(model, np.ones((40, 40), dtype), axes="yx").nan_counts) == {}


class TestWithStatistics:
    """A model that measures the image."""

    @pytest.mark.parametrize("roi", [{}, {"y": (24, 72)}])
    def test_complete_image(self, tmp_path: Path, image: np.ndarray, roi: Any) -> None:
        """The count is that of the measurement."""
        model = box_model(tmp_path, {"min": 16, "step": 4}, preprocessing=NORMALISE)
        assert dict(bc.predict(model, image, axes="yx", roi=roi).nan_counts) == {"raw": np.isnan(image).sum()}

    def test_masked_pixels_are_ignored(self, tmp_path: Path, image: np.ndarray) -> None:
        """The mean is that of numpy, which ignores masked pixels, not that of the values under the mask."""
        masked = np.ma.masked_array(np.where(np.isnan(image), 1e6, image), mask=np.isnan(image))
        model = box_model(tmp_path, {"min": 16, "step": 4}, preprocessing=NORMALISE)
        for source in (masked, da.from_array(masked, chunks=64)):
            (mean,) = (value for name, value in bc.predict(model, source, axes="yx").statistics.items() if ": mean" in name)
            assert mean == pytest.approx(float(masked.mean()), rel=1e-6)
