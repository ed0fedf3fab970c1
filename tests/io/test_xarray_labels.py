"""Axes, pixel sizes and positions of xarray arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from xarray_images import to_zarr

from bioimageio_core.errors import SourceError
from bioimageio_core.io import Image, open_image


def opened(dims: tuple[str, ...] = ("y", "x"), **coordinates: Any) -> Image:
    """Open an array of 4 pixels along each axis."""
    return open_image(xr.DataArray(np.zeros((4,) * len(dims)), dims=dims, coords=coordinates))


class TestAxes:
    """Dims."""

    def test_words_of_the_field(self) -> None:
        """Words become axes, others stay."""
        assert opened(("frame", "row", "col")).axes == ("time", "y", "x")
        assert opened(("position", "y", "x")).axes == ("position", "y", "x")

    def test_made_up(self) -> None:
        """The dims that xarray makes up say nothing."""
        assert open_image(xr.DataArray(np.zeros((4, 4)))).axes is None
        assert opened(("y", "dim_1")).axes is None


class TestCoordinates:
    """Coordinates with a regular step are the pixel size and the position of the first pixel."""

    def test_regular(self) -> None:
        """Each axis by itself, with its unit, also where numbers are rounded to float32."""
        y = xr.DataArray(np.float32([10, 10.1, 10.2, 10.3]), dims="y", attrs={"units": "µm"})
        image = opened(("lat", "x"), lat=("lat", y.data, y.attrs), x=[5, 7, 9, 11])
        assert image.pixel_size["y"] == (pytest.approx(0.1, rel=1e-5), "micrometer")
        assert image.pixel_size["x"] == (2.0, None)
        assert dict(image.position) == {"y": 10.0, "x": 5.0}

    @pytest.mark.parametrize("values", [[0, 1, 2, 4], [3, 2, 0, 1], [1, 1, 1, 1], [0, 1, float("nan"), 3], list("abcd")])
    def test_irregular(self, values: list[Any]) -> None:
        """Coordinates without a constant step above 0 are no pixel size."""
        assert dict(opened(y=values).pixel_size) == {}

    def test_decreasing(self) -> None:
        """Have a size, and no position: the image itself is not turned."""
        image = opened(y=("y", [100, 98, 96, 94], {"units": "um"}))
        assert image.pixel_size == {"y": (2.0, "micrometer")}
        assert dict(image.position) == {}

    def test_single_pixel(self) -> None:
        """A single coordinate has no step."""
        assert dict(open_image(xr.DataArray(np.zeros((1, 1)), dims=("y", "x"), coords={"y": [3.0]})).pixel_size) == {}

    def test_dates(self) -> None:
        """Steps between dates, and durations, are in seconds."""
        dates = np.array(["2024-01-01T00:00", "2024-01-01T00:01", "2024-01-01T00:02", "2024-01-01T00:03"], "M8[ns]")
        assert opened(("t", "y"), t=dates).pixel_size == {"time": (60.0, "second")}
        assert opened(("t", "y"), t=dates - dates[0]).pixel_size == {"time": (60.0, "second")}

    @pytest.mark.parametrize("wanted", [488, "488", np.int64(488), 1, "1", [488]])
    def test_numbered_channels(self, wanted: Any) -> None:
        """Integers along channels are their names, as text: found by either, and by position where no name fits."""
        pixels = xr.DataArray(np.arange(3.0)[:, None, None], dims=("c", "y", "x"), coords={"c": [405, 488, 561]})
        image = open_image(pixels)
        assert image.channel_names == ("405", "488", "561")
        assert image.select("channel", wanted).read((slice(None),) * 3).ravel().tolist() == [1]

    def test_channels(self) -> None:
        """Along channels there is neither a size nor a position."""
        image = opened(("c", "y", "x"), c=[405.0, 488.0, 571.0, 654.0])
        assert (dict(image.pixel_size), dict(image.position)) == ({}, {})


class TestWritten:
    """Arrays that xarray writes as a zarr group, with their coordinates beside them."""

    @pytest.mark.parametrize("zarr_format", [2, 3])
    def test_same_labels(self, tmp_path: Path, zarr_format: int) -> None:
        """The group holds one image, whose labels are those of the array; also where the array itself is opened."""
        coordinates = {
            "channel": ["DAPI", "GFP"],
            "t": np.array(["2024-01-01T00:00", "2024-01-01T00:01", "2024-01-01T00:02"], "M8[ns]"),
            "y": ("y", np.arange(4) * 0.25 + 3, {"units": "um"}),
            "x": [0, 1, 3, 9],
            "exposure": ("channel", [10.0, 20.0]),
            "stage": 7,
        }
        array = xr.DataArray(
            np.random.default_rng(0).random((2, 3, 4, 4)), dims=("channel", "t", "y", "x"), coords=coordinates, name="cells"
        )
        place = str(tmp_path / "cells.zarr")
        to_zarr(array.to_dataset(), place, zarr_format)
        for location in (place, f"{place}/cells"):
            image = open_image(location)
            assert image.axes == ("channel", "time", "y", "x")
            assert image.channel_names == ("DAPI", "GFP")
            assert image.pixel_size == {"y": (0.25, "micrometer"), "time": (1.0, "minute")}
            assert dict(image.position) == {"y": 3.0, "time": 0.0}
            np.testing.assert_array_equal(image.read((slice(0, 2), slice(0, 3), slice(0, 4), slice(0, 4))), array.values)

    def test_several(self, tmp_path: Path) -> None:
        """Of several variables, one is chosen; coordinates are not among them. A group of nothing but coordinates has images."""
        data = xr.Dataset({"raw": (("y", "x"), np.zeros((3, 3))), "dim": ("y", np.zeros(3))}, coords={"y": [0, 2, 4]})
        to_zarr(data, str(tmp_path / "several.zarr"), 3)
        with pytest.raises(SourceError, match=r"2 images.*0 'dim', 1 'raw'"):
            open_image(str(tmp_path / "several.zarr"))
        assert open_image(str(tmp_path / "several.zarr"), scene="raw").pixel_size == {"y": (2.0, None)}
        to_zarr(xr.Dataset(coords={"y": [0, 2, 4]}), str(tmp_path / "y.zarr"), 3)
        assert open_image(str(tmp_path / "y.zarr")).shape == (3,)
