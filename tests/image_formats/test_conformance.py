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

READERS, PROVENANCE = collect().image_readers, collect().provenance
VOLUME = np.arange(3 * 7 * 5, dtype=np.uint16).reshape(3, 7, 5)
LARGE = np.arange(512 * 512, dtype=np.uint16).reshape(512, 512)
MICROMETERS = {"y": (0.5, "micrometer"), "x": (0.25, "micrometer")}
FIJI = {"z": (2.0, "micrometer"), **MICROMETERS}


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


class TestPictures(ImageReaderConformance):
    """Pictures that Pillow writes."""

    entry = READERS["pictures"]
    reads_at_once = True

    @pytest.fixture
    def images(self, tmp_path: Path) -> Sequence[ImageExample]:
        """Grey of 8 and 16 bits, colours, and a JPEG, which loses a little."""
        pictures = pytest.importorskip("PIL.Image")
        ramp = np.add.outer(np.arange(16), np.arange(24)).astype(np.uint8) * 4
        colours = np.stack([ramp, ramp[::-1], ramp[:, ::-1]], -1)
        files = {"grey.png": ramp, "deep.png": ramp.astype(np.uint16) * 200, "colours.png": colours, "grey.bmp": ramp, "grey.jpg": ramp}
        for name, array in files.items():
            pictures.fromarray(array).save(tmp_path / name)
        names = ("red", "green", "blue")
        return [
            ImageExample(
                path=tmp_path / name,
                array=array,
                axes="yxc" if array.ndim == 3 else "yx",
                channel_names=names if array.ndim == 3 else None,
                atol=8.0 if name.endswith("jpg") else 0.0,
            )
            for name, array in files.items()
        ]


class TestHdf5(ImageReaderConformance):
    """Datasets that h5py writes."""

    entry = READERS["hdf5"]

    @pytest.fixture
    def images(self, tmp_path: Path) -> Sequence[ImageExample]:
        """With sizes of Fiji, several in a file, and a path into it."""
        h5py = pytest.importorskip("h5py")
        with h5py.File(tmp_path / "fiji.h5", "w") as file:
            file.create_dataset("volume", data=VOLUME, chunks=(1, 4, 4), compression="gzip").attrs["element_size_um"] = [2.0, 0.5, 0.25]
        with h5py.File(tmp_path / "two.h5", "w") as file:
            file["labels"], file["raw"] = VOLUME[0], VOLUME[1]
        with h5py.File(tmp_path / "large.hdf5", "w") as file:
            file["large"] = LARGE
        two, names = tmp_path / "two.h5", ("labels", "raw")
        return [
            ImageExample(path=tmp_path / "fiji.h5", array=VOLUME, axes="zyx", scene_names=("volume",), pixel_size=FIJI),
            ImageExample(path=two, array=VOLUME[1], scene="raw", scene_names=names),
            ImageExample(path=two, within=":/labels", array=VOLUME[0], scene_names=("labels",)),
            ImageExample(path=tmp_path / "large.hdf5", array=LARGE, scene_names=("large",)),
        ]


class TestN5(ImageReaderConformance):
    """Folders that TensorStore writes."""

    entry = READERS["n5"]

    @pytest.fixture
    def images(self, tmp_path: Path) -> Sequence[ImageExample]:
        """A dataset at the root, x first in the file."""
        ts = pytest.importorskip("tensorstore")
        path = tmp_path / "volume.n5"
        metadata = {"blockSize": [2, 3, 2], "compression": {"type": "gzip"}}
        spec = {"driver": "n5", "kvstore": {"driver": "file", "path": f"{path}/"}, "metadata": metadata}
        ts.open(spec, create=True, shape=VOLUME.T.shape, dtype=VOLUME.dtype).result().write(VOLUME.T).result()
        return [ImageExample(path=path, array=VOLUME)]


class TestImaris(ImageReaderConformance):
    """Files laid out as Imaris lays them out."""

    entry = READERS["imaris"]

    @pytest.fixture
    def images(self, tmp_path: Path) -> Sequence[ImageExample]:
        """One channel, at one level, of 0.25 micrometers per pixel."""
        h5py = pytest.importorskip("h5py")
        path = tmp_path / "cells.ims"
        with h5py.File(path, "w") as file:
            about = {"Unit": "um", "X": "5", "Y": "7", "Z": "3", "ExtMin0": "0", "ExtMax0": "1.25", "ExtMin1": "0", "ExtMax1": "3.5"}
            for key, value in {**about, "ExtMin2": "0", "ExtMax2": "6"}.items():
                file.require_group("DataSetInfo/Image").attrs[key] = np.frombuffer(value.encode(), "S1")
            file.require_group("DataSetInfo/Channel 0").attrs["Name"] = np.frombuffer(b"DAPI", "S1")
            channel = file.create_group("DataSet/ResolutionLevel 0/TimePoint 0/Channel 0")
            channel["Data"] = VOLUME
            for axis, size in zip("ZYX", VOLUME.shape, strict=True):
                channel.attrs[f"ImageSize{axis}"] = np.frombuffer(str(size).encode(), "S1")
        return [ImageExample(path=path, array=VOLUME, axes="zyx", pixel_size=FIJI, position={"z": 1.0, "y": 0.25, "x": 0.125})]


def test_nothing_is_left_out() -> None:
    """Every reader of the library has a class above."""
    tested = {value.entry.name for value in globals().values() if isinstance(value, type) and hasattr(value, "entry")}
    own = {name for kind, name in PROVENANCE if kind == "image_readers" and PROVENANCE[kind, name].distribution == "bioimageio-runtime"}
    assert own == tested
