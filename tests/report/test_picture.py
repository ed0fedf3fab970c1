from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from bioimageio_core.report.pictures.side_by_side import overlay, side_by_side, to_grey, to_png


def decode(data: bytes) -> np.ndarray:
    return np.asarray(pytest.importorskip("PIL.Image").open(BytesIO(data)))


class TestEncodePng:
    @pytest.mark.parametrize("shape", [(7, 11), (7, 11, 3), (1, 1), (300, 2, 3)])
    def test_round_trip(self, shape: tuple[int, ...]) -> None:
        """Another decoder reads the pixels that were written."""
        pixels = np.random.default_rng(0).integers(0, 256, shape, "uint8")
        assert np.array_equal(decode(to_png(pixels)), pixels)


class TestToGrey:
    def test_percentiles(self) -> None:
        """The percentiles are black and white; one hot pixel spoils nothing."""
        plane = np.linspace(0, 1000, 10_000).reshape(100, 100)
        plane[0, 0] = 1e6
        grey = to_grey(plane)
        assert (grey.min(), grey[-1, -1]) == (0, 255)
        assert 140 < grey[50, 0] < 180

    @pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
    def test_nothing_to_see(self, value: float) -> None:
        """A constant plane, or one without numbers, is black."""
        assert not to_grey(np.full((4, 5), value)).any()


class TestOverlay:
    def test_background_is_untouched(self) -> None:
        """Only labelled pixels are coloured, neighbours differently."""
        grey = np.full((6, 6), 100, "uint8")
        labels = np.zeros((6, 6), "uint16")
        labels[1:5, 1:3], labels[1:5, 3:5] = 1, 2
        shown = overlay(grey, labels)
        assert (shown[labels == 0] == 100).all()
        assert (shown[2, 1] != shown[2, 4]).any()


class TestSideBySide:
    @pytest.mark.parametrize("dtype", ["bool", "int32", "float32"])
    def test_panels(self, tmp_path: Path, dtype: str) -> None:
        """One panel per image with a gap, whatever axes stand in front."""
        image = np.random.default_rng(0).random((1, 9, 40, 50))
        side_by_side([image, (image > 0.5).astype(dtype)], tmp_path / "p.png")
        assert decode((tmp_path / "p.png").read_bytes()).shape == (40, 106, 3)

    def test_large_images_are_thinned_out(self, tmp_path: Path) -> None:
        """No picture is larger than wanted."""
        side_by_side([np.zeros((300, 1000))], tmp_path / "p.png", max_pixels=100)
        assert decode((tmp_path / "p.png").read_bytes()).shape == (30, 100, 3)

    def test_a_line_is_no_picture(self, tmp_path: Path) -> None:
        """The error tells the shape."""
        with pytest.raises(ValueError, match=r"\(5,\)"):
            side_by_side([np.zeros(5)], tmp_path / "p.png")
