"""Readers of pictures, HDF5, Imaris and N5 pass the kit that plugins have to pass."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from laid_out_hdf5 import XML, axistags, save_bdv, save_imaris
from laid_out_n5 import describe, save, save_by_hand

from bioimageio_core.registry import collect
from bioimageio_core.testing import ImageExample, ImageReaderConformance

READERS = collect().image_readers
VOLUME = np.arange(3 * 7 * 5, dtype=np.uint16).reshape(3, 7, 5)
LARGE = np.arange(512 * 512, dtype=np.uint16).reshape(512, 512)
MOVIE = (np.arange(2 * 3 * 4 * 6).reshape(2, 3, 4, 6) * 400).astype(np.uint16)
MICRONS = "micrometer"


class TestPictures(ImageReaderConformance):
    """Files that Pillow writes."""

    entry = READERS["pictures"]
    reads_at_once = True

    @pytest.fixture
    def images(self, tmp_path: Path) -> Sequence[ImageExample]:
        """Grey with a resolution, of 16 bits, colours, a mask, and an animation."""
        pillow = pytest.importorskip("PIL.Image")
        grey = (VOLUME[0] * 5).astype(np.uint8)
        colours = np.stack([grey, 255 - grey, grey // 2], -1)
        pillow.fromarray(grey).save(tmp_path / "grey.png", dpi=(300, 300))
        pillow.fromarray(VOLUME[2] * 500).save(tmp_path / "deep.png")
        pillow.fromarray(colours).save(tmp_path / "colours.bmp")
        pillow.fromarray(grey > 50).save(tmp_path / "mask.png")
        frames = [pillow.fromarray(grey + n) for n in range(3)]
        frames[0].save(tmp_path / "animation.gif", save_all=True, append_images=frames[1:])
        size = 1 / (11811 * 0.0254)  # PNG counts pixels per metre
        rgb = ("red", "green", "blue")
        return [
            ImageExample(path=tmp_path / "grey.png", array=grey, axes="yx", pixel_size={"y": (size, "inch"), "x": (size, "inch")}),
            ImageExample(path=tmp_path / "deep.png", array=VOLUME[2] * 500, axes="yx"),
            ImageExample(path=tmp_path / "colours.bmp", array=colours, axes="yxc", channel_names=rgb),
            ImageExample(path=tmp_path / "mask.png", array=grey > 50, axes="yx"),
            ImageExample(path=tmp_path / "animation.gif", array=np.stack([grey + n for n in range(3)]), axes="tyx"),
        ]


class TestHDF5(ImageReaderConformance):
    """Files that h5py writes, laid out as by ilastik, BigDataViewer and others."""

    entry = READERS["hdf5"]

    @pytest.fixture
    def images(self, tmp_path: Path) -> Sequence[ImageExample]:
        """A dataset with axes, a large one in chunks, two in a file, paths, and setups with levels."""
        h5py = pytest.importorskip("h5py")
        with h5py.File(tmp_path / "ilastik.h5", "w") as file:
            file["exported_data"] = VOLUME
            file["exported_data"].attrs["axistags"] = axistags(("z", 2, 1.5), ("y", 2, 0), ("x", 2, 0))
        with h5py.File(tmp_path / "large.h5", "w") as file:
            file.create_dataset("raw", data=LARGE, chunks=(64, 64), compression="gzip")
        with h5py.File(tmp_path / "two.h5", "w") as file:
            file["group/raw"] = VOLUME
            file["mask"] = VOLUME[0] > 5
        save_bdv(tmp_path / "bdv.h5", MOVIE, setups=2)
        (tmp_path / "bdv.xml").write_text(XML.format(unit="µm"), encoding="utf-8")
        save_bdv(tmp_path / "single.h5", MOVIE)
        return [
            ImageExample(
                path=tmp_path / "ilastik.h5", array=VOLUME, axes="zyx", pixel_size={"z": (1.5, None)}, scene_names=("exported_data",)
            ),
            ImageExample(path=tmp_path / "large.h5", array=LARGE, scene_names=("raw",)),
            ImageExample(path=tmp_path / "two.h5", array=VOLUME[0] > 5, scene="mask", scene_names=("group/raw", "mask")),
            ImageExample(path=tmp_path / "two.h5", within=":/group/raw", array=VOLUME, scene_names=("group/raw",)),
            ImageExample(path=tmp_path / "single.h5", array=MOVIE, axes="tzyx", levels=2, scene_names=("s00",)),
            ImageExample(path=tmp_path / "single.h5", array=MOVIE[..., ::2, ::2], axes="tzyx", level=1, levels=2, scene_names=("s00",)),
        ]


class TestImaris(ImageReaderConformance):
    """Files that h5py writes, laid out as by Imaris."""

    entry = READERS["imaris"]

    @pytest.fixture
    def images(self, tmp_path: Path) -> Sequence[ImageExample]:
        """Two channels over time, at two levels."""
        pytest.importorskip("h5py")
        data = np.arange(2 * 2 * 3 * 5 * 6, dtype=np.uint8).reshape(2, 2, 3, 5, 6)
        save_imaris(tmp_path / "cells.ims", data)
        sizes = {"x": (0.5, MICRONS), "y": (0.25, MICRONS), "z": (2.0, MICRONS)}
        position = {"x": 10.25, "y": 0.125, "z": 1.0}
        names = ("dye 0", "dye 1")
        return [
            ImageExample(
                path=tmp_path / "cells.ims", array=data, axes="tczyx", channel_names=names, pixel_size=sizes, position=position, levels=2
            )
        ]

    @pytest.fixture
    def other_files(self, tmp_path: Path) -> Sequence[Path]:
        """HDF5 of others."""
        h5py = pytest.importorskip("h5py")
        with h5py.File(tmp_path / "other.ims", "w") as file:
            file["raw"] = VOLUME
        return [tmp_path / "other.ims"]


class TestN5(ImageReaderConformance):
    """Folders that TensorStore writes, and one that is written by hand."""

    entry = READERS["n5"]

    @pytest.fixture
    def images(self, tmp_path: Path) -> Sequence[ImageExample]:
        """A dataset with axes, a large one, two in a container, a path, and a pyramid."""
        pytest.importorskip("tensorstore")
        save(tmp_path / "named.n5", VOLUME, axes=["x", "y", "z"], resolution=[0.5, 0.25, 2], units=["um", "um", "um"])
        save(tmp_path / "large.n5", LARGE, blocks=(64, 64))
        save_by_hand(tmp_path / "two.n5" / "raw", VOLUME, (4, 3, 2))
        save(tmp_path / "two.n5" / "mask", VOLUME // 9)
        for level, step in enumerate((1, 2)):
            save(tmp_path / "pyramid.n5" / f"s{level}", VOLUME[:, ::step, ::step])
        describe(
            tmp_path / "pyramid.n5", pixelResolution={"dimensions": [2, 3, 4], "unit": "nm"}, downsamplingFactors=[[1, 1, 1], [2, 2, 1]]
        )
        sizes = {"x": (0.5, MICRONS), "y": (0.25, MICRONS), "z": (2.0, MICRONS)}
        coarse = {"x": (4.0, "nanometer"), "y": (6.0, "nanometer"), "z": (4.0, "nanometer")}
        return [
            ImageExample(path=tmp_path / "named.n5", array=VOLUME, axes="zyx", pixel_size=sizes),
            ImageExample(path=tmp_path / "large.n5", array=LARGE),
            ImageExample(path=tmp_path / "two.n5", array=VOLUME // 9, scene="mask", scene_names=("mask", "raw")),
            ImageExample(path=tmp_path / "two.n5", within="/raw", array=VOLUME, scene_names=("raw",)),
            ImageExample(path=tmp_path / "pyramid.n5", array=VOLUME[:, ::2, ::2], axes="zyx", level=1, levels=2, pixel_size=coarse),
        ]
