"""Sizes of images from the first bytes of their files."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimageio_core.file_checks.image_sizes import image_size

MAGICS = [b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b""]


class TestImageSize:
    """`image_size`."""

    @pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "tif"])
    @pytest.mark.parametrize("size", [(37, 11), (1, 300)])
    def test_written_by_others(self, tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
        """Width and height, in this order."""
        image = pytest.importorskip("PIL.Image")
        image.new("L", size).save(tmp_path / f"image.{suffix}")
        assert image_size(tmp_path / f"image.{suffix}") == size

    def test_progressive_jpeg_with_metadata(self, tmp_path: Path) -> None:
        """Segments in front of the frame are passed over, thumbnails within them as well."""
        image = pytest.importorskip("PIL.Image")
        image.new("RGB", (40, 20)).save(tmp_path / "image.jpg", progressive=True, comment=b"\xff\xc0" * 100, dpi=(300, 300))
        assert image_size(tmp_path / "image.jpg") == (40, 20)

    def test_big_tiff(self, tmp_path: Path) -> None:
        """Offsets of 64 bits."""
        tags = struct.pack("<HHQQ", 256, 4, 1, 70) + struct.pack("<HHQQ", 257, 3, 1, 50)
        (tmp_path / "image.tif").write_bytes(b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2) + tags)
        assert image_size(tmp_path / "image.tif") == (70, 50)

    def test_svg(self, tmp_path: Path) -> None:
        """Has no size in pixels."""
        (tmp_path / "image.svg").write_text('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>')
        assert image_size(tmp_path / "image.svg") is None

    @given(st.sampled_from(MAGICS), st.binary(max_size=80))
    def test_anything(self, tmp_path_factory: pytest.TempPathFactory, magic: bytes, rest: bytes) -> None:
        """A size of at least a pixel, none, or ValueError."""
        path = tmp_path_factory.getbasetemp() / "anything"
        path.write_bytes(magic + rest)
        with contextlib.suppress(ValueError):
            size = image_size(path)
            assert size is None or min(size) > 0
