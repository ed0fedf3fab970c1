"""Axes, pixel sizes and positions of xarray arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

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

    @pytest.mark.parametrize("values", [[0, 1, 2, 4], [3, 2, 1, 0], [1, 1, 1, 1], [0, 1, float("nan"), 3], list("abcd")])
    def test_irregular(self, values: list[Any]) -> None:
        """Coordinates without a constant step above 0 are no pixel size."""
        assert dict(opened(y=values).pixel_size) == {}

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
