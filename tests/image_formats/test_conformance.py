"""The readers of the library pass the kit that plugins have to pass, on files that other packages wrote."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from bioimageio_core.registry import collect
from bioimageio_core.testing import ImageExample, ImageReaderConformance

READERS = collect().image_readers
VOLUME = np.arange(3 * 7 * 5, dtype=np.uint16).reshape(3, 7, 5)
LARGE = np.arange(512 * 512, dtype=np.uint16).reshape(512, 512)
MICROMETERS = {"y": (0.5, "micrometer"), "x": (0.25, "micrometer")}


class TestNpy(ImageReaderConformance):
    """Arrays of numpy."""

    entry = READERS["npy"]

    @pytest.fixture
    def images(self, tmp_path: Path) -> Sequence[ImageExample]:
        """In the order of C and of Fortran, big-endian, of bool, and large."""
        arrays = {
            "volume": VOLUME,
            "fortran": np.asfortranarray(VOLUME[:, :6]),
            "big": VOLUME.astype(">f4"),
            "mask": VOLUME % 3 == 0,
            "large": LARGE,
        }
        for name, array in arrays.items():
            np.save(tmp_path / f"{name}.npy", array)
        return [ImageExample(path=tmp_path / f"{name}.npy", array=array) for name, array in arrays.items()]


class TestTiff(ImageReaderConformance):
    """Files that tifffile writes."""

    entry = READERS["tiff"]

    @pytest.fixture
    def images(self, tmp_path: Path) -> Sequence[ImageExample]:
        """Plain, OME-TIFF in tiles, a hyperstack of ImageJ, a pyramid, and two images in a file."""
        tifffile = pytest.importorskip("tifffile")
        plain, ome, imagej, pyramid, two, large = (
            tmp_path / f"{name}.tif" for name in ("plain", "tiled.ome", "imagej", "pyramid.ome", "two.ome", "large")
        )
        stack = np.stack([VOLUME, VOLUME + 1000], 1)  # z, channel, y, x
        tifffile.imwrite(plain, VOLUME, photometric="minisblack", metadata={"axes": "ZYX"})
        sizes = {"PhysicalSizeY": 0.5, "PhysicalSizeX": 0.25, "PhysicalSizeYUnit": "µm", "PhysicalSizeXUnit": "µm"}
        metadata = {"axes": "ZCYX", "Channel": {"Name": ["DAPI", "GFP"]}, **sizes}
        tifffile.imwrite(ome, stack, photometric="minisblack", tile=(16, 16), compression="zlib", metadata=metadata)
        tifffile.imwrite(imagej, stack, imagej=True, resolution=(4, 2), metadata={"axes": "ZCYX", "unit": "um", "spacing": 1.5})
        with tifffile.TiffWriter(pyramid) as tiff:
            tiff.write(LARGE[:64, :64], subifds=1, tile=(16, 16), photometric="minisblack", metadata={"axes": "YX"})
            tiff.write(LARGE[:64:2, :64:2], subfiletype=1, tile=(16, 16), photometric="minisblack")
        with tifffile.TiffWriter(two, ome=True) as tiff:
            for number, name in enumerate(("left", "right")):
                tiff.write(VOLUME[0] + number, photometric="minisblack", metadata={"axes": "YX", "Name": name})
        tifffile.imwrite(large, LARGE, photometric="minisblack", compression="zlib", rowsperstrip=16)
        named = {"axes": "zcyx", "pixel_size": MICROMETERS}
        return [
            ImageExample(path=plain, array=VOLUME, axes="zyx"),
            ImageExample(path=ome, array=stack, channel_names=("DAPI", "GFP"), scene_names=("Image0",), **named),
            ImageExample(path=imagej, array=stack, axes="zcyx", pixel_size={**MICROMETERS, "z": (1.5, "micrometer")}),
            ImageExample(path=pyramid, array=LARGE[:64, :64], axes="yx", levels=2, scene_names=("Image0",)),
            ImageExample(path=pyramid, array=LARGE[:64:2, :64:2], axes="yx", level=1, levels=2, scene_names=("Image0",)),
            ImageExample(path=two, array=VOLUME[0] + 1, axes="yx", scene="right", scene_names=("left", "right")),
            ImageExample(path=large, array=LARGE, axes="yx"),
        ]


def write_ome_zarr(path: Path, stack: np.ndarray[Any, Any], version: int) -> None:
    """Write an OME-Zarr image of two levels, of version 2 or 3 of zarr, along c, y and x."""
    group = zarr.create_group(str(path), zarr_format=2 if version == 2 else 3)
    for level in range(2):
        group.create_array(str(level), data=np.ascontiguousarray(stack[:, :: level + 1, :: level + 1]), chunks=(1, 4, 4))
    axes = [{"name": "c", "type": "channel"}, *({"name": n, "type": "space", "unit": "micrometer"} for n in "yx")]
    scales = [{"type": "scale", "scale": [1, 0.5 * n, 0.25 * n]} for n in (1, 2)]
    datasets = [{"path": str(n), "coordinateTransformations": [scale]} for n, scale in enumerate(scales)]
    omero = {"channels": [{"label": "DAPI"}, {"label": "GFP"}, {"label": "RFP"}]}
    content: dict[str, Any] = {"multiscales": [{"version": "0.4", "axes": axes, "datasets": datasets, "name": "cells"}], "omero": omero}
    group.attrs.update(content if version == 2 else {"ome": {**content, "version": "0.5"}})


class TestZarr(ImageReaderConformance):
    """Arrays and groups that zarr writes."""

    entry = READERS["zarr"]

    @pytest.fixture
    def images(self, tmp_path: Path) -> Sequence[ImageExample]:
        """An array with named dimensions, an OME-Zarr image of two levels, arrays beside each other, and a path into the group."""
        array, ome, beside, large = (tmp_path / f"{name}.zarr" for name in ("array", "cells.ome", "beside", "large"))
        zarr.create_array(str(array), data=VOLUME, chunks=(1, 4, 4), dimension_names=["z", "y", "x"])
        zarr.create_array(str(large), data=LARGE, chunks=(64, 64))
        write_ome_zarr(ome, VOLUME, 3)
        group = zarr.create_group(str(beside))
        for number, name in enumerate(("raw", "segmentation")):
            group.create_array(name, data=VOLUME[number])
        named = {
            "axes": "cyx",
            "channel_names": ("DAPI", "GFP", "RFP"),
            "levels": 2,
            "scene_names": ("cells",),
            "position": {"y": 0.0, "x": 0.0},
        }
        twice = {axis: (2 * size, unit) for axis, (size, unit) in MICROMETERS.items()}
        names = ("raw", "segmentation")
        return [
            ImageExample(path=array, array=VOLUME, axes="zyx"),
            ImageExample(path=large, array=LARGE),
            ImageExample(path=ome, array=VOLUME, pixel_size=MICROMETERS, **named),
            ImageExample(path=ome, array=VOLUME[:, ::2, ::2], level=1, pixel_size=twice, **named),
            ImageExample(path=beside, array=VOLUME[1], scene=1, scene_names=names),
            ImageExample(path=beside, within="/raw", array=VOLUME[0]),
        ]


class TestZippedZarr(ImageReaderConformance):
    """Zip archives of such folders."""

    entry = READERS["zipped-zarr"]

    @pytest.fixture
    def images(self, tmp_path: Path) -> Sequence[ImageExample]:
        """An archive of an OME-Zarr image of version 2 at its root, and one of a folder."""
        write_ome_zarr(tmp_path / "cells", VOLUME, 2)
        archives = tmp_path / "cells.ozx", tmp_path / "folder.zarr.zip"
        for path, above in zip(archives, ("", "cells.zarr/"), strict=True):
            with zipfile.ZipFile(path, "w") as archive:
                for file in sorted(p for p in (tmp_path / "cells").rglob("*") if p.is_file()):
                    archive.write(file, above + file.relative_to(tmp_path / "cells").as_posix())
        return [
            ImageExample(
                path=path,
                array=VOLUME,
                axes="cyx",
                channel_names=("DAPI", "GFP", "RFP"),
                pixel_size=MICROMETERS,
                position={"y": 0.0, "x": 0.0},
                levels=2,
                scene_names=("cells",),
            )
            for path in archives
        ]


ELSEWHERE: set[tuple[str, str]] = set()
"""What passes the kit in another module of this folder."""


def test_nothing_is_left_out() -> None:
    """Every reader and writer of the library has a class above, or in another module."""
    tested = {(value.kind, value.entry.name) for value in globals().values() if isinstance(value, type) and hasattr(value, "entry")}
    own = {
        key
        for key, plugin in collect().provenance.items()
        if plugin.distribution == "bioimageio-runtime" and key[0] in ("image_readers", "image_writers")
    }
    assert own - tested == ELSEWHERE, f"no test of {sorted(own - tested - ELSEWHERE)}"
