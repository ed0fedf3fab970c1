"""Zarr groups that hold several images, and versions that are not known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from bioimageio_core.errors import SourceError
from bioimageio_core.io import Image, open_image
from bioimageio_core.io.reading.image_parts import expand_parts

AXES = [{"name": name, "type": "space"} for name in "yx"]
FORMATS = pytest.mark.parametrize("zarr_format", [2, 3])


def describe(group: zarr.Group, content: dict[str, Any]) -> None:
    """Write attributes of OME-Zarr where the version of zarr has them."""
    group.attrs.update({"ome": {"version": "0.5", **content}} if group.metadata.zarr_format == 3 else content)


def image(group: zarr.Group, value: int) -> None:
    """Make a group an image of one value."""
    describe(group, {"multiscales": [{"axes": AXES, "datasets": [{"path": "0"}]}]})
    group.create_array("0", data=np.full((4, 6), value, np.uint8))


def converted(path: Path, values: dict[str, int], zarr_format: int, *, named: bool = True) -> Path:
    """Write the layout of bioformats2raw: numbered series beside a group of metadata."""
    group = zarr.open_group(str(path), mode="w", zarr_format=zarr_format)  # type: ignore[arg-type]
    describe(group, {"bioformats2raw.layout": 3})
    describe(group.create_group("OME"), {"series": list(values)} if named else {})
    for name, value in values.items():
        image(group.create_group(name), value)
    return path


def value(found: Image) -> int:
    """Return the first pixel."""
    return int(found.read((slice(0, 1), slice(0, 1)))[0, 0])


@FORMATS
class TestConverted:
    """The layout of bioformats2raw."""

    def test_one_series(self, tmp_path: Path, zarr_format: int) -> None:
        """The group of metadata is no image: a single scene just opens."""
        found = open_image(converted(tmp_path / "a.zarr", {"0": 7}, zarr_format))
        assert (value(found), found.axes) == (7, ("y", "x"))

    @pytest.mark.parametrize("named", [True, False])
    def test_several(self, tmp_path: Path, zarr_format: int, named: bool) -> None:
        """Several are listed, and chosen by option or path, whether the group of metadata names them or not."""
        path = converted(tmp_path / "a.zarr", {"0": 7, "1": 8}, zarr_format, named=named)
        with pytest.raises(SourceError, match=r"holds 2 images \(0, 1\): choose one with scene=1, or by its path, as in "):
            open_image(path)
        chosen = open_image(path, scene=1)
        assert (value(chosen), chosen.name, chosen.location) == (8, "a (scene 1)", str(path / "1"))
        assert value(open_image(path / "1")) == 8
        assert [value(open_image(part)) for part in expand_parts([path])] == [7, 8]


@FORMATS
class TestLabels:
    """Labels of an image as input."""

    def test_labels(self, tmp_path: Path, zarr_format: int) -> None:
        """A label image reads; the group of labels lists them; the image itself is the image."""
        root = zarr.open_group(str(tmp_path / "a.zarr"), mode="w", zarr_format=zarr_format)  # type: ignore[arg-type]
        image(root, 1)
        labels = root.create_group("labels")
        describe(labels, {"labels": ["cells", "nuclei"]})
        for n, name in enumerate(("cells", "nuclei"), start=2):
            image(labels.create_group(name), n)
        labels.create_group("unlisted")
        assert value(open_image(tmp_path / "a.zarr")) == 1
        assert value(open_image(tmp_path / "a.zarr/labels/nuclei")) == 3
        assert value(open_image(tmp_path / "a.zarr/labels", scene="nuclei")) == 3
        with pytest.raises(SourceError, match=r"labels holds 2 images \(0 'cells', 1 'nuclei'\)"):
            open_image(tmp_path / "a.zarr/labels")

    def test_attribute_of_another_group(self, tmp_path: Path, zarr_format: int) -> None:
        """An attribute ``labels`` of a group with another name means nothing."""
        root = zarr.open_group(str(tmp_path / "a.zarr"), mode="w", zarr_format=zarr_format)  # type: ignore[arg-type]
        root.attrs["labels"] = ["cat", "dog"]
        root.create_array("raw", data=np.full((4, 6), 5, np.uint8))
        assert value(open_image(tmp_path / "a.zarr")) == 5


class TestVersions:
    """OME-Zarr newer than what is read."""

    @pytest.mark.parametrize(
        ("content", "found"),
        [
            ({"version": "0.6"}, "version 0.6"),
            ({"version": "0.6.dev3"}, "version 0.6.dev3"),
            ({"version": "1.0"}, "version 1.0"),
            ({"version": "0.5", "multiscales": [{"coordinateSystems": [], "datasets": []}]}, "a version with coordinateSystems"),
        ],
    )
    def test_newer(self, tmp_path: Path, content: dict[str, Any], found: str) -> None:
        """One sentence says which version it is, and which are read."""
        root = zarr.open_group(str(tmp_path / "a.zarr"), mode="w")
        image(root, 1)
        root.attrs["ome"] = {**root.attrs["ome"], **content}  # type: ignore[dict-item]
        with pytest.raises(SourceError, match=rf"is OME-Zarr of {found}, which is not read: expected 0.1 to 0.5"):
            open_image(tmp_path / "a.zarr")
        assert value(open_image(tmp_path / "a.zarr/0")) == 1

    def test_versions_of_others(self, tmp_path: Path) -> None:
        """What is no version of OME-Zarr is no obstacle."""
        root = zarr.open_group(str(tmp_path / "a.zarr"), mode="w", zarr_format=2)
        image(root, 1)
        root.attrs["version"] = "v7"
        assert value(open_image(tmp_path / "a.zarr")) == 1
