"""Pictures of predictions, as Pillow reads them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from made_models import box_model, pointwise_model
from numpy.typing import NDArray
from PIL import Image

import bioimageio_core as bc
from bioimageio_core.errors import InputError
from bioimageio_core.report.pictures.letters import CAPTION, GLYPHS, with_caption, written
from bioimageio_core.report.pictures.prediction_picture import MOST_SHOWN
from bioimageio_core.report.pictures.scale_bar import draw_scale_bar, round_length
from bioimageio_core.report.pictures.shown_image import Follows
from bioimageio_core.report.pictures.shown_planes import PlaneSource

DARK, BRIGHT = (8, 4, 32), (250, 250, 170)
"""Colours of 0 and 1."""


def picture(prediction: bc.Prediction) -> NDArray[np.uint8]:
    """Return the pixels of the picture, without the names above its panels."""
    return whole_picture(prediction)[CAPTION:]


def whole_picture(prediction: bc.Prediction) -> NDArray[np.uint8]:
    """Return the pixels of the picture."""
    return np.asarray(Image.open(io.BytesIO(bc.prediction_picture(prediction))))


class CountedArray:
    """An image that counts the pixels that are read."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array, self.shape, self.dtype, self.read = array, array.shape, array.dtype, 0

    def __getitem__(self, index: Any) -> NDArray[Any]:
        self.read += self.array[index].size
        return self.array[index]


class TestNames:
    """What is above the panels."""

    def test_ids(self, tmp_path: Path) -> None:
        """The ids of the tensors in black on white, over the left edges of their panels, with channels where there are several."""
        model = pointwise_model(tmp_path, names=("r", "g", "b"), gain=[0.0, 1.0, 0.0])
        found = whole_picture(bc.predict(model, np.zeros((3, 32, 32), np.uint8), axes="cyx"))[:CAPTION]
        for number, name in enumerate(("raw", "out r", "out g")):
            ink = written(name).repeat(2, axis=0).repeat(2, axis=1)
            shown = found[3 : 3 + 14, 326 * number : 326 * number + 320]
            np.testing.assert_array_equal(shown[:, : ink.shape[1]], np.where(ink, 0, 255)[..., None].repeat(3, axis=2))
            np.testing.assert_array_equal(shown[:, ink.shape[1] :], 255)

    @given(st.text(max_size=30), st.integers(1, 200))
    def test_law(self, text: str, width: int) -> None:
        """Any name fits over any panel, which stays as it is."""
        panel = np.zeros((2, width, 3), np.uint8)
        found = with_caption(panel, text)
        assert found.shape == (CAPTION + 2, width, 3)
        np.testing.assert_array_equal(found[CAPTION:], panel)

    def test_letters(self) -> None:
        """All differ, apart from the digit 0 and the letter O."""
        assert len({*GLYPHS.values()}) == len(GLYPHS) - 1


class TestPanels:
    """What is where in a picture."""

    def test_small_image(self, tmp_path: Path) -> None:
        """Each pixel is enlarged; the image is grey between its percentiles, a map of 0 to 1 has the colours of 0 and 1."""
        image = np.zeros((16, 20), np.float32)
        image[:8] = 1.0
        found = picture(bc.predict(pointwise_model(tmp_path), image, axes="yx"))
        assert found.shape == (256, 320 + 6 + 320, 3)  # 16 times as large, and a gap
        np.testing.assert_array_equal(found[:128, :320], 255)
        np.testing.assert_array_equal(found[128:, :320], 0)
        np.testing.assert_array_equal(found[:, 320:326], 255)
        assert {tuple(c) for c in found[:128, 326:].reshape(-1, 3)} == {BRIGHT}
        assert {tuple(c) for c in found[128:, 326:].reshape(-1, 3)} == {DARK}

    def test_fits(self, tmp_path: Path) -> None:
        """Pictures are 1024 x 1024 pixels at most, with means of the pixels of the image."""
        for shape in ((3000, 200), (200, 3000), (1500, 1500)):
            image = np.indices(shape).sum(0).astype(np.float32) % 2
            found = whole_picture(bc.predict(pointwise_model(tmp_path), image, axes="yx"))
            assert max(found.shape[:2]) <= 1024
            assert max(found.shape[:2]) > 1000
        assert abs(int(np.median(found[:, 600:, 0])) - (140 + 211) // 2) < 3  # the colour of 0.5, between the third and fourth of six

    def test_middle_of_z_and_first_time(self, tmp_path: Path) -> None:
        """Other positions are not shown."""
        image = np.zeros((3, 5, 16, 16), np.float32)
        image[0, 2, :8] = 1.0
        found = picture(bc.predict(pointwise_model(tmp_path), image, axes="tzyx"))
        assert tuple(found[0, -1]) == BRIGHT
        assert tuple(found[-1, -1]) == DARK

    def test_region_of_interest(self, tmp_path: Path) -> None:
        """The image is shown where it was predicted."""
        image = np.zeros((5, 40, 60), np.float32)
        image[3, 10:20, 30:40] = 1.0
        prediction = bc.predict(pointwise_model(tmp_path), image, axes="zyx", roi={"z": (3, 4), "y": (10, 20), "x": (20, 40)})
        found = picture(prediction)
        assert found.shape == (160, 326 + 320, 3)
        np.testing.assert_array_equal(found[:, 160:320], 255)
        np.testing.assert_array_equal(found[:, :160], 0)
        assert tuple(found[0, 326 + 159]) == DARK
        assert tuple(found[0, 326 + 160]) == BRIGHT

    def test_channels(self, tmp_path: Path) -> None:
        """Three channels of an image are colours; two channels of an output are shown."""
        image = np.zeros((3, 32, 32), np.uint8)
        image[0] = 200
        model = pointwise_model(tmp_path, names=("r", "g", "b"), gain=[0.0, 1.0, 0.0])
        found = picture(bc.predict(model, image, axes="cyx"))
        assert found.shape == (320, 320 * 3 + 12, 3)
        assert {tuple(c) for c in found[:, :320].reshape(-1, 3)} == {(255, 0, 0)}

    def test_stored_as_integers(self, tmp_path: Path) -> None:
        """Integers that stand for floats have the colours of these."""
        image = np.full((16, 16), 0.5, np.float32)
        image[:8] = 1.0
        found = picture(bc.predict(pointwise_model(tmp_path), image, axes="yx", dtype="uint8"))
        assert tuple(found[0, -1]) == BRIGHT
        assert np.allclose(found[-1, -1].astype(int), [(140 + 211) / 2, (34 + 70) / 2, (106 + 66) / 2], atol=2)

    def test_labels(self, tmp_path: Path) -> None:
        """Labels are tinted and outlined over the image."""
        image = np.zeros((32, 32), np.uint8)
        image[8:16, 8:16] = 1
        model = pointwise_model(tmp_path, out_dtype="uint8", post=[{"id": "ensure_dtype", "kwargs": {"dtype": "uint8"}}])
        found = picture(bc.predict(model, image, axes="yx"))
        right = found[:, 326:]
        np.testing.assert_array_equal(right[:80], 0)  # background, as in the image
        assert tuple(right[80, 80]) == (255, 176, 0)  # outline of label 1
        inside = right[120, 120].astype(float)
        np.testing.assert_allclose(inside, 0.65 * 255 + 0.35 * np.array([255, 176, 0]), atol=1)

    def test_valid_convolution(self, tmp_path: Path) -> None:
        """An output that lacks the border of the image stands for the rest of it."""
        image_span = Follows(shift=-3.0).image_span(94, 100)
        assert image_span == (3, 97)
        assert Follows(shift=-3.0).output_span(image_span, 94) == (0, 94)
        assert Follows(scale=0.5).image_span(50, 99) == (0, 99)
        assert Follows(scale=2.0, shift=-20).output_span((10, 15), 10) == (0, 10)
        # Half the size, then 3 pixels of that cropped: pixel 20 of the image is pixel 7.
        assert Follows(scale=0.5).then(Follows(shift=-3)).output_span((20, 24), 50) == (7, 9)

    def test_chain(self, tmp_path: Path) -> None:
        """Of a chain of models the image of the user is shown, where the last output is."""
        for name, gain in (("double", 2.0), ("quarter", 0.25)):
            (tmp_path / name).mkdir()
            pointwise_model(tmp_path / name, gain=gain)
        image = np.zeros((40, 60), np.float32)
        image[:, 30:] = 2.0
        models = [tmp_path / "double", tmp_path / "quarter"]
        found = picture(bc.predict(models, image, axes="yx", roi={"y": (0, 20), "x": (20, 40)}))
        assert found.shape == (320, 646, 3)
        np.testing.assert_array_equal(found[:, :160], 0)
        np.testing.assert_array_equal(found[:, 160:320], 255)
        assert tuple(found[0, 326 + 159]) == DARK
        assert tuple(found[0, 326 + 160]) == BRIGHT


class TestReading:
    """How much of an image is read."""

    def test_large_image(self, tmp_path: Path) -> None:
        """Of a large image the middle is read, once, and nothing of other planes."""
        image = CountedArray(np.broadcast_to(np.float32(0.5), (3, 4500, 6000)))
        with bc.open_predictor(box_model(tmp_path, {"min": 8, "step": 4})) as predictor:
            prediction = predictor.predict(image, axes="zyx", roi={"z": (1, 2)})
        image.read = 0
        found = picture(prediction)
        assert image.read == MOST_SHOWN * MOST_SHOWN
        assert max(found.shape[:2]) <= 1024

    def test_cells(self) -> None:
        """Cells are means, also the last ones, whatever bands are read; those of ids are their first pixels."""
        array = np.arange(7 * 9).reshape(1, 7, 9)

        def read(start: Any, stop: Any) -> NDArray[Any]:
            return array[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]

        spans = {"y": (0, 7), "x": (0, 9)}
        source = PlaneSource(axes=("batch", "y", "x"), shape=(1, 7, 9), read=read)
        np.testing.assert_array_equal(source.plane(spans, (3, 4))[0, 0], np.mean([0, 1, 9, 10]))
        np.testing.assert_array_equal(source.plane(spans, (7, 9)), array[0])
        ids = PlaneSource(axes=("batch", "y", "x"), shape=(1, 7, 9), read=read, nearest=True)
        assert set(ids.plane(spans, (3, 4)).ravel()) <= set(array[0, ::2, ::2].ravel())

    def test_refused(self, tmp_path: Path) -> None:
        """A prediction without a plan has no image."""
        prediction = bc.Prediction({}, plan=None, statistics={}, times={}, nan_counts={})
        with pytest.raises(InputError, match="needs its plan"):
            bc.prediction_picture(prediction)


class TestScaleBar:
    """Lengths and where they are drawn."""

    @pytest.mark.parametrize(
        ("most", "length", "name"),
        [
            (99.9e-6, 50e-6, "50 µm"),
            (100e-6, 100e-6, "100 µm"),
            (0.7e-6, 500e-9, "500 nm"),
            (1.0e-6, 1e-6, "1 µm"),
            (2.5e-3, 2e-3, "2 mm"),
            (0.03, 0.02, "20 mm"),
            (4.99e-9, 2e-9, "2 nm"),
            (6000.0, 5000.0, "5 km"),
        ],
    )
    def test_round(self, most: float, length: float, name: str) -> None:
        """1, 2 or 5 times a power of ten."""
        assert round_length(most) == (pytest.approx(length), name)

    def test_drawn(self) -> None:
        """The bar has its length, at the lower right."""
        panel = np.full((200, 300, 3), 100, np.uint8)
        drawn = draw_scale_bar(panel, 0.5e-6)  # 90 pixels are 45 µm at most: 20 µm are 40 pixels
        rows = np.flatnonzero((drawn[..., 0] == 255).sum(axis=1) == 40)
        assert list(rows) == [192, 193]
        assert list(np.flatnonzero(drawn[193, :, 0] == 255)) == list(range(254, 294))
        np.testing.assert_array_equal(drawn[:170], 100)
        np.testing.assert_array_equal(panel, 100)

    def test_not_drawn(self) -> None:
        """Not in small panels, nor for sizes of no microscope."""
        small, panel = np.zeros((40, 300, 3), np.uint8), np.zeros((200, 300, 3), np.uint8)
        assert not draw_scale_bar(small, 1e-6).any()
        assert not draw_scale_bar(panel, 1e-30).any()
        assert not draw_scale_bar(panel, 1e9).any()

    def test_in_picture(self, tmp_path: Path) -> None:
        """It counts enlarged pixels: of 20 pixels of 0.5 µm, 3 µm are 6 pixels, so that 2 µm are drawn, 64 pixels of the picture."""
        path = tmp_path / "a.ome.tif"
        sizes = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"}
        image = np.zeros((20, 20), np.float32)
        tifffile.imwrite(path, image, photometric="minisblack", metadata={"axes": "YX", **sizes})
        found = picture(bc.predict(pointwise_model(tmp_path), path))[:, :320, 0]
        assert (found == 255).sum(axis=1).max() == 64
