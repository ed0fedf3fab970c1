import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import zarr

from bioimageio_core.errors import SourceError
from bioimageio_core.io import open_image

DATA = np.arange(2 * 3 * 30 * 40, dtype="uint16").reshape(2, 3, 30, 40)
REGION = (slice(1, 2), slice(0, 3), slice(7, 22), slice(11, 40))


def write_array(path: Path, data: np.ndarray = DATA, zarr_format: int = 3, **options: object) -> None:
    chunks = tuple(min(n, 16) for n in data.shape)
    zarr.create_array(str(path), data=data, chunks=chunks, zarr_format=zarr_format, **options)  # type: ignore[arg-type]


def multiscales(axes: str = "tcyx") -> dict:
    kinds = {"t": "time", "c": "channel"}
    return {
        "version": "0.4",
        "name": "cells",
        "axes": [{"name": a, "type": kinds.get(a, "space"), **({"unit": "micrometer"} if a in "yx" else {})} for a in axes],
        "datasets": [
            {"path": str(i), "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0, 0.5 * 2**i, 0.5 * 2**i]}]}
            for i in range(2)
        ],
        "coordinateTransformations": [{"type": "scale", "scale": [0.1, 1.0, 1.0, 1.0]}],
    }


def write_ome(path: Path, version: str) -> None:
    """Write the metadata by hand, as the specification has them."""
    zarr_format = 3 if version == "0.5" else 2
    write_array(path / "0", DATA, zarr_format)
    write_array(path / "1", np.ascontiguousarray(DATA[:, :, ::2, ::2]), zarr_format)
    attributes = {"multiscales": [multiscales()], "omero": {"channels": [{"label": n} for n in ("dapi", "gfp", "rfp")]}}
    if version == "0.5":
        document = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5", **attributes}}}
        (path / "zarr.json").write_text(json.dumps(document))
    else:
        (path / ".zgroup").write_text('{"zarr_format": 2}')
        (path / ".zattrs").write_text(json.dumps(attributes))


class TestArrays:
    def test_version_3(self, tmp_path: Path) -> None:
        """Dimension names are axes."""
        write_array(tmp_path / "a.zarr", dimension_names=("t", "c", "y", "x"))
        image = open_image(tmp_path / "a.zarr")
        assert (image.name, image.axes, image.chunks) == ("a", ("time", "channel", "y", "x"), (2, 3, 16, 16))
        assert np.array_equal(pickle.loads(pickle.dumps(image)).read(REGION), DATA[REGION])

    def test_version_2(self, tmp_path: Path) -> None:
        """In version 2 xarray's attribute names them."""
        write_array(tmp_path / "a.zarr", zarr_format=2, attributes={"_ARRAY_DIMENSIONS": ["z", "c", "y", "x"]})
        image = open_image(str(tmp_path / "a.zarr"))
        assert image.axes == ("z", "channel", "y", "x")
        assert np.array_equal(image.read(REGION), DATA[REGION])

    @pytest.mark.parametrize("names", [None, ("dim_0", "dim_1", "dim_2", "dim_3"), ("", "", "", ""), (None, None, "y", "x")])
    def test_names_that_say_nothing(self, tmp_path: Path, names: tuple | None) -> None:
        """Dimensions without names, or with placeholders, leave the axes unknown."""
        write_array(tmp_path / "a.zarr", dimension_names=names)
        assert open_image(tmp_path / "a.zarr").axes is None

    @pytest.mark.parametrize("zarr_format", [2, 3])
    def test_words_of_the_field(self, tmp_path: Path, zarr_format: int) -> None:
        """Words for axes are understood; other names stay."""
        names = ("frames", "position", "row", "Col")
        named = {"dimension_names": names} if zarr_format == 3 else {"attributes": {"_ARRAY_DIMENSIONS": list(names)}}
        write_array(tmp_path / "a.zarr", zarr_format=zarr_format, **named)
        assert open_image(tmp_path / "a.zarr").axes == ("time", "position", "y", "x")

    def test_url(self) -> None:
        """A zarr array behind a URL, within a group."""
        zarr.create_array("memory://stores/a.zarr/inner", data=DATA)
        image = open_image("memory://stores/a.zarr/inner")
        assert np.array_equal(pickle.loads(pickle.dumps(image)).read(REGION), DATA[REGION])


class TestGroups:
    def test_single_array(self, tmp_path: Path) -> None:
        """A group with one array is that array, whatever else lies in the folder."""
        write_array(tmp_path / "g.zarr" / "only")
        zarr.create_group(str(tmp_path / "g.zarr"))
        (tmp_path / "g.zarr" / "notes.txt").write_text("hello")
        assert np.array_equal(open_image(tmp_path / "g.zarr").read(REGION), DATA[REGION])

    def test_several(self, tmp_path: Path) -> None:
        """The error lists them, and how to name one."""
        zarr.create_group(str(tmp_path / "g.zarr"))
        for name in ("raw", "labels"):
            write_array(tmp_path / "g.zarr" / name)
        with pytest.raises(
            SourceError,
            match=r"holds 2 images \(0 'labels', 1 'raw'\): choose one with scene=1, or by its path, as in .*g.zarr/raw",
        ):
            open_image(tmp_path / "g.zarr")
        assert open_image(tmp_path / "g.zarr" / "raw").shape == DATA.shape

    def test_empty(self, tmp_path: Path) -> None:
        """A group without arrays is no image."""
        zarr.create_group(str(tmp_path / "g.zarr"))
        with pytest.raises(SourceError, match="without arrays"):
            open_image(tmp_path / "g.zarr")

    def test_folder_of_other_things(self, tmp_path: Path) -> None:
        """A folder that is no zarr says so."""
        with pytest.raises(SourceError, match="no zarr array or group"):
            open_image(tmp_path)

    def test_missing(self, tmp_path: Path) -> None:
        """A name that is not in the group says so, locally and behind a URL."""
        zarr.create_group(str(tmp_path / "g.zarr"))
        with pytest.raises(SourceError, match="does not exist"):
            open_image(tmp_path / "g.zarr" / "nope")
        with pytest.raises(SourceError, match="does not exist"):
            open_image("memory://stores/nowhere.zarr")

    def test_damaged(self, tmp_path: Path) -> None:
        """Metadata that are no JSON say where they are."""
        (tmp_path / "g.zarr").mkdir()
        (tmp_path / "g.zarr" / "zarr.json").write_text("{")
        with pytest.raises(SourceError, match=r"g\.zarr cannot be read as zarr"):
            open_image(tmp_path / "g.zarr")


class TestOmeZarr:
    @pytest.mark.parametrize("version", ["0.4", "0.5"])
    def test_image(self, tmp_path: Path, version: str) -> None:
        """Axes, channels and pixel sizes of the finest level."""
        write_ome(tmp_path / "cells.ome.zarr", version)
        image = open_image(tmp_path / "cells.ome.zarr")
        assert (image.name, image.axes) == ("cells", ("time", "channel", "y", "x"))
        assert image.channel_names == ("dapi", "gfp", "rfp")
        assert image.pixel_size == {"time": (0.1, None), "y": (0.5, "micrometer"), "x": (0.5, "micrometer")}
        assert np.array_equal(image.read(REGION), DATA[REGION])

    @pytest.mark.parametrize("version", ["0.4", "0.5"])
    def test_level(self, tmp_path: Path, version: str) -> None:
        """A coarser level has larger pixels."""
        write_ome(tmp_path / "cells.ome.zarr", version)
        image = open_image(tmp_path / "cells.ome.zarr", level=1)
        assert (image.shape, image.pixel_size["y"]) == ((2, 3, 15, 20), (1.0, "micrometer"))
        with pytest.raises(SourceError, match="2 levels"):
            open_image(tmp_path / "cells.ome.zarr", level=5)

    def test_nested_in_a_group(self, tmp_path: Path) -> None:
        """A collection with a single image is that image."""
        write_ome(tmp_path / "plate.zarr" / "0", "0.5")
        zarr.create_group(str(tmp_path / "plate.zarr"))
        assert open_image(tmp_path / "plate.zarr").channel_names == ("dapi", "gfp", "rfp")

    def test_old_axes(self, tmp_path: Path) -> None:
        """Version 0.3 names axes by strings, earlier ones always mean tczyx."""
        write_array(tmp_path / "a.zarr" / "0", zarr_format=2)
        (tmp_path / "a.zarr" / ".zgroup").write_text('{"zarr_format": 2}')
        written = {"multiscales": [{"axes": ["t", "c", "y", "x"], "datasets": [{"path": "0"}]}]}
        (tmp_path / "a.zarr" / ".zattrs").write_text(json.dumps(written))
        image = open_image(tmp_path / "a.zarr")
        assert (image.axes, dict(image.pixel_size)) == (("time", "channel", "y", "x"), {})

    def test_missing_level_array(self, tmp_path: Path) -> None:
        """Metadata that name an array which is not there say so."""
        zarr.create_group(str(tmp_path / "a.zarr"), attributes={"ome": {"version": "0.5", "multiscales": [multiscales()]}})
        with pytest.raises(SourceError, match="is the array '0'"):
            open_image(tmp_path / "a.zarr")
