"""N5 folders by TensorStore, and by hand as their specification has them, laid out as BigDataViewer, n5-viewer and others do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from image_regions import check_copies_and_threads, imported_by, pixels, regions
from laid_out_n5 import describe, save, save_by_hand
from made_models import pointwise_model

import bioimageio_core as bc
from bioimageio_core.errors import SourceError
from bioimageio_core.io import open_image
from bioimageio_core.io.reading.image_parts import expand_parts
from bioimageio_core.prediction.data.expand_image_paths import expand_image_paths

ts = pytest.importorskip("tensorstore")

VOLUME = np.arange(3 * 5 * 7, dtype=np.uint16).reshape(3, 5, 7)
MICRONS = "micrometer"


class TestDatasets:
    """One dataset, or several."""

    def test_root(self, tmp_path: Path) -> None:
        """The container itself; axes are those of numpy, the slowest first."""
        image = open_image(save(tmp_path / "a.n5", VOLUME))
        assert (image.shape, image.chunks, image.axes, image.name) == ((3, 5, 7), (2, 2, 3), None, "a")
        np.testing.assert_array_equal(pixels(image), VOLUME)

    @pytest.mark.parametrize("dtype", ["uint8", "int32", "float32", "float64", "uint64"])
    def test_by_hand(self, tmp_path: Path, dtype: str) -> None:
        """Blocks that do not divide the sizes."""
        save_by_hand(tmp_path / "a.n5" / "raw", VOLUME.astype(dtype), (4, 3, 2))
        image = open_image(tmp_path / "a.n5")
        assert image.dtype == np.dtype(dtype)
        np.testing.assert_array_equal(pixels(image), VOLUME.astype(dtype))

    def test_several(self, tmp_path: Path) -> None:
        """Several are scenes by their paths; a path leads to one."""
        save(tmp_path / "a.n5" / "volumes" / "raw", VOLUME)
        save(tmp_path / "a.n5" / "volumes" / "mask", VOLUME + 1)
        with pytest.raises(SourceError, match=r"2 images \(0 'volumes/mask', 1 'volumes/raw'\).*or give .*a\.n5/volumes/mask"):
            open_image(tmp_path / "a.n5")
        np.testing.assert_array_equal(pixels(open_image(tmp_path / "a.n5", scene="volumes/raw")), VOLUME)
        image = open_image(tmp_path / "a.n5" / "volumes" / "mask")
        assert (image.name, image.location, image.part) == ("a (volumes/mask)", str(tmp_path / "a.n5"), "volumes/mask")
        np.testing.assert_array_equal(pixels(image), VOLUME + 1)
        assert [dict(part.fields) for part in expand_parts([tmp_path / "a.n5"])] == [{"scene": "volumes/mask"}, {"scene": "volumes/raw"}]
        assert [dict(part.fields) for part in expand_parts([tmp_path / "a.n5/volumes/raw"])] == [{"scene": "volumes/raw"}]

    def test_is_no_folder_of_images(self, tmp_path: Path) -> None:
        """A container is one path, and not a folder of images."""
        save(tmp_path / "a.n5" / "raw", VOLUME)
        for path in (tmp_path / "a.n5", tmp_path / "a.n5" / "raw"):
            assert expand_image_paths([str(path)]) == (str(path),)
        assert expand_image_paths([str(tmp_path)]) == (str(tmp_path / "a.n5"),)


class TestMetadata:
    """Axes and sizes of pixels, as programs write them."""

    def test_named_axes(self, tmp_path: Path) -> None:
        """Names, sizes and units are in the order of N5."""
        image = open_image(save(tmp_path / "a.n5", VOLUME, axes=["x", "y", "c"], resolution=[0.5, 0.25, 1], units=["um", "um", ""]))
        assert image.axes == ("channel", "y", "x")
        assert dict(image.pixel_size) == {"x": (0.5, MICRONS), "y": (0.25, MICRONS)}

    @pytest.mark.parametrize("resolution", [{"dimensions": [500, 250, 2000], "unit": "nm"}, [0.5, 0.25, 2.0]])
    def test_viewer(self, tmp_path: Path, resolution: Any) -> None:
        """A group of levels of n5-viewer: the factors of a level are its own, or in the group."""
        for level, step in enumerate((1, 2)):
            own = {"downsamplingFactors": [2, 2, 1]} if level and isinstance(resolution, dict) else {}
            save(tmp_path / "a.n5" / "c0" / f"s{level}", VOLUME[:, ::step, ::step], **own)
        describe(tmp_path / "a.n5" / "c0", pixelResolution=resolution, scales=[[1, 1, 1], [2, 2, 1]])
        unit = "nanometer" if isinstance(resolution, dict) else MICRONS
        factor = 1000 if isinstance(resolution, dict) else 1
        finest = {"x": (0.5 * factor, unit), "y": (0.25 * factor, unit), "z": (2.0 * factor, unit)}
        coarse = {"x": (1.0 * factor, unit), "y": (0.5 * factor, unit), "z": (2.0 * factor, unit)}
        assert dict(open_image(tmp_path / "a.n5").pixel_size) == finest
        for image in (open_image(tmp_path / "a.n5", level=1), open_image(tmp_path / "a.n5" / "c0" / "s1")):
            assert dict(image.pixel_size) == coarse
            assert image.axes == ("z", "y", "x")
            np.testing.assert_array_equal(pixels(image), VOLUME[:, ::2, ::2])
        with pytest.raises(SourceError, match="2 levels, counted from 0: found level 2"):
            open_image(tmp_path / "a.n5", level=2)

    def test_transform(self, tmp_path: Path) -> None:
        """A transform has the order of numpy, and the sizes of its own level."""
        transform = {"axes": ["z", "y", "x"], "scale": [4.0, 8.0, 16.0], "translate": [0, 0, 0], "units": ["nm"] * 3}
        image = open_image(save(tmp_path / "a.n5" / "em" / "s0", VOLUME, transform=transform, pixelResolution=[9, 9, 9]))
        assert dict(image.pixel_size) == {"z": (4.0, "nanometer"), "y": (8.0, "nanometer"), "x": (16.0, "nanometer")}

    @pytest.mark.parametrize("attributes", [{"resolution": [1, 1, 1]}, {"pixelResolution": {"unit": "um"}}, {"transform": {"axes": ["x"]}}])
    def test_not_understood(self, tmp_path: Path, attributes: dict[str, Any]) -> None:
        """What cannot be read, and sizes without a unit, count as absent."""
        image = open_image(save(tmp_path / "a.n5", VOLUME, **attributes))
        assert (image.axes, dict(image.pixel_size)) == (None, {})

    @pytest.mark.parametrize("axes", [["x"], ["x", "x", "y"], 3])
    def test_wrong_axes(self, tmp_path: Path, axes: Any) -> None:
        """Axes of another number, or twice, are damage, in one sentence without the settings of libraries."""
        with pytest.raises(SourceError, match=r'a\.n5 cannot be read: .*"axes"[^{]*$'):
            open_image(save(tmp_path / "a.n5", VOLUME, axes=axes))


def save_bdv(path: Path, *, setups: int) -> np.ndarray:
    """Write volumes (t, z, y, x) as BigStitcher does, at two levels; return those of the first setup."""
    data = np.random.default_rng(0).integers(0, 65536, (3, 2, 4, 6)).astype(np.uint16)
    for setup in range(setups):
        folder = path / f"setup{setup}"
        describe(folder, downsamplingFactors=[[1, 1, 1], [2, 2, 1]], dataType="uint16")
        for time, volume in enumerate(data):
            describe(folder / f"timepoint{time}", resolution=[1.0, 1.0, 1.0], saved_completely=True, multiScale=True)
            for level, step in enumerate((1, 2)):
                factors = [step, step, 1]
                save(folder / f"timepoint{time}" / f"s{level}", volume[:, ::step, ::step] + setup, downsamplingFactors=factors)
    sizes = "<voxelSize><unit>um</unit><size>0.5 0.25 2.0</size></voxelSize>"
    path.with_suffix(".xml").write_text(f"<SpimData><ViewSetup><id>0</id><name>nuclei</name>{sizes}</ViewSetup></SpimData>")
    return data


class TestBigDataViewer:
    """Setups, timepoints and levels."""

    def test_setup(self, tmp_path: Path) -> None:
        """Timepoints are an axis; sizes are in the XML file."""
        data = save_bdv(tmp_path / "a.n5", setups=1)
        image = open_image(tmp_path / "a.n5")
        assert (image.axes, image.chunks) == (("time", "z", "y", "x"), (1, 2, 2, 3))
        assert dict(image.pixel_size) == {"x": (0.5, MICRONS), "y": (0.25, MICRONS), "z": (2.0, MICRONS)}
        check_copies_and_threads(image, data)
        coarse = open_image(tmp_path / "a.n5", level=1)
        assert coarse.pixel_size["x"] == (1.0, MICRONS)
        np.testing.assert_array_equal(pixels(coarse), data[..., ::2, ::2])

    def test_setups(self, tmp_path: Path) -> None:
        """Setups are scenes; paths lead to a timepoint, and to a level of it."""
        data = save_bdv(tmp_path / "a.n5", setups=2)
        np.testing.assert_array_equal(pixels(open_image(tmp_path / "a.n5", scene="setup1")), data + 1)
        image = open_image(tmp_path / "a.n5/setup0/timepoint1/s1")
        assert (image.axes, image.pixel_size["x"]) == (("z", "y", "x"), (1.0, MICRONS))
        np.testing.assert_array_equal(pixels(image), data[1, :, ::2, ::2])
        np.testing.assert_array_equal(pixels(open_image(tmp_path / "a.n5/setup1/timepoint2", level=1)), data[2, :, ::2, ::2] + 1)

    def test_other_sizes(self, tmp_path: Path) -> None:
        """A timepoint of another size is named."""
        save_bdv(tmp_path / "a.n5", setups=1)
        describe(tmp_path / "a.n5/setup0/timepoint1/s0", dimensions=[6, 4, 3])
        with pytest.raises(SourceError, match=r"timepoints of different kinds: expected \(2, 4, 6\) .* found \(3, 4, 6\)"):
            pixels(open_image(tmp_path / "a.n5"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset in blocks that do not divide it."""
    return save(tmp_path_factory.mktemp("n5") / "a.n5", VOLUME)


class TestRegions:
    """What is read of a dataset."""

    @given(regions(VOLUME.shape))
    def test_slices(self, written: Path, region: tuple[slice, ...]) -> None:
        """A region is the slice of numpy."""
        np.testing.assert_array_equal(open_image(written).read(region), VOLUME[region])

    def test_copies_and_threads(self, written: Path) -> None:
        """Other processes open the folder again."""
        check_copies_and_threads(open_image(written), VOLUME)

    def test_large(self, tmp_path: Path) -> None:
        """Of a dataset that declares 16 TB, a region reads its own blocks: another one is damaged, and this is not noticed."""
        save(tmp_path / "a.n5", np.full((4, 4), 7, np.uint16), blocks=(2, 2))
        describe(tmp_path / "a.n5", dimensions=[2**22, 2**21])
        (tmp_path / "a.n5" / "1" / "1").write_bytes(b"damaged")
        image = open_image(tmp_path / "a.n5")
        assert image.shape == (2**21, 2**22)
        assert (image.read((slice(0, 2), slice(0, 4))) == 7).all()
        assert not image.read((slice(2**20, 2**20 + 2), slice(0, 4))).any()
        with pytest.raises(SourceError, match=r"a\.n5 cannot be read"):
            image.read((slice(0, 3), slice(0, 4)))

    def test_lazy(self, written: Path, tmp_path: Path) -> None:
        """The library that reads the files is imported when one is opened, and not before."""
        np.save(tmp_path / "a.npy", VOLUME)
        for path, uses in ((tmp_path / "a.npy", False), (written, True)):
            assert imported_by(f"from bioimageio_core.io import open_image; open_image({str(path)!r})", "tensorstore") == uses


class TestDamaged:
    """One sentence for each."""

    def test_empty(self, tmp_path: Path) -> None:
        """A folder without images, a path to nothing, and a URL."""
        (tmp_path / "a.n5").mkdir()
        with pytest.raises(SourceError, match=r"holds no image: expected a folder with attributes\.json"):
            open_image(tmp_path / "a.n5")
        with pytest.raises(SourceError, match="does not exist"):
            open_image(tmp_path / "a.n5" / "raw")
        with pytest.raises(SourceError, match="download it first"):
            open_image("memory://a.n5")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "expected JSON"),
            ("[]", "expected a JSON object"),
            ('{"dimensions": 3, "dataType": "uint8"}', "expected sizes"),
            ('{"dimensions": [3, -3], "dataType": "uint8", "blockSize": [1, 1]}', "expected sizes"),
            ('{"dimensions": [3, 3], "dataType": "uint8", "blockSize": [1]}', "as many sizes"),
            ('{"dimensions": [3, 3], "dataType": "colour", "blockSize": [1, 1], "compression": {"type": "raw"}}', "cannot be read"),
            ('{"dimensions": [3, 3], "dataType": "uint8", "blockSize": [1, 1], "compression": {"type": "magic"}}', "cannot be read"),
            ('{"dimensions": [4294967296, 4294967296], "dataType": "uint8", "blockSize": [1, 1]}', "declares 1.84e"),
        ],
    )
    def test_attributes(self, tmp_path: Path, text: str, message: str) -> None:
        """Attributes that describe no dataset."""
        (tmp_path / "a.n5").mkdir()
        (tmp_path / "a.n5" / "attributes.json").write_text(text)
        with pytest.raises(SourceError, match=message) as raised:
            open_image(tmp_path / "a.n5")
        assert "\n" not in str(raised.value)

    def test_truncated(self, tmp_path: Path) -> None:
        """A block that is cut."""
        save(tmp_path / "a.n5", VOLUME)
        block = tmp_path / "a.n5" / "0" / "0" / "0"
        block.write_bytes(block.read_bytes()[:-8])
        with pytest.raises(SourceError, match=r"a\.n5 cannot be read") as raised:
            pixels(open_image(tmp_path / "a.n5"))
        assert "\n" not in str(raised.value)


class TestPredicting:
    """A dataset is the image of a prediction."""

    def test_path(self, tmp_path: Path) -> None:
        """By its path in the container."""
        pytest.importorskip("onnxruntime")
        (tmp_path / "model").mkdir()
        model = pointwise_model(tmp_path / "model", axes=("z", "y", "x"), gain=2.0)
        save(tmp_path / "x.n5" / "raw" / "s0", VOLUME, axes=["x", "y", "z"])
        save(tmp_path / "x.n5" / "raw" / "s1", VOLUME[:, ::2, ::2])
        result = bc.predict(model, f"{tmp_path}/x.n5/raw")
        np.testing.assert_array_equal(np.asarray(result["out"]).squeeze(), VOLUME * 2.0)


def test_info_of_an_empty_folder(tmp_path: Path) -> None:
    """There is no image, which one sentence says."""
    (tmp_path / "a.n5").mkdir()
    with pytest.raises(SourceError, match="holds no image"):
        bc.image_card(tmp_path / "a.n5")
