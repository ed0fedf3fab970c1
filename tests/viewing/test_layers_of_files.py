"""Layers of files and arrays: values, kinds, names, channels, contrast."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr
from ome_images import POSITION, SIZE, write_image

from bioimageio_core.errors import AxesError, InputError, PredictionWarning, SourceError
from bioimageio_core.labelled_arrays import LabelledArray
from bioimageio_core.viewing.layers import layers_of

RANDOM = np.random.default_rng(0)
PLANE = RANDOM.integers(0, 1000, (40, 60), np.uint16)


def write_labels(path: Path, data: np.ndarray, colours: dict[int, list[int]]) -> None:
    """Write OME-Zarr labels with colours, as other software does."""
    write_image(path, data, "0.5")
    group = zarr.open_group(str(path), mode="a")
    ome = dict(group.attrs["ome"])
    ome["image-label"] = {"version": "0.5", "colors": [{"label-value": n, "rgba": rgba} for n, rgba in colours.items()]}
    group.attrs["ome"] = ome


class TestImages:
    """Images of any format."""

    def test_tiff(self, tmp_path: Path) -> None:
        """Pixels, channels and pixel sizes are those of the file; axes are in the order channel, others, time, z, y, x."""
        tifffile = pytest.importorskip("tifffile")
        pixels = RANDOM.integers(0, 255, (3, 2, 4, 16, 24), np.uint8)
        size = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.25, "PhysicalSizeYUnit": "µm"}
        metadata = {"axes": "TCZYX", "Channel": {"Name": ["DAPI", "GFP"]}, **size}
        tifffile.imwrite(tmp_path / "cells.ome.tif", pixels, photometric="minisblack", metadata=metadata)
        (layer,) = layers_of(tmp_path / "cells.ome.tif")
        assert (layer.name, layer.kind, layer.axes) == ("cells", "image", ("channel", "time", "z", "y", "x"))
        np.testing.assert_array_equal(layer.levels[0][:], pixels.transpose(1, 0, 2, 3, 4))
        np.testing.assert_array_equal(layer.levels[0][1, 2, 1:3, 5:9, 3], pixels[2, 1, 1:3, 5:9, 3])
        assert [channel.name for channel in layer.channels] == ["DAPI", "GFP"]
        assert len({channel.colour for channel in layer.channels}) == 2
        assert dict(layer.pixel_size) == {"x": (0.5, "micrometer"), "y": (0.25, "micrometer")}

    def test_levels(self, tmp_path: Path) -> None:
        """All levels of a pyramid, with how much coarser they are; a last cell may be cut."""
        tifffile = pytest.importorskip("tifffile")
        levels = [np.full((n, m), v, np.uint8) for v, (n, m) in enumerate([(65, 48), (33, 24), (17, 12)])]
        with tifffile.TiffWriter(tmp_path / "cells.ome.tif") as tiff:
            tiff.write(levels[0], subifds=2, tile=(16, 16), photometric="minisblack", metadata={"axes": "YX"})
            for level in levels[1:]:
                tiff.write(level, subfiletype=1, tile=(16, 16), photometric="minisblack")
        (layer,) = layers_of(tmp_path / "cells.ome.tif")
        assert [level.shape for level in layer.levels] == [(65, 48), (33, 24), (17, 12)]
        assert [layer.factors(n) for n in range(3)] == [(1.0, 1.0), (2.0, 2.0), (4.0, 4.0)]
        np.testing.assert_array_equal(layer.levels[2][:], levels[2])

    def test_position(self, tmp_path: Path) -> None:
        """Pixel sizes and positions of OME-Zarr."""
        (layer,) = layers_of(write_image(tmp_path / "cells.zarr", PLANE, "0.5"))
        assert [layer.pixel_size[axis] for axis in "yx"] == [(size, "micrometer") for size in SIZE]
        assert [layer.position[axis] for axis in "yx"] == list(POSITION)

    def test_contrast(self) -> None:
        """Percentiles of the pixels; NaN and infinities do not count."""
        pixels = RANDOM.normal(100, 10, (200, 300)).astype(np.float32)
        pixels[:2] = np.nan
        pixels[2, 0] = np.inf
        (layer,) = layers_of(pixels, axes="yx")
        expected = np.percentile(pixels[np.isfinite(pixels)], [0.5, 99.5])
        np.testing.assert_allclose(layer.channels[0].limits, expected, rtol=1e-6)
        assert layer.channels[0].window == (pixels[np.isfinite(pixels)].min(), pixels[np.isfinite(pixels)].max())

    def test_contrast_of_channels(self) -> None:
        """Each channel has its own."""
        (layer,) = layers_of(np.stack([np.full((8, 8), 3.0), np.arange(64.0).reshape(8, 8)]), axes="cyx")
        assert layer.channels[0].limits == (3.0, 4.0)
        assert layer.channels[1].window == (0.0, 63.0)

    def test_contrast_of_few_objects(self) -> None:
        """Where nearly all pixels are the same, the others are seen."""
        pixels = np.zeros((100, 100), np.uint16)
        pixels[50, 50:55] = 700
        (layer,) = layers_of(pixels, axes="yx")
        assert layer.channels[0].limits == (0.0, 700.0)

    def test_large_images_are_sampled(self) -> None:
        """Of an image without levels, a part is read."""
        read = []

        class Large:
            shape, dtype = (1_000_000, 1_000_000), np.dtype("uint8")

            def __getitem__(self, index: tuple[slice, ...]) -> np.ndarray:
                read.append([s.stop - s.start for s in index])
                return np.full(read[-1], 7, np.uint8)

        (layer,) = layers_of(Large(), axes="yx")
        assert layer.channels[0].window == (7.0, 8.0)
        assert sum(map(np.prod, read)) <= 2**20

    def test_pictures(self, tmp_path: Path) -> None:
        """Colours of pictures are shown as they are, without their transparency."""
        pillow = pytest.importorskip("PIL.Image")
        pillow.fromarray(RANDOM.integers(50, 90, (20, 30, 4), np.uint8)).save(tmp_path / "cells.png")
        (layer,) = layers_of(tmp_path / "cells.png")
        assert [channel.colour for channel in layer.channels] == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
        assert {channel.limits for channel in layer.channels} == {(0.0, 255.0)}

    def test_many_channels(self) -> None:
        """Of many channels, one is shown at a time, with the contrast of all."""
        (layer,) = layers_of(np.arange(20.0 * 16).reshape(20, 4, 4), axes="cyx")
        assert (layer.size("channel"), len(layer.channels), layer.channels[0].window) == (20, 1, (0.0, 319.0))

    def test_axes(self, tmp_path: Path) -> None:
        """Those that are given are for images that name none; else they are guessed, with a warning."""
        np.save(tmp_path / "volume.npy", np.zeros((5, 6, 7)))
        named, (given,) = layers_of(LabelledArray(PLANE, ("x", "y")), labels=[]), layers_of(tmp_path / "volume.npy", axes="tyx")
        assert named[0].shape == (60, 40)
        assert given.axes == ("time", "y", "x")
        with pytest.warns(PredictionWarning, match="axes of volume guessed: zyx"):
            (guessed,) = layers_of(tmp_path / "volume.npy")
        assert guessed.axes == ("z", "y", "x")

    @pytest.mark.parametrize(
        ("shape", "axes"),
        [
            ((40, 50, 3), "yxc"),
            ((3, 40, 50), "cyx"),
            ((9, 40, 50), "zyx"),
            ((2, 9, 40, 50), "czyx"),
            ((9, 40, 50, 2), "zyxc"),
            ((2, 9, 40, 50, 2), "tzyxc"),
        ],
    )
    @pytest.mark.filterwarnings("ignore::bioimageio_core.errors.PredictionWarning")
    def test_guesses(self, shape: tuple[int, ...], axes: str) -> None:
        """By number and size of the axes."""
        guessed, given = layers_of(np.zeros(shape)), layers_of(np.zeros(shape), axes=axes)
        assert (guessed[0].axes, guessed[0].shape) == (given[0].axes, given[0].shape)

    def test_no_plane(self) -> None:
        """An error that says what is missing."""
        with pytest.raises(AxesError, match="found no y and no x"):
            layers_of(np.zeros((3, 4)), axes="ti")

    def test_scenes(self, tmp_path: Path) -> None:
        """One is chosen; without a choice the error lists them."""
        h5py = pytest.importorskip("h5py")
        with h5py.File(tmp_path / "stack.h5", "w") as file:
            file["raw"], file["other"] = PLANE, PLANE[:20]
        (layer,) = layers_of(tmp_path / "stack.h5", scene="other", axes="yx")
        assert layer.shape == (20, 60)
        with pytest.raises(SourceError, match=r"raw.*other|other.*raw"):
            layers_of(tmp_path / "stack.h5", axes="yx")

    def test_one_image_named_twice(self, tmp_path: Path) -> None:
        """Is shown once."""
        path = write_image(tmp_path / "cells.zarr", PLANE, "0.5")
        assert len(layers_of(path, path)) == 1

    def test_equal_names(self) -> None:
        """Get numbers."""
        assert [layer.name for layer in layers_of(PLANE, PLANE + 1, axes="yx")] == ["array", "array 2"]

    def test_nothing(self) -> None:
        """Is an error."""
        with pytest.raises(InputError, match="nothing to show"):
            layers_of()


class TestLabels:
    """What is shown as labels."""

    def test_of_an_image(self, tmp_path: Path) -> None:
        """Labels that an OME-Zarr image lists are shown with it, in their colours; ones that are missing are not."""
        path = write_image(tmp_path / "cells.zarr", PLANE, "0.5")
        group = zarr.create_group(str(path / "labels"), attributes={"ome": {"version": "0.5", "labels": ["nuclei", "gone"]}})
        assert group.path == ""
        write_labels(path / "labels" / "nuclei", (PLANE // 100).astype(np.uint8), {1: [255, 0, 0, 255], 2: [0, 128, 255, 255]})
        image, labels = layers_of(path)
        assert (image.kind, labels.kind, labels.name) == ("image", "labels", "nuclei")
        assert dict(labels.colours) == {1: (255, 0, 0), 2: (0, 128, 255)}
        np.testing.assert_array_equal(labels.levels[0][:], PLANE // 100)
        assert [layer.kind for layer in layers_of(path / "labels" / "nuclei")] == ["labels"]

    @pytest.mark.parametrize(
        "colours", [5, [5, {"label-value": "a"}, {"label-value": 2, "rgba": ["x", 0, 0]}, {"label-value": 0, "rgba": [1, 2, 3]}]]
    )
    def test_damaged_colours(self, tmp_path: Path, colours: object) -> None:
        """Are left out."""
        write_image(tmp_path / "cells.zarr", PLANE, "0.5")
        group = zarr.open_group(str(tmp_path / "cells.zarr"), mode="a")
        group.attrs["ome"] = {**dict(group.attrs["ome"]), "image-label": {"colors": colours}}
        (labels,) = layers_of(tmp_path / "cells.zarr")
        assert (labels.kind, len(labels.colours)) == ("labels", 0)

    def test_in_an_archive(self, tmp_path: Path) -> None:
        """The same in a zip file."""
        path = write_image(tmp_path / "cells", PLANE, "0.5")
        zarr.create_group(str(path / "labels"), attributes={"ome": {"version": "0.5", "labels": ["nuclei"]}})
        write_labels(path / "labels" / "nuclei", PLANE, {1: [255, 0, 0, 255]})
        shutil.make_archive(str(tmp_path / "cells"), "zip", path)
        (tmp_path / "cells.zip").rename(tmp_path / "cells.ozx")
        image, labels = layers_of(tmp_path / "cells.ozx")
        assert (image.kind, labels.kind, dict(labels.colours)) == ("image", "labels", {1: (255, 0, 0)})
        np.testing.assert_array_equal(labels.levels[0][:], PLANE)

    def test_integers_are_images(self) -> None:
        """Unless labels= says otherwise."""
        assert [layer.kind for layer in layers_of(PLANE.astype(np.uint32), axes="yx")] == ["image"]

    def test_arrays_say_what_they_are(self) -> None:
        """Integers are labels only where the array says so: scaled maps are integers, too."""
        for labels, kind in ((True, "labels"), (False, "image")):
            (layer,) = layers_of(LabelledArray(PLANE.astype(np.uint8), ("y", "x"), labels=labels))
            assert layer.kind == kind

    def test_given(self, tmp_path: Path) -> None:
        """By path, whether it is among the sources or not, by name, and as an array."""
        tifffile = pytest.importorskip("tifffile")
        path = str(tmp_path / "nuclei.tif")
        tifffile.imwrite(path, PLANE)
        image = LabelledArray(PLANE.astype(np.float32), ("y", "x"))
        for labels, sources in [
            (path, (image,)),
            ([path], (image, path)),
            ("nuclei", (image, path)),
            (PLANE, (image,)),
            ([PLANE], (image,)),
        ]:
            found = layers_of(*sources, labels=labels, axes="yx")
            assert [layer.kind for layer in found] == ["image", "labels"]

    def test_floats(self) -> None:
        """Cannot be labels."""
        with pytest.raises(InputError, match="float32"):
            layers_of(PLANE, labels=PLANE.astype(np.float32), axes="yx")


class TestTables:
    """Tables of objects."""

    def test_file(self, tmp_path: Path) -> None:
        """Belongs to the only labels."""
        (tmp_path / "cells.csv").write_text("id,pixels,area,touches_edge,name\n1,20,0.5,True,one\n7,30,,False,two\n\n")
        _, labels = layers_of(PLANE, labels=PLANE, axes="yx", table=tmp_path / "cells.csv")
        assert labels.table is not None
        assert {name: labels.table[name].dtype.kind for name in labels.table} == {
            "id": "i",
            "pixels": "i",
            "area": "f",
            "touches_edge": "b",
            "name": "O",
        }
        np.testing.assert_array_equal(labels.table["area"], [0.5, np.nan])

    def test_parquet(self, tmp_path: Path) -> None:
        """Has the same columns."""
        pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pa.table({"id": np.arange(1, 4), "pixels": [3, 4, 5]}), tmp_path / "cells.parquet")
        _, labels = layers_of(PLANE, labels=PLANE, axes="yx", table=str(tmp_path / "cells.parquet"))
        assert labels.table is not None
        np.testing.assert_array_equal(labels.table["pixels"], [3, 4, 5])

    def test_names(self) -> None:
        """Name the labels where there are several."""
        table = {"id": np.array([1, 2]), "pixels": np.array([5, 6])}
        found = layers_of(PLANE, labels=[PLANE, PLANE // 2], axes="yx", table={"array 3": table})
        assert [layer.table is not None for layer in found] == [False, False, True]
        with pytest.raises(InputError, match="'array 2', 'array 3'"):
            layers_of(PLANE, labels=[PLANE, PLANE // 2], axes="yx", table=table)
        with pytest.raises(InputError, match="'other'"):
            layers_of(PLANE, labels=PLANE, axes="yx", table={"other": table})

    @pytest.mark.parametrize(
        ("content", "error", "message"),
        [
            ("a,b\n1,2\n", InputError, "no column id"),
            ("id,b\n1\n", SourceError, "cannot be read"),
            ("id,b\nx,2\n", InputError, "no column id"),
            ("", InputError, "no column"),
        ],
    )
    def test_not_a_table(self, tmp_path: Path, content: str, error: type[Exception], message: str) -> None:
        """Errors of one sentence."""
        (tmp_path / "cells.csv").write_text(content)
        with pytest.raises(error, match=message):
            layers_of(PLANE, labels=PLANE, axes="yx", table=tmp_path / "cells.csv")

    def test_no_file(self) -> None:
        """Errors that say what is expected."""
        with pytest.raises(SourceError, match="does not exist"):
            layers_of(PLANE, labels=PLANE, axes="yx", table="none.csv")
        with pytest.raises(InputError, match=r"\.parquet"):
            layers_of(PLANE, labels=PLANE, axes="yx", table="cells.xlsx")
