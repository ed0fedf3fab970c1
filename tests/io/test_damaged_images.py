"""Images that are damaged: one sentence with image, array and chunk."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import tifffile
import zarr
from served import Served

from bioimageio_core.errors import SourceError
from bioimageio_core.io import open_image

IMAGE = np.random.default_rng(0).integers(0, 60000, (32, 32), dtype=np.uint16)
ALL = (slice(0, 32), slice(0, 32))


def cut(path: Path, size: int) -> None:
    """Cut a file."""
    path.write_bytes(path.read_bytes()[:size])


def stored(path: Path, **options: Any) -> Path:
    """Write the image in chunks of 8 x 8 pixels."""
    array = zarr.create_array(str(path), shape=(32, 32), chunks=(8, 8), dtype="uint16", fill_value=7, **options)
    array[:] = IMAGE
    return path


class TestChunks:
    """Chunks that a codec or the store refuses."""

    @pytest.mark.parametrize("give", [lambda path: path, lambda path: zarr.open_array(str(path), mode="r")], ids=["path", "array"])
    @pytest.mark.parametrize(
        ("options", "file", "chunk"),
        [
            ({"zarr_format": 2}, "1.2", r"\(1, 2\)"),
            ({}, "c/1/2", r"\(1, 2\)"),
            ({"compressors": None}, "c/1/2", r"\(1, 2\)"),
            ({"shards": (16, 16)}, "c/0/1", r"\(0, 2\)"),
        ],
        ids=["v2", "v3", "not compressed", "shard"],
    )
    def test_cut(self, tmp_path: Path, options: dict[str, Any], file: str, chunk: str, give: Callable[[Path], Any]) -> None:
        """The error names the first damaged chunk and its file; chunks beside it read."""
        path = stored(tmp_path / "x.zarr", **options)
        cut(path / file, 20)
        image = open_image(give(path), axes="yx")
        with pytest.raises(SourceError, match=rf"chunk {chunk} of .*x\.zarr cannot be read, its file {file} is damaged .* pixels are 7"):
            image.read(ALL)
        np.testing.assert_array_equal(image.read((slice(24, 32), slice(0, 32))), IMAGE[24:])

    def test_remedy(self, tmp_path: Path) -> None:
        """As the message says: without the file, its pixels are the fill value."""
        path = stored(tmp_path / "x.zarr")
        cut(path / "c/1/2", 20)
        (path / "c/1/2").unlink()
        assert (open_image(path, axes="yx").read((slice(8, 16), slice(16, 24))) == 7).all()

    def test_chunks_without_pixels(self, tmp_path: Path) -> None:
        """Metadata with a chunk size of 0, which newer releases of zarr refuse themselves."""
        path = stored(tmp_path / "x.zarr", zarr_format=2)
        metadata = (path / ".zarray").read_text()
        (path / ".zarray").write_text(metadata.replace("8", "0", 1))
        with pytest.raises(SourceError, match=r"x\.zarr.*(its chunks have the shape \(0, 8\)|chunk shape \[0, 8\])"):
            open_image(path, axes="yx")

    def test_foreign_arrays(self) -> None:
        """What an array of others raises is named, too."""

        class Broken:
            shape, dtype = (32, 32), np.dtype("uint16")

            def __getitem__(self, index: Any) -> Any:
                raise KeyError("page")

        with pytest.raises(SourceError, match="array cannot be read: KeyError: 'page'"):
            open_image(Broken(), axes="yx").read(ALL)


class TestTiff:
    """TIFF files that end too early."""

    def test_tile(self, tmp_path: Path) -> None:
        """The error names page and tile."""
        tifffile = pytest.importorskip("tifffile")
        tifffile.imwrite(tmp_path / "x.tif", IMAGE, tile=(16, 16), compression="zlib", metadata={"axes": "YX"})
        with tifffile.TiffFile(tmp_path / "x.tif") as tiff:
            begin = tiff.pages[0].dataoffsets[3]
        content = bytearray((tmp_path / "x.tif").read_bytes())
        content[begin : begin + 40] = bytes(40)
        (tmp_path / "x.tif").write_bytes(content)
        image = open_image(tmp_path / "x.tif")
        with pytest.raises(SourceError, match=r"x\.tif is damaged.*tile 3 of page 0"):
            image.read(ALL)
        np.testing.assert_array_equal(image.read((slice(0, 16), slice(0, 32))), IMAGE[:16])


def objects() -> bytes:
    """Return a file of Python objects."""
    file = io.BytesIO()
    np.save(file, np.array([{}]), allow_pickle=True)
    return file.getvalue()


class TestNpy:
    """Damaged ``.npy`` files, in words of this library."""

    @pytest.mark.parametrize("way", ["local", "url"])
    @pytest.mark.parametrize(
        ("damage", "reason"),
        [
            (lambda content: b"", "does not begin as such files do"),
            (lambda content: b"hello", "does not begin as such files do"),
            (lambda content: content[:8], "header is damaged, or it ends before"),
            (lambda content: content[:100], "header is damaged, or it ends before"),
            (lambda content: content[:500], "header is damaged, or it ends before"),
            (lambda content: content[:10] + b"x" * 118 + content[128:], "header is damaged"),
            (lambda content: objects(), "holds Python objects, expected real numbers"),
        ],
    )
    def test_damaged(self, tmp_path: Path, damage: Callable[[bytes], bytes], reason: str, way: str) -> None:
        """Cut, damaged and other files."""
        np.save(tmp_path / "a.npy", IMAGE)
        content = damage((tmp_path / "a.npy").read_bytes())
        (tmp_path / "a.npy").write_bytes(content)
        location = str(tmp_path / "a.npy")
        if way == "url":
            location = "memory://damaged/a.npy"
            fsspec.filesystem("memory").pipe("/damaged/a.npy", content)
        with pytest.raises(SourceError, match=rf"a\.npy cannot be read as \.npy: it.* {reason}"):
            open_image(location)


class TestDamagedTiff:
    """Damaged TIFF files, in words of this library, and without log lines of tifffile."""

    @pytest.mark.parametrize(
        ("damage", "reason"),
        [
            (lambda content: b"", "does not begin as such files do"),
            (lambda content: content[: len(content) // 2], "ends early|ends before its pixels do"),
            (lambda content: content[:60], "structure is damaged"),
            (lambda content: content[:8], "without images"),
        ],
    )
    @pytest.mark.parametrize("compression", [None, "zlib"])
    def test_damaged(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[bytes], bytes], reason: str, compression: str | None
    ) -> None:
        """Cut files."""
        tifffile.imwrite(tmp_path / "a.tif", np.stack([IMAGE] * 5), compression=compression)
        (tmp_path / "a.tif").write_bytes(damage((tmp_path / "a.tif").read_bytes()))
        with pytest.raises(SourceError, match=reason):
            open_image(tmp_path / "a.tif")
        assert caplog.records == []

    def test_log_of_others(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """What tifffile says of a file that can be opened is logged."""
        tifffile.imwrite(tmp_path / "a.tif", IMAGE, extratags=[(65000, 3, 1, 7, True)])
        content = bytearray((tmp_path / "a.tif").read_bytes())
        tag = content.index((65000).to_bytes(2, "little"))
        content[tag + 2 : tag + 4] = b"\xff\xff"  # its type, which does not exist
        (tmp_path / "a.tif").write_bytes(content)
        np.testing.assert_array_equal(open_image(tmp_path / "a.tif").read(ALL), IMAGE)
        assert any("65000" in record.getMessage() for record in caplog.records)


class TestServers:
    """What servers refuse, and servers that are not there."""

    def test_refused_chunks(self, tmp_path: Path) -> None:
        """403 for a chunk means that it is missing; an image that is not there, or may not be read, says both."""
        pytest.importorskip("aiohttp")
        (stored(tmp_path / "x.zarr") / "c/1/2").unlink()
        stored(tmp_path / "shards.zarr", shards=(16, 16))
        (tmp_path / "shards.zarr/c/0/0").unlink()
        served = Served(tmp_path)
        try:
            region = open_image(f"{served.url}/refuse/x.zarr", axes="yx").read(ALL)
            assert (region[8:16, 16:24] == 7).all()
            np.testing.assert_array_equal(region[16:], IMAGE[16:])
            with pytest.raises(SourceError, match=r"nothing\.zarr does not exist, or the server refuses access to it \(403\)"):
                open_image(f"{served.url}/refuse/nothing.zarr")
        finally:
            served.close()

    def test_access_that_ends(self, tmp_path: Path) -> None:
        """An array whose access ends while it is read is gone, not empty."""
        pytest.importorskip("aiohttp")
        path = stored(tmp_path / "x.zarr")
        served = Served(tmp_path)
        try:
            image = open_image(f"{served.url}/refuse/x.zarr", axes="yx")
            assert image.read((slice(0, 1), slice(0, 1)))[0, 0] == IMAGE[0, 0]
            path.rename(tmp_path / "elsewhere")
            with pytest.raises(SourceError, match="is gone"):
                image.read(ALL)
        finally:
            served.close()

    @pytest.mark.parametrize("name", ["x.zarr", "x.tif", "x.npy"])
    def test_unreachable(self, tmp_path: Path, name: str) -> None:
        """A server that is not there is one sentence."""
        pytest.importorskip("aiohttp")
        pytest.importorskip("tifffile")
        served = Served(tmp_path)
        served.close()
        with pytest.raises(SourceError, match=f"{served.url}/{name}"):
            open_image(f"{served.url}/{name}")
