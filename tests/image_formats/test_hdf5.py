"""HDF5 files as ilastik, Fiji, BigDataViewer, Imaris and NetCDF libraries lay them out, written with h5py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from image_regions import check_copies_and_threads, imported_by, pixels, regions
from laid_out_hdf5 import XML, axistags, letters, save_bdv, save_imaris
from made_models import pointwise_model

import bioimageio_core as bc
from bioimageio_core.errors import InputError, OutputError, SourceError
from bioimageio_core.file_kinds import stem
from bioimageio_core.io import open_image
from bioimageio_core.io.places_of_arrays import places_of
from bioimageio_core.io.reading.chosen_reader import reader_of
from bioimageio_core.io.reading.fingerprints import fingerprint
from bioimageio_core.io.reading.image_parts import expand_parts
from bioimageio_core.places import place_of

h5py = pytest.importorskip("h5py")

pytestmark = pytest.mark.filterwarnings("ignore:.product. is deprecated:DeprecationWarning")
"""Of h5py 3.8, which writes attributes with a function that numpy renamed."""

VOLUME = np.arange(3 * 5 * 7, dtype=np.uint16).reshape(3, 5, 7)


def save(path: Path, **datasets: Any) -> Path:
    """Write datasets at the root of a file."""
    with h5py.File(path, "w") as file:
        for name, array in datasets.items():
            file[name] = array
    return path


class TestChoice:
    """Which dataset of a file is the image."""

    def test_only_one(self, tmp_path: Path) -> None:
        """The only dataset that is an image is found, in whatever group it lies; numbers, lists, texts and tables are none."""
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["some/group/raw"] = VOLUME
            file["number"] = 3.0
            file["list"] = np.arange(100)
            file["text"] = "a text"
            file["texts"] = np.array([[b"a", b"b"]])
            file["table"] = np.zeros((4, 4), [("label", "i4"), ("area", "f4")])
            file["complex"] = np.zeros((4, 4), np.complex64)
            file["empty"] = h5py.Empty("f4")
        image = open_image(tmp_path / "a.h5")
        assert (image.name, image.part, image.axes, image.location) == ("a", "some/group/raw", None, str(tmp_path / "a.h5"))
        np.testing.assert_array_equal(pixels(image), VOLUME)

    def test_several(self, tmp_path: Path) -> None:
        """Several are scenes by their paths, and the message tells both ways to choose."""
        path = save(tmp_path / "a.h5", raw=VOLUME, labels=VOLUME[0])
        with pytest.raises(SourceError, match=r"2 images \(0 'labels' \(5 x 7, uint16\), 1 'raw' .*scene=1.*a\.h5:/labels"):
            open_image(path)
        for scene in ("raw", 1):
            np.testing.assert_array_equal(pixels(open_image(path, scene=scene)), VOLUME)

    @pytest.mark.parametrize("written", ["a.h5:/group/raw", "a.h5/group/raw", "a.h5:/group", "a.h5/group/"])
    def test_paths(self, tmp_path: Path, written: str) -> None:
        """A path leads to a dataset, or to a group with one."""
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["group/raw"] = VOLUME
            file["mask"] = VOLUME > 3
        image = open_image(f"{tmp_path}/{written}")
        assert (image.location, image.part, image.name) == (str(tmp_path / "a.h5"), "group/raw", "a (group/raw)")
        np.testing.assert_array_equal(pixels(image), VOLUME)

    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("other", "holds nothing at other: .*raw"),
            ("line", "line of .* is no image but numbers along fewer than two axes"),
            ("text", "text of .* is no image but values of the kind"),
            ("raw/further", "holds nothing at raw/further"),
            ("group", "holds no image"),
        ],
    )
    def test_wrong_paths(self, tmp_path: Path, path: str, message: str) -> None:
        """What is there instead is named."""
        file = save(tmp_path / "a.h5", raw=VOLUME, line=np.arange(3), text="a")
        with h5py.File(file, "a") as opened:
            opened.create_group("group")
        with pytest.raises(SourceError, match=message):
            open_image(f"{file}:/{path}")

    def test_missing_file(self, tmp_path: Path) -> None:
        """There is no such file."""
        with pytest.raises(SourceError, match="does not exist"):
            open_image(f"{tmp_path}/none.h5:/raw")

    def test_folder_with_such_a_name(self, tmp_path: Path) -> None:
        """A folder named like a file is passed by."""
        (tmp_path / "old.h5").mkdir()
        save(tmp_path / "old.h5" / "a.h5", raw=VOLUME)
        np.testing.assert_array_equal(pixels(open_image(f"{tmp_path}/old.h5/a.h5:/raw")), VOLUME)

    def test_links(self, tmp_path: Path) -> None:
        """Pixels of other files are not read, and the message names the file."""
        save(tmp_path / "b.h5", raw=VOLUME)
        (tmp_path / "raw.bin").write_bytes(VOLUME.tobytes())
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["soft"] = h5py.SoftLink("/inner/raw")
            file["inner/raw"] = VOLUME
            file["link"] = h5py.ExternalLink("b.h5", "/raw")
            layout = h5py.VirtualLayout(shape=VOLUME.shape, dtype=VOLUME.dtype)
            layout[:] = h5py.VirtualSource(str(tmp_path / "b.h5"), "raw", shape=VOLUME.shape)
            file.create_virtual_dataset("virtual", layout)
            file.create_dataset("outside", VOLUME.shape, VOLUME.dtype, external=[(str(tmp_path / "raw.bin"), 0, VOLUME.nbytes)])
        np.testing.assert_array_equal(pixels(open_image(f"{tmp_path}/a.h5:/soft")), VOLUME)
        for path, message in (("link", r"link into .*b\.h5"), ("virtual", r"other files, such as .*b\.h5"), ("outside", r"raw\.bin")):
            with pytest.raises(SourceError, match=message):
                open_image(f"{tmp_path}/a.h5:/{path}")


class TestAxes:
    """Axes and sizes of pixels, as programs write them."""

    def opened(self, tmp_path: Path, array: np.ndarray, **attributes: Any) -> Any:
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["data"] = array
            file["data"].attrs.update(attributes)
        return open_image(tmp_path / "a.h5")

    def test_ilastik(self, tmp_path: Path) -> None:
        """Axes of vigra; a resolution of 0 is not known."""
        array = np.zeros((2, 3, 4, 5, 1), np.float32)
        tags = axistags(("t", 8, 0), ("z", 2, 0.5), ("y", 2, 0.25), ("x", 2, 0.25), ("c", 1, 1.0))
        image = self.opened(tmp_path, array, axistags=tags)
        assert image.axes == ("time", "z", "y", "x", "channel")
        assert dict(image.pixel_size) == {"z": (0.5, None), "y": (0.25, None), "x": (0.25, None)}

    def test_damaged_tags(self, tmp_path: Path) -> None:
        """Axes that cannot be read, or are of another number, count as absent."""
        for tags in ("{", "[]", axistags(("y", 2, 0)), axistags(("y", 2, 0), ("y", 2, 0), ("x", 2, 0)), b"\xff"):
            assert self.opened(tmp_path, VOLUME, axistags=tags).axes is None

    def test_fiji(self, tmp_path: Path) -> None:
        """Sizes of elements are those along z, y and x, and name these axes."""
        image = self.opened(tmp_path, VOLUME, element_size_um=np.array([2.0, 0.5, 0.25], np.float32))
        assert image.axes == ("z", "y", "x")
        assert dict(image.pixel_size) == {"z": (2.0, "micrometer"), "y": (0.5, "micrometer"), "x": (0.25, "micrometer")}

    def test_fiji_with_channels(self, tmp_path: Path) -> None:
        """Sizes are kept where the axes are not known, for axes that users name."""
        image = self.opened(tmp_path, VOLUME[None], element_size_um=[2.0, 0.5, 0.25])
        assert image.axes is None
        assert image.with_axes("czyx").pixel_size["z"] == (2.0, "micrometer")

    def test_planes(self, tmp_path: Path) -> None:
        """Of two axes, the last two sizes count."""
        image = self.opened(tmp_path, VOLUME[0], element_size_um=[1.0, 0.5, 0.25])
        assert (image.axes, image.pixel_size["x"]) == (("y", "x"), (0.25, "micrometer"))

    @pytest.mark.parametrize("written", ["cyx", "c,y,x", "channel:y:x", ["c", "y", "x"], np.array([b"C", b"Y", b"X"])])
    def test_attribute(self, tmp_path: Path, written: Any) -> None:
        """Letters and names."""
        assert self.opened(tmp_path, VOLUME, axes=written).axes == ("channel", "y", "x")

    def test_labels_of_dimensions(self, tmp_path: Path) -> None:
        """The labels that HDF5 itself has."""
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["data"] = VOLUME
            for dimension, label in zip(file["data"].dims, ("time", "row", "column"), strict=True):
                dimension.label = label
        assert open_image(tmp_path / "a.h5").axes == ("time", "y", "x")

    def test_netcdf(self, tmp_path: Path) -> None:
        """Dimension scales name axes, and packed integers stand for values."""
        with h5py.File(tmp_path / "a.nc", "w") as file:
            file["packed"] = VOLUME.astype(np.int16)
            for dimension, name, size in zip(file["packed"].dims, ("time", "lat", "lon"), VOLUME.shape, strict=True):
                file[name] = np.arange(size, dtype=float)
                file[name].make_scale(name)
                dimension.attach_scale(file[name])
            file["packed"].attrs.update(scale_factor=np.array([0.5]), add_offset=10.0, _FillValue=np.int16(3))
        image = open_image(tmp_path / "a.nc")
        assert (image.axes, image.dtype) == (("time", "y", "x"), np.float32)
        expected = VOLUME * 0.5 + 10
        expected[VOLUME == 3] = np.nan
        np.testing.assert_array_equal(pixels(image), expected)

    @pytest.mark.parametrize("dtype", [">u2", "<i8", ">f4", "f2", "?"])
    def test_dtypes(self, tmp_path: Path, dtype: str) -> None:
        """Values in native byte order."""
        image = self.opened(tmp_path, VOLUME.astype(dtype))
        assert image.dtype == np.dtype(dtype).newbyteorder("=")
        np.testing.assert_array_equal(pixels(image), VOLUME.astype(dtype))


class TestBigDataViewer:
    """Setups, timepoints and levels."""

    DATA = (np.arange(2 * 3 * 4 * 6).reshape(2, 3, 4, 6) * 400).astype(np.uint16)

    def test_timepoints(self, tmp_path: Path) -> None:
        """Timepoints are an axis, and values above 32767 are what they were."""
        assert self.DATA.max() > 2**15
        save_bdv(tmp_path / "a.h5", self.DATA)
        image = open_image(tmp_path / "a.h5")
        assert (image.axes, image.dtype, image.chunks) == (("time", "z", "y", "x"), np.uint16, (1, 1, 2, 2))
        assert not image.pixel_size
        np.testing.assert_array_equal(pixels(image), self.DATA)
        check_copies_and_threads(image, self.DATA)

    def test_levels(self, tmp_path: Path) -> None:
        """Levels have larger pixels, by their own factors."""
        save_bdv(tmp_path / "a.h5", self.DATA[:1])
        (tmp_path / "a.xml").write_text(XML.format(unit="µm"), encoding="utf-8")
        finest, coarse = open_image(tmp_path / "a.h5"), open_image(tmp_path / "a.h5", level=1)
        assert dict(finest.pixel_size) == {"x": (0.5, "micrometer"), "y": (0.25, "micrometer"), "z": (2.0, "micrometer")}
        assert dict(coarse.pixel_size) == {"x": (1.0, "micrometer"), "y": (0.5, "micrometer"), "z": (2.0, "micrometer")}
        assert coarse.axes == ("z", "y", "x")
        np.testing.assert_array_equal(pixels(coarse), self.DATA[0, :, ::2, ::2])
        with pytest.raises(SourceError, match="2 levels, counted from 0: found level 2"):
            open_image(tmp_path / "a.h5", level=2)

    def test_setups(self, tmp_path: Path) -> None:
        """Setups are scenes, by the names in the XML file."""
        save_bdv(tmp_path / "a.h5", self.DATA, setups=2)
        (tmp_path / "a.xml").write_text(XML.format(unit="µm"), encoding="utf-8")
        with pytest.raises(SourceError, match=r"0 'nuclei' .*1 'membranes'"):
            open_image(tmp_path / "a.h5")
        np.testing.assert_array_equal(pixels(open_image(tmp_path / "a.h5", scene="membranes")), self.DATA + 1)
        assert not open_image(tmp_path / "a.h5", scene="membranes").pixel_size

    @pytest.mark.parametrize("xml", ["", "<SpimData>", "<other/>", XML.format(unit="pixel")])
    def test_without_sizes(self, tmp_path: Path, xml: str) -> None:
        """A damaged XML file, and sizes in pixels, say nothing."""
        save_bdv(tmp_path / "a.h5", self.DATA)
        (tmp_path / "a.xml").write_text(xml, encoding="utf-8")
        assert not open_image(tmp_path / "a.h5").pixel_size

    def test_one_timepoint(self, tmp_path: Path) -> None:
        """A path leads to a single timepoint, with its axes and values."""
        save_bdv(tmp_path / "a.h5", self.DATA)
        image = open_image(f"{tmp_path}/a.h5:/t00001/s00/0/cells")
        assert image.axes == ("z", "y", "x")
        np.testing.assert_array_equal(pixels(image), self.DATA[1])

    def test_missing(self, tmp_path: Path) -> None:
        """A timepoint without the setup is named."""
        save_bdv(tmp_path / "a.h5", self.DATA)
        with h5py.File(tmp_path / "a.h5", "a") as file:
            del file["t00001/s00/0"]
        with pytest.raises(SourceError, match="lacks t00001/s00/0/cells"):
            open_image(tmp_path / "a.h5")

    def test_other_sizes(self, tmp_path: Path) -> None:
        """A timepoint of another size is named when it is read."""
        save_bdv(tmp_path / "a.h5", self.DATA)
        with h5py.File(tmp_path / "a.h5", "a") as file:
            del file["t00001/s00/0/cells"]
            file["t00001/s00/0/cells"] = np.zeros((1, 2, 3), np.int16)
        with pytest.raises(SourceError, match="parts of different kinds"):
            pixels(open_image(tmp_path / "a.h5"))


class TestImaris:
    """Files of Imaris."""

    DATA = np.arange(2 * 2 * 3 * 5 * 6, dtype=np.uint8).reshape(2, 2, 3, 5, 6)

    def test_image(self, tmp_path: Path) -> None:
        """Time, channels and volumes without what fills up chunks; sizes from extents."""
        save_imaris(tmp_path / "a.ims", self.DATA)
        image = open_image(tmp_path / "a.ims")
        assert (image.axes, image.channel_names) == (("time", "channel", "z", "y", "x"), ("dye 0", "dye 1"))
        assert dict(image.pixel_size) == {"x": (0.5, "micrometer"), "y": (0.25, "micrometer"), "z": (2.0, "micrometer")}
        assert dict(image.position) == {"x": 10.25, "y": 0.125, "z": 1.0}
        np.testing.assert_array_equal(pixels(image), self.DATA)
        check_copies_and_threads(image, self.DATA)

    def test_level(self, tmp_path: Path) -> None:
        """A coarser level."""
        save_imaris(tmp_path / "a.ims", self.DATA[:1, :1])
        image = open_image(tmp_path / "a.ims", level=1)
        assert (image.axes, image.shape, image.pixel_size["x"]) == (("z", "y", "x"), (3, 3, 3), (1.0, "micrometer"))
        np.testing.assert_array_equal(pixels(image), self.DATA[0, 0, :, ::2, ::2])

    def test_damaged(self, tmp_path: Path) -> None:
        """Sizes above what is stored, missing parts, and HDF5 of others."""
        save_imaris(tmp_path / "a.ims", self.DATA)
        with h5py.File(tmp_path / "a.ims", "a") as file:
            file["DataSet/ResolutionLevel 0/TimePoint 0/Channel 0"].attrs["ImageSizeX"] = letters("900")
        with pytest.raises(SourceError, match=r"\(3, 5, 900\) pixels \(z, y, x\), but stores \(4, 8, 8\)"):
            open_image(tmp_path / "a.ims")
        save(tmp_path / "b.ims", raw=VOLUME)
        with pytest.raises(SourceError, match="no image of Imaris"):
            open_image(tmp_path / "b.ims")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume in compressed chunks that do not divide it."""
    path = tmp_path_factory.mktemp("hdf5") / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("raw", data=VOLUME, chunks=(2, 2, 3), compression="gzip", shuffle=True)
    return path


class TestRegions:
    """What is read of a dataset."""

    @given(regions(VOLUME.shape))
    def test_slices(self, written: Path, region: tuple[slice, ...]) -> None:
        """A region is the slice of numpy."""
        np.testing.assert_array_equal(open_image(written).read(region), VOLUME[region])

    def test_copies_and_threads(self, written: Path) -> None:
        """Other processes open the file again; h5py has a lock of its own."""
        image = open_image(written)
        assert image.chunks == (2, 2, 3)
        check_copies_and_threads(image, VOLUME)

    def test_url(self, written: Path) -> None:
        """Files and paths in them are read from URLs."""
        import fsspec

        fsspec.filesystem("memory").pipe("/hdf5/a.h5", written.read_bytes())
        for url in ("memory://hdf5/a.h5", "memory://hdf5/a.h5:/raw", "memory://hdf5/a.h5/raw"):
            image = open_image(url)
            assert image.location == "memory://hdf5/a.h5"
            check_copies_and_threads(image, VOLUME)

    def test_large(self, tmp_path: Path) -> None:
        """Of a file that declares 4 TB, a region reads its own chunks: those beside it are damaged, and this is not noticed."""
        with h5py.File(tmp_path / "a.h5", "w") as file:
            dataset = file.create_dataset("raw", (2**20, 2**20), np.uint32, chunks=(64, 64), compression="gzip", fletcher32=True)
            dataset[:256, :256] = 7
            places = {(y, x): dataset.id.get_chunk_info_by_coord((y * 64, x * 64)).byte_offset for y in range(4) for x in range(4)}
        content = bytearray((tmp_path / "a.h5").read_bytes())
        for position, offset in places.items():
            if position not in {(1, 1), (1, 2), (2, 1), (2, 2)}:
                content[offset : offset + 8] = b"damaged!"
        (tmp_path / "a.h5").write_bytes(content)
        image = open_image(tmp_path / "a.h5")
        assert image.shape == (2**20, 2**20)
        assert (image.read((slice(64, 192), slice(64, 192))) == 7).all()
        assert not image.read((slice(2**19, 2**19 + 8), slice(0, 8))).any()
        with pytest.raises(SourceError, match=r"a\.h5 cannot be read"):
            image.read((slice(63, 192), slice(64, 192)))

    def test_lazy(self, written: Path, tmp_path: Path) -> None:
        """The library that reads the files is imported when one is opened, and not before."""
        np.save(tmp_path / "a.npy", VOLUME)
        for path, uses in ((tmp_path / "a.npy", False), (written, True)):
            assert imported_by(f"from bioimageio_core.io import open_image; open_image({str(path)!r})", "h5py") == uses

    def test_sniffs(self, written: Path, tmp_path: Path) -> None:
        """What a file is, is seen in its first bytes."""
        reader = reader_of(f"{written}:/raw")
        assert reader.sniff(f"{written}:/raw")
        (tmp_path / "b.h5").write_bytes(b"CDF\x01")
        assert not reader.sniff(str(tmp_path / "b.h5"))


class TestDamaged:
    """One sentence for each."""

    @pytest.mark.parametrize("content", [b"", b"CDF\x01", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n" + bytes(500)])
    def test_no_hdf5(self, tmp_path: Path, content: bytes) -> None:
        """Empty files and others."""
        (tmp_path / "a.h5").write_bytes(content)
        with pytest.raises(SourceError, match=r"a\.h5 cannot be read as HDF5: it (is damaged|does not begin as such files do); fetch"):
            open_image(tmp_path / "a.h5")

    def test_truncated(self, written: Path, tmp_path: Path) -> None:
        """The end of the file is missing."""
        content = written.read_bytes()
        (tmp_path / "a.h5").write_bytes(content[: len(content) // 2])
        with pytest.raises(SourceError, match=r"a\.h5 cannot be read as HDF5: it ends early; fetch it again, or restore it from a backup$"):
            open_image(tmp_path / "a.h5")

    def test_damaged_pixels(self, tmp_path: Path) -> None:
        """The file opens, and a chunk cannot be unpacked."""
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.create_dataset("raw", data=np.random.default_rng(0).random((200, 200)), chunks=(50, 50), compression="gzip")
        content = bytearray((tmp_path / "a.h5").read_bytes())
        middle = slice(len(content) // 2, len(content) // 2 + 2000)
        content[middle] = bytes(255 - one for one in content[middle])
        (tmp_path / "a.h5").write_bytes(content)
        image = open_image(tmp_path / "a.h5")
        with pytest.raises(SourceError, match=r"a\.h5 cannot be read as HDF5: a chunk of its pixels is damaged; fetch it again"):
            image.read((slice(0, 200), slice(0, 200)))

    def test_nothing(self, tmp_path: Path) -> None:
        """A file without any image."""
        with pytest.raises(SourceError, match="holds no image: expected a dataset of numbers with at least two axes"):
            open_image(save(tmp_path / "a.h5", line=np.arange(3)))

    def test_too_many_pixels(self, tmp_path: Path) -> None:
        """More pixels than 64 bits count."""
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file.create_dataset("raw", (2**31, 2**31, 2**10), np.uint8, chunks=(1, 64, 64))
        with pytest.raises(SourceError, match=r"declares 4\.72e"):
            open_image(tmp_path / "a.h5")

    def test_choice(self, written: Path) -> None:
        """A dataset has one resolution."""
        with pytest.raises(SourceError, match="level 1"):
            open_image(written, level=1)
        with pytest.raises(SourceError, match="no image 2"):
            open_image(written, scene=2)


class TestPlaces:
    """A dataset lies in its file, whatever way leads there."""

    def test_place(self, tmp_path: Path) -> None:
        """Each spelling is within the place of the file, also through a link."""
        path = save(tmp_path / "a.h5", raw=VOLUME)
        (tmp_path / "link").symlink_to(tmp_path)
        for written in (f"{path}:/raw", f"{path}/raw", f"file://{path}:/raw", f"{tmp_path}/link/a.h5:/raw"):
            assert place_of(path).holds(place_of(written)), written
            assert place_of(written) == place_of(f"{path}:/raw")
        assert places_of(open_image(f"{path}:/raw")) == (place_of(path),)
        assert place_of("s3://bucket/a.h5:/raw") == place_of("s3://bucket/a.h5/raw")
        assert place_of("https://host.org:8080/a.h5:/raw").storage == "https://host.org:8080"

    def test_folder_with_a_colon(self, tmp_path: Path) -> None:
        """A folder whose name ends with a colon is another place."""
        (tmp_path / "a.h5:").mkdir()
        assert place_of(f"{tmp_path}/a.h5:/raw") != place_of(f"{tmp_path}/a.h5/raw")

    def test_fingerprints(self, tmp_path: Path) -> None:
        """Those of two datasets of a file differ."""
        path = save(tmp_path / "a.h5", raw=VOLUME, other=VOLUME)
        first, second = (fingerprint(open_image(f"{path}:/{name}")) for name in ("raw", "other"))
        assert first != second
        assert first == fingerprint(open_image(f"{path}/raw"))

    @pytest.mark.parametrize(
        "location", ["a/b.h5:/raw", "a/b.h5/raw", "b.h5:/some/raw/", "s3://bucket/b.h5:/raw", "b.n5/setup0/s0", "b.h5"]
    )
    def test_stem(self, location: str) -> None:
        """The name is that of the file."""
        assert stem(location) == "b"


class TestPredicting:
    """A dataset is the image of a prediction."""

    @pytest.fixture
    def model(self, tmp_path: Path) -> Path:
        pytest.importorskip("onnxruntime")
        (tmp_path / "model").mkdir()
        return pointwise_model(tmp_path / "model", axes=("z", "y", "x"), gain=2.0)

    def test_path(self, model: Path, tmp_path: Path) -> None:
        """By its path in the file."""
        path = save(tmp_path / "x.h5", raw=VOLUME, other=VOLUME[0])
        result = bc.predict(model, f"{path}:/raw", axes="zyx")
        np.testing.assert_array_equal(np.asarray(result["out"]).squeeze(), VOLUME * 2.0)

    def test_all(self, model: Path, tmp_path: Path) -> None:
        """All of a file have names of their own; without ``{scene}`` they would overwrite each other, which is refused."""
        path = save(tmp_path / "x.h5", raw=VOLUME, other=VOLUME + 1)
        results = list(bc.predict_many(model, [path], tmp_path / "{name}_{scene}.zarr", axes="zyx"))
        assert not any(isinstance(result, bc.Failed) for result in results)
        assert sorted(one.name for one in tmp_path.glob("*.zarr")) == ["x_other.zarr", "x_raw.zarr"]
        with pytest.raises(InputError, match="the same output"):
            list(bc.predict_many(model, [path], tmp_path / "{name}.zarr", axes="zyx"))

    def test_paths_of_one_file(self, model: Path, tmp_path: Path) -> None:
        """Two paths into one file do not share an output."""
        path = save(tmp_path / "x.h5", raw=VOLUME, other=VOLUME + 1)
        paths = [f"{path}:/raw", f"{path}:/other"]
        assert not any(isinstance(result, bc.Failed) for result in bc.predict_many(model, paths, tmp_path / "out", axes="zyx"))
        assert sorted(one.name for one in (tmp_path / "out").glob("*.zarr")) == ["x_other.zarr", "x_raw.zarr"]
        with pytest.raises(InputError, match="the same output"):
            list(bc.predict_many(model, paths, tmp_path / "{name}.zarr", axes="zyx"))

    def test_not_overwritten(self, model: Path, tmp_path: Path) -> None:
        """An output is never written where the image lies."""
        (tmp_path / "in").mkdir()
        path = save(tmp_path / "in" / "x.h5", raw=VOLUME)
        with pytest.raises(OutputError, match="would overwrite"):
            bc.predict(model, f"{path}:/raw", tmp_path / "in", axes="zyx", overwrite=True)

    def test_parts(self, tmp_path: Path) -> None:
        """Parts of a file are named by their paths."""
        path = save(tmp_path / "x.h5", raw=VOLUME, other=VOLUME)
        assert [dict(part.fields) for part in expand_parts([path])] == [{"scene": "other"}, {"scene": "raw"}]
        assert [dict(part.fields) for part in expand_parts([f"{path}:/raw"])] == [{"scene": "raw"}]
        assert expand_parts([save(tmp_path / "y.h5", raw=VOLUME)]) == (tmp_path / "y.h5",)
