"""Chunks of zarr arrays that unpack to more than a chunk holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec

from bioimageio_core.errors import SourceError
from bioimageio_core.io.reading.tiff import open_tiff
from bioimageio_core.io.reading.zarr_image import open_zarr

CODECS = [
    (3, GzipCodec(), numcodecs.GZip()),
    (3, ZstdCodec(), numcodecs.Zstd()),
    (3, BloscCodec(typesize=2), numcodecs.Blosc()),
    (2, numcodecs.Zlib(), numcodecs.Zlib()),
    (2, numcodecs.GZip(), numcodecs.GZip()),
    (2, numcodecs.BZ2(), numcodecs.BZ2()),
    (2, numcodecs.LZMA(), numcodecs.LZMA()),
    (2, numcodecs.Zstd(), numcodecs.Zstd()),
    (2, numcodecs.LZ4(), numcodecs.LZ4()),
    (2, numcodecs.Blosc(), numcodecs.Blosc()),
]


class TestBoundedCodecs:
    """Each codec that can expand, in zarr 2 and 3."""

    @pytest.mark.parametrize(("version", "written", "codec"), CODECS)
    def test_stops_at_a_chunk(self, tmp_path: Path, version: Any, written: Any, codec: Any) -> None:
        """Good chunks are read; of a bad one, no more than twice a chunk and a MiB is unpacked."""
        if isinstance(written, GzipCodec) and not hasattr(written, "_gzip_codec"):
            pytest.skip(f"zarr {zarr.__version__} makes a decoder of gzip for each chunk")
        pixels = np.arange(100 * 90, dtype=np.uint16).reshape(100, 90)
        path = tmp_path / "image.zarr"
        array = zarr.create_array(path, shape=(100, 90), chunks=(40, 40), dtype="uint16", zarr_format=version, compressors=written)
        array[...] = pixels
        image = open_zarr(str(path), None)
        np.testing.assert_array_equal(image.read((slice(0, 100), slice(0, 90))), pixels)
        first = path / array.metadata.encode_chunk_key((0, 0))
        first.write_bytes(bytes(codec.encode(np.zeros(4 << 20, np.uint8))))
        with pytest.raises(SourceError, match=r"chunk \(0, 0\) .*it unpacks to more than 1054976 bytes, unlike a chunk of this array"):
            open_zarr(str(path), None).read((slice(0, 10), slice(0, 10)))

    def test_more_pixels_than_can_be_counted(self, tmp_path: Path) -> None:
        """Metadata may declare any number."""
        path = tmp_path / "image.zarr"
        zarr.create_array(path, shape=(10**15, 10**15), chunks=(40, 40), dtype="uint16")
        with pytest.raises(SourceError, match=r"declares 1\.00e\+30 pixels: expected at most 9\.22e\+18"):
            open_zarr(str(path), None)


class TestPlanes:
    """Metadata of TIFF files."""

    def test_more_planes_than_a_file_has(self, tmp_path: Path) -> None:
        """They are counted before tifffile makes an entry for each."""
        tifffile = pytest.importorskip("tifffile")
        pixels = '<Pixels Type="uint16" SizeX="8" SizeY="8" SizeZ="100000" SizeC="100" SizeT="2" DimensionOrder="XYCZT" ID="P:0"/>'
        described = (
            f'<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="I:0">{pixels}</Image></OME>'
        )
        tifffile.imwrite(tmp_path / "a.ome.tif", np.zeros((8, 8), np.uint16), description=described, metadata=None)
        with pytest.raises(SourceError, match=r"declares 20000000 planes in its OME-XML: expected at most 10000000"):
            open_tiff(str(tmp_path / "a.ome.tif"), None, None)
