"""The pictures of objects in the documentation show what was predicted."""

from __future__ import annotations

import base64
import io
import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[3] / "docs" / "draw_objects.py"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pictures by name."""
    folder = tmp_path_factory.mktemp("pictures")
    runpy.run_path(str(SCRIPT))["main"](folder)
    return {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.svg")}


def panels(picture: str) -> list[np.ndarray[Any, Any]]:
    """Return the pixels of the panels, with axes y, x, rgb."""
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    data = re.findall(r'href="data:image/png;base64,([^"]+)"', picture)
    return [np.asarray(image.open(io.BytesIO(base64.b64decode(one)))).astype(int) for one in data]


class TestPictures:
    """docs/draw_objects.py."""

    def test_panels(self, pictures: dict[str, str]) -> None:
        """The image is grey, and the objects in it are coloured where it is bright, on as many pixels as nuclei have."""
        grey, coloured = panels(pictures["objects"])
        assert grey.shape == coloured.shape == (240, 240, 3)
        assert np.ptp(grey, axis=2).max() == 0
        inside = np.ptp(coloured, axis=2) > 8
        np.testing.assert_array_equal(coloured[~inside], grey[~inside])
        assert grey[inside].mean() > 2 * grey[~inside].mean()
        assert 0.1 < inside.mean() < 0.4
        assert "20 µm</text>" in pictures["objects"]

    def test_areas(self, pictures: dict[str, str]) -> None:
        """Bars end at the numbers of objects that their heights stand for: hundreds of nuclei, most of 20 to 60 square micrometres."""
        picture = pictures["objects_areas"]
        bars = [float(height) for height in re.findall(r'height="([0-9.]+)" fill="#2f6f9f"', picture)]
        tallest = max(int(text) for text in re.findall(r'text-anchor="end" font-size="14">(\d+)<', picture))
        numbers = np.array(bars) * tallest / 240
        np.testing.assert_allclose(numbers, np.rint(numbers), atol=0.1)
        assert 700 < numbers.sum() < 1000
        assert numbers[2:6].sum() > numbers.sum() / 2
