import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import numpy as np
import pytest
import tifffile

from bioimageio_core.errors import SourceError
from bioimageio_core.io import open_image

DATA = (np.arange(3 * 4 * 64 * 80) % 60013).astype("uint16").reshape(3, 4, 64, 80)
REGION = (slice(1, 3), slice(2, 4), slice(5, 47), slice(30, 70))


def whole(shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(0, n) for n in shape)


class TestNpy:
    def test_memory_mapped(self, tmp_path: Path) -> None:
        """A local file is mapped, and mapped anew after pickling."""
        np.save(tmp_path / "cells.npy", DATA)
        image = open_image(tmp_path / "cells.npy")
        assert (image.name, image.shape, image.axes) == ("cells", DATA.shape, None)
        assert isinstance(image.reader.handle(), np.memmap)  # type: ignore[attr-defined]
        pickled = pickle.dumps(image)
        assert len(pickled) < 2000
        assert np.array_equal(pickle.loads(pickled).read(REGION), DATA[REGION])

    def test_url(self) -> None:
        """A file behind a URL is read through fsspec."""
        with fsspec.open("memory://npy/cells.npy", "wb") as file:
            np.save(file, DATA)
        assert np.array_equal(open_image("memory://npy/cells.npy").read(REGION), DATA[REGION])

    def test_file_url(self, tmp_path: Path) -> None:
        """A file:// URL is a local file."""
        np.save(tmp_path / "cells.npy", DATA)
        image = open_image(f"file://{tmp_path}/cells.npy")
        assert isinstance(image.reader.handle(), np.memmap)  # type: ignore[attr-defined]

    def test_objects(self, tmp_path: Path) -> None:
        """Nothing is unpickled."""
        np.save(tmp_path / "bad.npy", np.array([{}], object), allow_pickle=True)
        with pytest.raises(SourceError, match=r"cannot be read as \.npy"):
            open_image(tmp_path / "bad.npy")


class TestNoImage:
    def test_missing(self, tmp_path: Path) -> None:
        """The error says what is not there."""
        with pytest.raises(SourceError, match=r"nope\.tif does not exist"):
            open_image(tmp_path / "nope.tif")

    def test_missing_url(self) -> None:
        """Likewise behind a URL."""
        with pytest.raises(SourceError, match=r"memory://nope\.npy does not exist"):
            open_image("memory://nope.npy")

    def test_unknown_protocol(self) -> None:
        """A protocol that fsspec doesn't know is named."""
        with pytest.raises(SourceError, match="nosuch"):
            open_image("nosuch://a/b.npy")

    def test_unknown_extension(self, tmp_path: Path) -> None:
        """The error lists what can be read."""
        (tmp_path / "a.docx").write_bytes(b"x")
        with pytest.raises(SourceError, match=r"expected a name that ends in .*\.npy, .*\.tif"):
            open_image(tmp_path / "a.docx")

    @pytest.mark.parametrize("name", ["a.tif", "a.npy"])
    @pytest.mark.parametrize("content", [b"", b"II*\0garbage", b"hello world"])
    def test_damaged(self, tmp_path: Path, name: str, content: bytes) -> None:
        """A file that is not what its extension says is a SourceError."""
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceError, match=r"a\.(tif|npy)"):
            open_image(tmp_path / name)


class TestTiff:
    def test_contiguous_is_memory_mapped(self, tmp_path: Path) -> None:
        """An uncompressed hyperstack of ImageJ is mapped; its axes and pixel sizes are known."""
        tifffile.imwrite(tmp_path / "ij.tif", DATA, imagej=True, resolution=(5, 4), metadata={"axes": "ZCYX", "spacing": 2.0, "unit": "um"})
        image = open_image(tmp_path / "ij.tif")
        assert image.axes == ("z", "channel", "y", "x")
        assert image.chunks is None
        assert image.pixel_size == {"z": (2.0, "micrometer"), "y": (0.25, "micrometer"), "x": (0.2, "micrometer")}
        assert image.reader.handle().mapped is not None  # type: ignore[attr-defined]
        assert np.array_equal(image.read(REGION), DATA[REGION])

    def test_big_endian(self, tmp_path: Path) -> None:
        """The byte order of the file is not that of the region."""
        tifffile.imwrite(tmp_path / "big.tif", DATA, byteorder=">", photometric="minisblack")
        region = open_image(tmp_path / "big.tif").read(REGION)
        assert region.dtype.isnative
        assert np.array_equal(region, DATA[REGION])

    @pytest.mark.parametrize("tile", [None, (32, 48)])
    @pytest.mark.parametrize("compression", [None, "zlib"])
    def test_ome(self, tmp_path: Path, tile: tuple[int, int] | None, compression: str | None) -> None:
        """OME-TIFF: axes, channel names, pixel sizes and regions, whatever its layout."""
        metadata = {"axes": "CZYX", "PhysicalSizeX": 0.1, "PhysicalSizeXUnit": "µm", "Channel": {"Name": ["a", "b", "c"]}}
        tifffile.imwrite(tmp_path / "cells.ome.tif", DATA, metadata=metadata, tile=tile, compression=compression)
        image = open_image(tmp_path / "cells.ome.tif")
        assert (image.name, image.axes) == ("cells", ("channel", "z", "y", "x"))
        assert image.channel_names == ("a", "b", "c")
        assert image.pixel_size == {"x": (0.1, "micrometer")}
        assert np.array_equal(image.read(REGION), DATA[REGION])
        assert np.array_equal(pickle.loads(pickle.dumps(image)).read(REGION), DATA[REGION])
        assert np.array_equal(image.read(whole(DATA.shape)), DATA)

    def test_pages_without_metadata(self, tmp_path: Path) -> None:
        """What the pages of a plain stack are is not known; strips that the region doesn't touch are not read."""
        path = tmp_path / "stack.tif"
        with tifffile.TiffWriter(path) as writer:
            for page in DATA[0]:
                writer.write(page, contiguous=False, metadata=None, compression="zlib", rowsperstrip=10)
        with tifffile.TiffFile(path) as tiff:
            place = tiff.pages[2].dataoffsets[6]
        with path.open("r+b") as file:
            file.seek(place)
            file.write(b"damage!")
        image = open_image(path)
        assert (image.shape, image.axes, image.chunks) == ((4, 64, 80), None, (1, 10, 80))
        region = (slice(1, 4), slice(7, 58), slice(3, 9))
        assert np.array_equal(image.read(region), DATA[0][region])
        with pytest.raises(SourceError, match="damaged"):
            image.read(whole(image.shape))

    @pytest.mark.parametrize("planar", ["contig", "separate"])
    @pytest.mark.parametrize("layout", [{}, {"tile": (16, 16)}, {"rowsperstrip": 7}])
    def test_colour(self, tmp_path: Path, planar: str, layout: dict) -> None:
        """Samples are channels, before or after the pixels."""
        data = np.arange(40 * 50 * 3, dtype="uint8").reshape(40, 50, 3)
        if planar == "separate":
            data = np.ascontiguousarray(np.moveaxis(data, 2, 0))
        tifffile.imwrite(tmp_path / "rgb.tif", data, photometric="rgb", planarconfig=planar, compression="zlib", **layout)
        image = open_image(tmp_path / "rgb.tif")
        assert image.axes == (("channel", "y", "x") if planar == "separate" else ("y", "x", "channel"))
        region = (slice(1, 3), slice(5, 33), slice(17, 40)) if planar == "separate" else (slice(5, 33), slice(17, 40), slice(1, 3))
        assert np.array_equal(image.read(region), data[region])

    def test_volumetric(self, tmp_path: Path) -> None:
        """Pages may be volumes."""
        tifffile.imwrite(tmp_path / "v.tif", DATA[:, 0], volumetric=True, tile=(16, 32, 32), compression="zlib", photometric="minisblack")
        image = open_image(tmp_path / "v.tif")
        region = (slice(1, 3), slice(5, 47), slice(30, 70))
        assert image.axes == ("z", "y", "x")
        assert np.array_equal(image.read(region), DATA[:, 0][region])

    def test_pyramid(self, tmp_path: Path) -> None:
        """Levels of a pyramid are counted from the finest; pixels of coarser ones are larger."""
        plane = DATA[0, 0]
        with tifffile.TiffWriter(tmp_path / "p.ome.tif") as writer:
            writer.write(plane, subifds=1, tile=(16, 16), metadata={"axes": "YX", "PhysicalSizeX": 0.5})
            writer.write(plane[::2, ::2], subfiletype=1, tile=(16, 16))
        image = open_image(tmp_path / "p.ome.tif", level=1)
        assert (image.shape, image.pixel_size) == ((32, 40), {"x": (1.0, "micrometer")})
        assert np.array_equal(image.read(whole(image.shape)), plane[::2, ::2])
        with pytest.raises(SourceError, match="2 levels, counted from 0: found level 2"):
            open_image(tmp_path / "p.ome.tif", level=2)

    def test_url(self, tmp_path: Path) -> None:
        """A TIFF behind a URL is read by ranges."""
        tifffile.imwrite(tmp_path / "c.ome.tif", DATA, metadata={"axes": "CZYX"}, compression="zlib")
        fsspec.filesystem("memory").pipe("/tiff/c.ome.tif", (tmp_path / "c.ome.tif").read_bytes())
        image = open_image("memory://tiff/c.ome.tif")
        assert np.array_equal(image.read(REGION), DATA[REGION])

    def test_threads(self, tmp_path: Path) -> None:
        """Many threads read from one image at once."""
        tifffile.imwrite(tmp_path / "c.ome.tif", DATA, metadata={"axes": "CZYX"}, compression="zlib", tile=(16, 16))
        image = open_image(tmp_path / "c.ome.tif")
        regions = [(slice(i % 3, i % 3 + 1), slice(0, 4), slice(i, i + 20), slice(i, 80)) for i in range(40)]
        with ThreadPoolExecutor(8) as pool:
            for region, part in zip(regions, pool.map(image.read, regions), strict=True):
                assert np.array_equal(part, DATA[region])
