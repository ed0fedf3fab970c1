"""Kinds of files by the endings of their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from bioimageio_core.errors import MissingRequirementError, OutputError, SourceError
from bioimageio_core.file_kinds import FILE_KINDS, IMAGES, WEIGHTS, kind_of, stem
from bioimageio_core.io.reading.chosen_reader import is_readable, reader_entry_of
from bioimageio_core.io.writing.chosen_writer import check_output_name
from bioimageio_core.sources import open_package


class TestNames:
    """Names without their endings."""

    @pytest.mark.parametrize(
        ("location", "expected"),
        [
            ("a/2024.05.01_s1.ome.tif", "2024.05.01_s1"),
            ("s3://bucket/x.zarr/?version=1", "x"),
            ("zip://a::b.ozx", "a"),
            ("zip://labels/nuclei.zarr::/data/b.ozx", "nuclei"),
            ("zip://::/data/b.ozx", "b"),
            ("zip::b.zarr.zip", "b"),
            ("simplecache::s3://bucket/x.zarr", "x"),
            ("simplecache::zip://a/c.zarr::s3://bucket/b.ozx", "c"),
        ],
    )
    def test_stem(self, location: str, expected: str) -> None:
        """What lies in an archive has its own name, what a cache or an archive without a path is about that of the file."""
        assert stem(location) == expected

    @pytest.mark.parametrize("location", ["", " "])
    def test_empty_output(self, location: str) -> None:
        """No name is no output."""
        with pytest.raises(OutputError, match=r"is empty: expected a path or URL as output="):
            check_output_name(location)


class TestOneTable:
    """Whatever asks for the kind of a file reads the same table."""

    @pytest.mark.parametrize("ending", sorted(FILE_KINDS))
    def test_images(self, ending: str) -> None:
        """Each ending that has a reader is that of an image; all others are refused."""
        location = f"memory://kinds/x{ending.upper()}"
        if is_readable(location):
            assert kind_of(location) in IMAGES
            assert ending in reader_entry_of(location).suffixes
        else:
            with pytest.raises((SourceError, MissingRequirementError), match=r"not of a known image format|read by a plugin"):
                reader_entry_of(location)

    @pytest.mark.parametrize("ending", [".ozx", ".zarr.zip", ".ome.zarr.zip"])
    def test_archives(self, ending: str) -> None:
        """Zipped zarr folders are archives with any ending, also where a path leads into them."""
        for path in ("", "/0"):
            assert reader_entry_of(f"memory://kinds/x{ending}{path}").name == "zipped-zarr"

    @pytest.mark.parametrize("ending", sorted(FILE_KINDS))
    def test_models(self, ending: str, tmp_path: Path) -> None:
        """An image or weights in the place of a model is called so, by the same endings."""
        path = tmp_path / f"x{ending}"
        path.write_bytes(b"\0")
        kind = FILE_KINDS[ending]
        if kind in (WEIGHTS, "HDF5"):
            expected = "is a file of weights: expected a model"
        elif kind in IMAGES:
            expected = "is an image: expected a model"
        else:
            assert open_package(path).content == b"\0"
            return
        with pytest.raises(SourceError, match=expected):
            open_package(path)
