"""A large image with labels in a window of napari: memory, what is read, and what is seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from large_image import GAIN, SIZE, SQUARE, write_large
from made_models import box_model
from scipy import ndimage

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory of a process is read as Linux has it")

SCRIPT = Path(__file__).with_name("large_image_session.py")
VIEWS = ((0, 0), (0.2, 5), (4, 17), (1, 9))
"""Pixels of the screen for a pixel of the image, and the number of the square in the middle; 0 shows all."""


@pytest.mark.parametrize("levels", [5, 1])
def test_large_image(tmp_path: Path, levels: int) -> None:
    """An image of 800 MB with labels of 1.6 GB is seen at any magnification, and what is visible is predicted, in 400 MB,
    also without coarser levels. With them, no pixels of full resolution are read but those that are visible: all others are damaged.
    """
    image = write_large(tmp_path / "large.zarr", levels=levels)
    zarr.open_group(str(image), mode="a").attrs["bioimageio_core"] = {}  # as on results, which the plugin opens
    if levels > 1:
        for finest in (image / "0", image / "labels" / "cells" / "0"):
            damage(finest, kept=(17, 9))
    (tmp_path / "model").mkdir()
    model = box_model(tmp_path / "model", {"min": 16, "step": 1})
    command = [sys.executable, str(SCRIPT), str(image), str(model), json.dumps(VIEWS), str(tmp_path / "seen.npz")]
    found_as_here = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, env=found_as_here, check=False)
    assert ended.returncode == 0, ended.stderr
    seen = np.load(tmp_path / "seen.npz")
    assert seen["grown"] < 400 * 10**6, f"{seen['grown'] // 10**6} MB"
    assert seen["levels"].tolist() == [[4, 4], [2, 2], [0, 0], [0, 0]]
    for number in range(len(VIEWS)):
        check_view(seen, number)
    assert seen["status"] == "done: large out"
    assert seen["output"].shape == (SQUARE, SQUARE)
    np.testing.assert_array_equal(seen["at"], 9 * SQUARE)
    expected = ndimage.uniform_filter(np.full((SQUARE, SQUARE), 10.0 * GAIN), 3)
    np.testing.assert_allclose(seen["output"], expected, rtol=1e-5)


def damage(array: Path, kept: Sequence[int]) -> None:
    """Damage all chunks of an array, also those that are not stored, but for those of some squares on the diagonal."""
    squares = range(SIZE // SQUARE)
    for y, x in product(squares, squares):
        if y != x or y not in kept:
            chunk = array / "c" / str(y) / str(x)
            chunk.parent.mkdir(parents=True, exist_ok=True)
            chunk.write_bytes(b"damaged")


def check_view(seen: Mapping[str, Any], number: int) -> None:
    """Compare what the canvas shows with labels over grey values, apart from edges of squares."""
    shot = seen[f"shot{number}"].astype(float)
    y, x, zoom = seen[f"place{number}"]
    (rows, from_edge), (columns, from_other) = (squares_along(n, middle, zoom) for n, middle in zip(shot.shape[:2], (y, x), strict=True))
    margin = 4 / zoom + 4
    inside = (from_edge > margin)[:, None] & (from_other > margin)[None]
    on_diagonal = (rows[:, None] == columns[None]) & (rows >= 0)[:, None] & (rows < SIZE // SQUARE)[:, None]
    low, high = seen["limits"]
    numbers = np.arange(1, SIZE // SQUARE + 1)
    grey = np.clip((numbers * GAIN - low) / (high - low), 0, 1)
    expected = 255 * (grey[:, None] * (1 - seen["opacity"]) + seen["colours"] * seen["opacity"])
    assert (inside & on_diagonal).any()
    for square in np.unique(rows[np.flatnonzero((inside & on_diagonal).any(axis=1))]):
        shown = shot[inside & on_diagonal & (rows == square)[:, None]]
        assert np.abs(shown - expected[square]).max() <= 3, (number, square, shown[0], expected[square])
    assert shot[inside & ~on_diagonal].max(initial=0) <= 3


def squares_along(size: int, middle: float, zoom: float) -> tuple[np.ndarray, np.ndarray]:
    """Return, for pixels of the screen along an axis, the number of the square and how far its edge is, in pixels of the image."""
    position = middle + (np.arange(size) + 0.5 - size / 2) / zoom
    inside = position % SQUARE
    return np.floor(position / SQUARE).astype(int), np.minimum(inside, SQUARE - inside)
