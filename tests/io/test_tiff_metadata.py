"""Axes, units and pixel sizes of TIFF files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from bioimageio_core.io import open_image
from bioimageio_core.io.reading.tiff_metadata import series_axes
from bioimageio_core.typing import FrozenMapping

DATA = np.zeros((4, 20, 30), "uint8")
PREFIXES = {
    "Ym": "yotta",
    "Zm": "zetta",
    "Em": "exa",
    "Pm": "peta",
    "Tm": "tera",
    "Gm": "giga",
    "Mm": "mega",
    "km": "kilo",
    "hm": "hecto",
    "dm": "deci",
    "cm": "centi",
    "mm": "milli",
    "µm": "micro",
    "nm": "nano",
    "pm": "pico",
    "fm": "femto",
    "am": "atto",
    "zm": "zepto",
    "ym": "yocto",
}
LENGTHS = {
    **dict.fromkeys(["m", "dam", "ua", "ly"], "meter"),
    **dict.fromkeys(["in", "thou", "li", "pt"], "inch"),
    **{symbol: f"{prefix}meter" for symbol, prefix in PREFIXES.items()},
    "Å": "angstrom",
    "ft": "foot",
    "yd": "yard",
    "mi": "mile",
    "pc": "parsec",
    **dict.fromkeys(["pixel", "reference frame"]),
}
"""Names of all units of length of the schema of OME."""


def sizes(path: Path, **written: Any) -> FrozenMapping[str, Any]:
    """Write a TIFF file, and return the pixel sizes that it is opened with."""
    tifffile.imwrite(path, written.pop("data", DATA), photometric="minisblack", **written)
    return open_image(path).pixel_size


class TestOme:
    """OME-TIFF."""

    @pytest.mark.parametrize(("unit", "name"), LENGTHS.items())
    def test_lengths(self, tmp_path: Path, unit: str, name: str | None) -> None:
        """Every unit of length of the schema has the name that OME-Zarr gives to it, or is none."""
        metadata = {"axes": "ZYX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": unit}
        assert sizes(tmp_path / "a.ome.tif", metadata=metadata)["x"][1] == name

    def test_converted(self, tmp_path: Path) -> None:
        """A unit that OME-Zarr lacks is converted: 500 thousandths of an inch are half an inch."""
        metadata = {"axes": "ZYX", "PhysicalSizeX": 500, "PhysicalSizeXUnit": "thou"}
        assert sizes(tmp_path / "a.ome.tif", metadata=metadata) == {"x": (0.5, "inch")}

    @pytest.mark.parametrize(("unit", "name"), [("s", "second"), ("ms", "millisecond"), ("min", "minute"), ("h", "hour"), ("d", "day")])
    def test_times(self, tmp_path: Path, unit: str, name: str) -> None:
        """Units of time."""
        metadata = {"axes": "TYX", "TimeIncrement": 3.0, "TimeIncrementUnit": unit}
        assert sizes(tmp_path / "a.ome.tif", metadata=metadata) == {"time": (3.0, name)}

    def test_size_0(self, tmp_path: Path) -> None:
        """A size of 0 counts as not known."""
        metadata = {"axes": "ZYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 0.0}
        assert set(sizes(tmp_path / "a.ome.tif", metadata=metadata)) == {"y", "x"}


class TestImageJ:
    """TIFF files of ImageJ."""

    def test_units_of_axes(self, tmp_path: Path) -> None:
        """Each axis has its own unit, or that of x."""
        metadata = {"axes": "ZYX", "unit": "micron", "yunit": "nm", "zunit": "mm", "spacing": 2.0}
        found = sizes(tmp_path / "a.tif", imagej=True, resolution=(5, 4), metadata=metadata)
        assert found == {"z": (2.0, "millimeter"), "y": (0.25, "nanometer"), "x": (0.2, "micrometer")}

    @pytest.mark.parametrize(
        ("unit", "name"), [("\\u00B5m", "micrometer"), ("um", "micrometer"), ("inch", "inch"), ("cm", "centimeter"), ("pixel", None)]
    )
    def test_spellings(self, tmp_path: Path, unit: str, name: str | None) -> None:
        """As ImageJ writes them."""
        found = sizes(tmp_path / "a.tif", imagej=True, resolution=(5, 5), metadata={"axes": "ZYX", "unit": unit})
        assert found == {"y": (0.2, name), "x": (0.2, name)}

    @pytest.mark.parametrize(("more", "name"), [({}, "second"), ({"tunit": "min"}, "minute"), ({"tunit": "msec"}, "millisecond")])
    def test_time(self, tmp_path: Path, more: dict[str, Any], name: str) -> None:
        """The interval of frames is in seconds unless `tunit` says otherwise."""
        found = sizes(tmp_path / "a.tif", imagej=True, metadata={"axes": "TYX", "unit": "um", "finterval": 1.5, **more})
        assert found["time"] == (1.5, name)


class TestPlainTags:
    """Files without metadata of OME or ImageJ."""

    @pytest.mark.parametrize(("unit", "name"), [("CENTIMETER", "centimeter"), ("INCH", "inch")])
    def test_resolution(self, tmp_path: Path, unit: Any, name: str) -> None:
        """Pixels per unit are a pixel size, also where the axes are given only later."""
        found = sizes(tmp_path / "a.tif", data=DATA[0], resolution=(20000, 10000), resolutionunit=unit)
        assert found == {"y": (0.0001, name), "x": (0.00005, name)}
        tifffile.imwrite(tmp_path / "b.tif", DATA, photometric="minisblack", metadata=None, resolution=(20, 10), resolutionunit=unit)
        image = open_image(tmp_path / "b.tif", axes="zyx")
        assert dict(image.pixel_size) == {"y": (0.1, name), "x": (0.05, name)}

    def test_scanner(self, tmp_path: Path) -> None:
        """300 per inch are a real resolution."""
        assert sizes(tmp_path / "a.tif", data=DATA[0], resolution=(300, 300), resolutionunit="INCH")["y"] == (1 / 300, "inch")

    @pytest.mark.parametrize(
        ("resolution", "unit"), [(72, "INCH"), (96, "INCH"), (1, "INCH"), (72 / 2.54, "CENTIMETER"), (1, "CENTIMETER"), (300, "NONE")]
    )
    def test_nothing_measured(self, tmp_path: Path, resolution: float, unit: Any) -> None:
        """The resolutions of screens, the default of the tag, and numbers without a unit are no pixel size."""
        assert sizes(tmp_path / "a.tif", data=DATA[0], resolution=(resolution, resolution), resolutionunit=unit) == {}


class TestAxes:
    """Letters of tifffile."""

    @pytest.mark.parametrize(
        ("letters", "axes"),
        [
            ("TCZYX", ("time", "channel", "z", "y", "x")),
            ("YXS", ("y", "x", "channel")),
            ("AYX", ("angle", "y", "x")),
            ("HYX", ("lifetime", "y", "x")),
            ("IYX", None),
            ("QYX", None),
            ("CYXS", None),
        ],
    )
    def test_letters(self, letters: str, axes: tuple[str, ...] | None) -> None:
        """H is the lifetime of fluorescence, not a height; I and Q may be anything."""
        assert series_axes(letters, len(letters)) == axes


@pytest.mark.parametrize("names", [["2", "1", "0"], ["0405", "0488"], ["1e3", "2.0", "True"], ["Alexa 405, high", "x"]])
def test_names_of_channels_are_text(tmp_path: Path, names: list[str]) -> None:
    """Also those that look like numbers."""
    path = tmp_path / "image.ome.tif"
    metadata = {"axes": "CYX", "Channel": {"Name": names}}
    tifffile.imwrite(path, np.zeros((len(names), 8, 9), "u2"), ome=True, photometric="minisblack", metadata=metadata)
    assert open_image(path).channel_names == tuple(names)
