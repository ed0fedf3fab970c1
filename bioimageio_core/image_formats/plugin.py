"""The image formats of the library."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from importlib import import_module
from typing import Any

from ..registry import ImageReaderEntry, ImageWriterEntry, hookimpl

__all__ = ["bioimageio_image_readers", "bioimageio_image_writers"]

TIFF = (".tif", ".tiff", ".btf", ".tf2", ".tf8")
OME_TIFF = tuple(f".ome{suffix}" for suffix in TIFF)
IMAGES = "'bioimageio-runtime[images]'"
HDF5 = (".h5", ".hdf5", ".hdf", ".he5", ".nc", ".nc4")
PICTURE_SUFFIXES = (".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".webp")
PICTURES: tuple[tuple[str, tuple[str, ...], tuple[str, ...], tuple[int, ...], dict[str, Any]], ...] = (
    ("PNG", (".png",), ("uint8", "uint16"), (1, 3, 4), {}),
    ("JPEG", (".jpg", ".jpeg"), ("uint8",), (1, 3), {"lossy": True, "longest": 65500}),
    ("BMP", (".bmp",), ("uint8",), (1, 3), {}),
)
"""Formats of pictures: name, endings, dtypes, numbers of channels, and further fields of the writer."""


@hookimpl
def bioimageio_image_readers() -> Iterable[ImageReaderEntry]:
    """Yield an entry for each format that is read."""
    yield ImageReaderEntry(name="npy", suffixes=(".npy",), load=lambda: _made("readers.npy", "NpyReader"), summary="arrays of numpy")
    yield ImageReaderEntry(
        name="tiff",
        suffixes=(*TIFF, *OME_TIFF),
        load=lambda: _made("readers.tiff", "TiffReader"),
        requires=("tifffile",),
        install=IMAGES,
        summary="TIFF, OME-TIFF and hyperstacks of ImageJ, with pyramids",
    )
    yield ImageReaderEntry(
        name="zarr",
        suffixes=(".zarr", ".ome.zarr"),
        load=lambda: _made("readers.zarr", "ZarrImageReader"),
        paths_within=True,
        summary="zarr arrays and groups, OME-Zarr images, plates and labels",
    )
    yield ImageReaderEntry(
        name="zipped-zarr",
        suffixes=(".ozx", ".zarr.zip", ".ome.zarr.zip"),
        load=lambda: _made("readers.zarr", "ZarrArchiveReader"),
        paths_within=True,
        summary="zip archives of a zarr folder",
    )
    yield ImageReaderEntry(
        name="pictures",
        suffixes=PICTURE_SUFFIXES,
        load=lambda: _made("readers.pictures", "PictureReader"),
        requires=("PIL",),
        install="'bioimageio-runtime[pictures]'",
        summary="PNG, JPEG, BMP, GIF and WebP",
    )
    yield ImageReaderEntry(
        name="hdf5",
        suffixes=HDF5,
        load=lambda: _made("readers.hdf5", "HDF5Reader"),
        requires=("h5py",),
        install="'bioimageio-runtime[hdf5]'",
        paths_within=True,
        summary="HDF5, as ilastik, Fiji and BigDataViewer write it, and NetCDF 4",
    )
    yield ImageReaderEntry(
        name="imaris",
        suffixes=(".ims",),
        load=lambda: _made("readers.imaris", "ImarisReader"),
        requires=("h5py",),
        install="'bioimageio-runtime[hdf5]'",
        summary="Imaris 5.5 and later, with pyramids",
    )
    yield ImageReaderEntry(
        name="n5",
        suffixes=(".n5",),
        load=lambda: _made("readers.n5", "N5Reader"),
        requires=("tensorstore",),
        install="'bioimageio-runtime[n5]'",
        paths_within=True,
        urls=False,
        summary="N5, also of BigDataViewer and BigStitcher, with pyramids",
    )


@hookimpl
def bioimageio_image_writers() -> Iterable[ImageWriterEntry]:
    """Yield an entry for each format that is written, apart from zarr, which runs write directly."""
    yield ImageWriterEntry(name="npy", suffixes=(".npy",), load=lambda: _made("writers.npy", "NpyWriter"), summary="arrays of numpy")
    yield ImageWriterEntry(
        name="ome-tiff",
        suffixes=(*TIFF, *OME_TIFF),
        load=lambda: _made("writers.ome_tiff", "OmeTiffWriter"),
        requires=("tifffile", "imagecodecs"),
        install=IMAGES,
        levels=True,
        summary="OME-TIFF in tiles, with pyramids",
    )
    yield ImageWriterEntry(
        name="imagej",
        suffixes=(".tif", ".tiff"),
        load=lambda: _made("writers.imagej_tiff", "ImagejTiffWriter"),
        requires=("tifffile",),
        install=IMAGES,
        preference=-1,
        summary="hyperstacks of ImageJ",
    )
    yield ImageWriterEntry(
        name="hdf5",
        suffixes=(".h5", ".hdf5"),
        load=lambda: _made("writers.hdf5", "Hdf5Writer"),
        requires=("h5py",),
        install="'bioimageio-runtime[hdf5]'",
        summary="HDF5, with the metadata of ilastik and Fiji",
    )
    for name, suffixes, dtypes, channels, more in PICTURES:
        yield ImageWriterEntry(
            name=name.lower(),
            suffixes=suffixes,
            load=partial(_made, "writers.pictures", "PictureWriter", format_name=name, dtypes=dtypes, channels=channels, **more),
            requires=("PIL",),
            install="'bioimageio-runtime[pictures]'",
            summary=f"{name} pictures of one plane",
        )


def _made(module: str, name: str, **fields: Any) -> Any:
    """Import a module of this package, and return an object of a class in it."""
    return getattr(import_module(f"..{module}", __name__), name)(**fields)
