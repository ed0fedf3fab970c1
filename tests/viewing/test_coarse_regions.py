"""Regions at any coarseness, compared with numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimageio_core.viewing import coarse_regions
from bioimageio_core.viewing.coarse_regions import coarse_region, shown_dtype
from bioimageio_core.viewing.layers import layers_of

RANDOM = np.random.default_rng(1)


def means(pixels: np.ndarray, factors: tuple[int, ...]) -> np.ndarray:
    """Return the means of cells, of which the last may be cut."""
    padding = [(0, -n % f) for n, f in zip(pixels.shape, factors, strict=True)]
    padded = np.pad(pixels.astype(float), padding, constant_values=np.nan)
    split = padded.reshape([part for n, f in zip(padded.shape, factors, strict=True) for part in (n // f, f)])
    return np.asarray(np.nanmean(split, axis=tuple(range(1, split.ndim, 2))))


@given(st.data())
def test_cells(data: st.DataObject) -> None:
    """Of images means, of labels the first pixels, for any region and coarseness."""
    shape = tuple(data.draw(st.lists(st.integers(2, 20), min_size=2, max_size=3), label="shape"))
    factors = tuple(data.draw(st.integers(1, 8), label="factor") for _ in shape)
    cells = [-(-n // f) for n, f in zip(shape, factors, strict=True)]
    start = [data.draw(st.integers(0, n - 1), label="start") for n in cells]
    stop = [data.draw(st.integers(a + 1, n), label="stop") for a, n in zip(start, cells, strict=True)]
    chosen = tuple(map(slice, start, stop))
    pixels = RANDOM.random(shape, np.float32)
    image, labels = layers_of(pixels, labels=(pixels * 1000).astype(np.uint16), axes="zyx"[-len(shape) :])
    np.testing.assert_allclose(coarse_region(image, start, stop, factors), means(pixels, factors)[chosen], rtol=1e-5)
    first = (pixels * 1000).astype(np.uint16)[tuple(slice(None, None, f) for f in factors)]
    np.testing.assert_array_equal(coarse_region(labels, start, stop, factors), first[chosen])


def pyramid(path: Path, levels: list[np.ndarray]) -> Path:
    """Write a pyramid of TIFF."""
    tifffile = pytest.importorskip("tifffile")
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(levels[0], subifds=len(levels) - 1, tile=(16, 16), photometric="minisblack", metadata={"axes": "YX"})
        for level in levels[1:]:
            tiff.write(level, subfiletype=1, tile=(16, 16), photometric="minisblack")
    return path


class TestLevels:
    """Which level is read."""

    def test_coarsest_that_suffices(self, tmp_path: Path) -> None:
        """Of levels of halves, each is read for its coarseness, and the last one for all that are coarser."""
        levels = [np.full((64 >> n, 48 >> n), n, np.uint8) for n in range(3)]
        (layer,) = layers_of(pyramid(tmp_path / "halves.ome.tif", levels))
        for factor, level in [(1, 0), (2, 1), (4, 2), (8, 2), (16, 2)]:
            cells = coarse_region(layer, (0, 0), (64 // factor, 48 // factor), (factor, factor))
            assert (cells == level).all()

    def test_cut_levels(self, tmp_path: Path) -> None:
        """A level whose size is rounded down lacks the last cell, which has the value of the one before."""
        levels = [np.zeros((33, 33), np.uint8), np.arange(256, dtype=np.uint8).reshape(16, 16)]
        (layer,) = layers_of(pyramid(tmp_path / "cut.ome.tif", levels))
        cells = coarse_region(layer, (0, 0), (17, 17), (2, 2))
        np.testing.assert_array_equal(cells, np.pad(levels[1], (0, 1), mode="edge"))

    def test_other_factors(self, tmp_path: Path) -> None:
        """Of levels of thirds, the nearest pixel is taken."""
        levels = [np.zeros((63, 63), np.uint8), np.arange(441, dtype=np.uint16).astype(np.uint8).reshape(21, 21)]
        (layer,) = layers_of(pyramid(tmp_path / "thirds.ome.tif", levels))
        cells = coarse_region(layer, (0, 0), (16, 16), (4, 4))
        at = (np.arange(16) * 4 / 3).astype(int)
        np.testing.assert_array_equal(cells, levels[1][np.ix_(at, at)])


class TestMemory:
    """What is read at once."""

    def test_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Regions of many pixels are read in parts, to the same cells."""
        pixels = RANDOM.integers(0, 2**16, (50, 60, 70), np.uint16)
        (layer,) = layers_of(pixels, axes="zyx")
        whole = coarse_region(layer, (0, 0, 0), (13, 15, 18), (4, 4, 4))
        sizes = []
        read = type(layer.levels[0]).read

        def counting(self: object, box: list[slice]) -> np.ndarray:
            region = read(self, box)  # type: ignore[arg-type]
            sizes.append(region.size)
            return region

        monkeypatch.setattr(type(layer.levels[0]), "read", counting)
        monkeypatch.setattr(coarse_regions, "MOST_PIXELS_AT_ONCE", 1000)
        np.testing.assert_array_equal(coarse_region(layer, (0, 0, 0), (13, 15, 18), (4, 4, 4)), whole)
        assert max(sizes) <= 1000


class TestDtypes:
    """Dtypes that browsers have."""

    @pytest.mark.parametrize(
        ("dtype", "image", "labels"),
        [("bool", "uint8", "uint8"), ("int16", "int16", "uint16"), ("int64", "float32", "uint64"), ("uint64", "float32", "uint64")],
    )
    def test_shown(self, dtype: str, image: str, labels: str) -> None:
        """Labels are unsigned, and images have at most 32 bits."""
        assert (shown_dtype(dtype, "image"), shown_dtype(dtype, "labels")) == (image, labels)

    def test_negative_labels(self) -> None:
        """Are no objects."""
        _, labels = layers_of(np.zeros((2, 2)), labels=np.array([[-1, 3], [2**40, -5]]), axes="yx")
        np.testing.assert_array_equal(coarse_region(labels, (0, 0), (2, 2), (1, 1)), [[0, 3], [2**40, 0]])

    def test_rounded(self) -> None:
        """Means of integers are rounded."""
        (layer,) = layers_of(np.array([[1, 2], [2, 2]], np.uint8), axes="yx")
        assert coarse_region(layer, (0, 0), (1, 1), (2, 2)) == 2

    @pytest.mark.parametrize(
        "region", [((0, 0), (3, 2), (1, 1)), ((0, 0), (2, 0), (1, 1)), ((0, 0), (1, 1), (0, 1)), ((-1, 0), (1, 1), (1, 1))]
    )
    def test_beyond(self, region: tuple[tuple[int, int], ...]) -> None:
        """A region that is not within the layer is refused."""
        (layer,) = layers_of(np.zeros((2, 2)), axes="yx")
        with pytest.raises(ValueError, match="not within"):
            coarse_region(layer, *region)
