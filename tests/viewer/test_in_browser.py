"""What a browser shows of images and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from large_image import SQUARE, write_large
from ome_images import POSITION, SIZE, write_image

import bioimageio_core as bc
from bioimageio_core.io.writing.label_metadata import label_colour
from bioimageio_core.prediction.output.result import LabelledArray
from bioimageio_core.viewing.layers import layers_of
from bioimageio_core.viewing.neuroglancer_viewer import view_in_neuroglancer

pytest.importorskip("neuroglancer")
BEGIN = POSITION[0] / SIZE[0], POSITION[1] / SIZE[1]
"""Where the first pixel of an image of `write_image` begins along y and x, counted in its pixels."""

ALPHA = 0.5
"""Opacity of labels."""


def labels_with_colours(path: Path, labels: np.ndarray) -> Path:
    """Write an image of zeros with labels in the colours that results have."""
    import zarr

    write_image(path, np.zeros(labels.shape, np.uint8), "0.5")
    zarr.create_group(str(path / "labels"), attributes={"ome": {"version": "0.5", "labels": ["cells"]}})
    write_image(path / "labels" / "cells", labels, "0.5")
    group = zarr.open_group(str(path / "labels" / "cells"), mode="a")
    colours = [{"label-value": n, "rgba": list(label_colour(n))} for n in range(1, int(labels.max()) + 1)]
    group.attrs["ome"] = {**group.attrs["ome"], "image-label": {"version": "0.5", "colors": colours}}
    return path


def over_black(number: int) -> np.ndarray:
    """Return the colour of a label over a black image."""
    return np.array(label_colour(number)[:3]) * ALPHA


def near(found: Any, expected: Any) -> bool:
    return bool(np.abs(np.asarray(found, float) - expected).max() <= 3)


class TestLabels:
    """Labels over their image."""

    def test_colours_before_and_after_zoom(self, page: Any, tmp_path: Path) -> None:
        """Each has the colour of its file, wherever it is seen; what is no object is black. The page asks for nothing elsewhere."""
        labels = np.zeros((120, 160), np.uint16)
        labels[20:40, 30:60], labels[70:110, 100:140] = 1, 7
        with bc.view(labels_with_colours(tmp_path / "cells.zarr", labels), open_browser=False) as shown:
            page.open(shown.url)
            for state in (
                {},
                {"crossSectionScale": 0.1, "position": [BEGIN[1] + 50, BEGIN[0] + 40, 0.5]},
                {"crossSectionScale": 0.02, "position": [BEGIN[1] + 100, BEGIN[0] + 70, 0.5]},
            ):
                page.change(**state)
                places = [(y, x) for y, x in [(30, 45), (39.2, 52.5), (41, 52), (71, 101), (69, 101)] if visible(page, y, x)]
                assert places
                for y, x in places:
                    number = int(labels[int(y), int(x)])
                    found = page.pixel(BEGIN[0] + y, BEGIN[1] + x)
                    assert near(found, over_black(number) if number else 0), (state, y, x)
        assert not page.outside()
        assert not page.errors

    def test_large(self, page: Any, tmp_path: Path) -> None:
        """Labels of 20,480 x 20,480 pixels: the same colours from afar and near, read from the level for each."""
        with bc.view(write_large(tmp_path / "large.zarr", levels=5), open_browser=False) as shown:
            page.open(shown.url)
            centres = [(n + 0.5) * SQUARE for n in (2, 9, 17)]
            far = [page.pixel(at, at) for at in centres]
            assert len(set(far)) == 3
            for at, colour in zip(centres, far, strict=True):
                page.change(crossSectionScale=0.5, position=[at, at, 0.5])
                assert near(page.pixel(at, at), colour)
                assert near(page.pixel(at, at + 100), colour)
            factors = {url.split("/neuroglancer/raw/")[1].split("/")[1] for url in page.asked if "/neuroglancer/raw/" in url}
        assert {"1,1,1", "16,16,16"} <= factors
        assert not page.outside()

    def test_table(self, page: Any) -> None:
        """Rows of the table are listed with their numbers."""
        labels = np.kron(np.array([[1, 2], [0, 3]]), np.ones((30, 30), int)).astype(np.uint8)
        table = {"id": np.array([1, 2, 3]), "pixels": np.array([900, 901, 902]), "name": np.array(["one", "two", "three"], object)}
        with bc.view(labels=LabelledArray(labels, ("y", "x")), table=table, open_browser=False) as shown:
            page.open(shown.url)
            text = page.text()
        assert "3 total ids" in text.replace("listed", "total")
        for shown_text in ("pixels", "900", "901", "902", "one", "three"):
            assert shown_text in text

    def test_surface(self, page: Any) -> None:
        """An object of a volume that is selected has a surface, in its colour."""
        volume = np.zeros((30, 40, 40), np.uint16)
        volume[5:25, 8:32, 8:32] = 3
        (layer,) = layers_of(labels=LabelledArray(volume, ("z", "y", "x")))
        with view_in_neuroglancer([attrs.evolve(layer, colours={3: (255, 0, 0)})]) as shown:
            page.open(shown.url)
            page.change(layout="3d", showSlices=False)
            height, width = page.pixels().shape[:2]
            assert not page.pixels()[height // 2, width // 2].any()
            page.change(layers=[{**one, "segments": ["3"]} for one in page.state()["layers"]])
            red, green, blue = (int(part) for part in page.pixels()[height // 2, width // 2])
        assert red > 80
        assert green == blue == 0


class TestImages:
    """Grey values."""

    def test_contrast(self, page: Any) -> None:
        """The percentiles are black and white."""
        pixels = np.full((100, 200), 1000, np.uint16)
        pixels[:, 100:] = 3000
        with bc.view(pixels, axes="yx", open_browser=False) as shown:
            page.open(shown.url)
            assert near(page.pixel(50, 50), 0)
            assert near(page.pixel(50, 150), 255)

    def test_channels(self, page: Any) -> None:
        """Each has its colour, and they add up."""
        pixels = np.zeros((2, 100, 90), np.float32)
        pixels[0, :, :60], pixels[1, :, 30:] = 1, 1
        with bc.view(pixels, axes="cyx", open_browser=False) as shown:
            page.open(shown.url)
            assert [page.pixel(50, x) for x in (15, 45, 75)] == [(0, 255, 0), (255, 255, 255), (255, 0, 255)]

    def test_volume_and_time(self, page: Any) -> None:
        """Planes and time points are those of the position."""
        pixels = np.zeros((2, 3, 40, 50), np.uint8)
        pixels[1, 2] = 200
        with bc.view(pixels, axes="tzyx", open_browser=False) as shown:
            page.open(shown.url)
            page.change(layout="xy", position=[25, 20, 2.5, 0.5])
            assert near(page.pixel(20, 20), 0)
            page.change(position=[25, 20, 2.5, 1.5])
            assert near(page.pixel(20, 20), 255)
            page.change(position=[25, 20, 1.5, 1.5])
            assert near(page.pixel(20, 20), 0)

    def test_output_over_image(self, page: Any) -> None:
        """The image is seen where the output is 0."""
        grey = np.zeros((60, 90), np.uint8)
        grey[:, 30:] = 255
        found = np.zeros((60, 90), np.float32)
        found[:, 60:] = 1
        with bc.view(grey, LabelledArray(found, ("y", "x")), axes="yx", open_browser=False) as shown:
            page.open(shown.url)
            black, white, coloured = (page.pixel(30, x) for x in (15, 45, 75))
        assert near(black, 0)
        assert near(white, 255)
        assert coloured[0] > 240 > coloured[1] + 100


def visible(page: Any, y: float, x: float) -> bool:
    """Return whether a pixel of an image of `write_image` is within the page, and not under its controls."""
    state = page.state()
    zoom = state.get("crossSectionScale", 1)
    across, down = x + BEGIN[1] - state["position"][0], 2 * (y + BEGIN[0] - state["position"][1])  # pixels are twice as high as wide
    return bool(abs(across) / zoom < 500 and abs(down) / zoom < 300)
