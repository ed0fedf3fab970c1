"""Pixel sizes and positions from the transformations of OME-Zarr."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from bioimageio_core.io import open_image
from bioimageio_core.io.reading.ome_zarr import composed

SCALES = {"none": [], "identity": [{"type": "identity"}], "scale": [{"type": "scale", "scale": [2.0, 4.0]}]}
SHIFT = [{"type": "translation", "translation": [10.0, 100.0]}]
OF_MULTISCALE = [{"type": "scale", "scale": [3.0, 5.0]}]
SHIFT_OF_MULTISCALE = [{"type": "translation", "translation": [7.0, 70.0]}]


def numbers(count: int) -> st.SearchStrategy[list[float]]:
    """Numbers whose products are exact."""
    return st.lists(st.integers(-64, 64).map(float), min_size=count, max_size=count)


TRANSFORMATIONS = st.lists(
    st.one_of(
        st.just({"type": "identity"}),
        numbers(3).map(lambda values: {"type": "scale", "scale": values}),
        numbers(3).map(lambda values: {"type": "translation", "translation": values}),
    ),
    max_size=3,
)


def write_image(path: Path, dataset: Any, multiscale: Any, axes: Any = None) -> Path:
    """Write an image of 20 x 30 pixels with the given transformations."""
    group = zarr.create_group(str(path), zarr_format=2)
    group.create_array("0", data=np.zeros((20, 30), "uint8"), chunks=(20, 30))
    axes = axes or [{"name": a, "type": "space", "unit": "micrometer"} for a in "yx"]
    written = {"version": "0.4", "axes": axes, "datasets": [{"path": "0", **({"coordinateTransformations": dataset} if dataset else {})}]}
    if multiscale:
        written["coordinateTransformations"] = multiscale
    (path / ".zattrs").write_text(json.dumps({"multiscales": [written]}))
    return path


class TestComposition:
    """Transformations of a dataset are applied first, then those of the multiscale."""

    @pytest.mark.parametrize(
        ("dataset", "shifted", "multiscale", "shifted_again"), list(itertools.product(SCALES, (False, True), (False, True), (False, True)))
    )
    def test_every_combination(self, tmp_path: Path, dataset: str, shifted: bool, multiscale: bool, shifted_again: bool) -> None:
        """Expected numbers are computed by hand: sizes multiply, and the first translation is scaled by the second scale."""
        own = [*SCALES[dataset], *(SHIFT if shifted else [])]
        more = [*(OF_MULTISCALE if multiscale else []), *(SHIFT_OF_MULTISCALE if shifted_again else [])]
        image = open_image(write_image(tmp_path / "a.zarr", own, more))
        if not own and not more:
            assert dict(image.pixel_size) == dict(image.position) == {}
            return
        y, x = (2.0, 4.0) if dataset == "scale" else (1.0, 1.0)
        y_at, x_at = (10.0, 100.0) if shifted else (0.0, 0.0)
        if multiscale:
            y, x, y_at, x_at = y * 3, x * 5, y_at * 3, x_at * 5
        if shifted_again:
            y_at, x_at = y_at + 7, x_at + 70
        assert dict(image.pixel_size) == {"y": (y, "micrometer"), "x": (x, "micrometer")}
        assert dict(image.position) == {"y": y_at, "x": x_at}

    @given(first=TRANSFORMATIONS, second=TRANSFORMATIONS, index=numbers(3))
    def test_one_after_the_other(self, first: list[dict[str, Any]], second: list[dict[str, Any]], index: list[float]) -> None:
        """Law: size * index + position is the point that all transformations, applied one by one, move the index to."""
        point = index
        for transformation in (*first, *second):
            if transformation["type"] == "scale":
                point = [p * s for p, s in zip(point, transformation["scale"], strict=True)]
            elif transformation["type"] == "translation":
                point = [p + t for p, t in zip(point, transformation["translation"], strict=True)]
        found = composed([*first, *second], 3)
        if not (first or second):
            assert found is None
        else:
            assert found is not None
            assert [s * i + t for s, i, t in zip(found.scale, index, found.shift, strict=True)] == point

    @pytest.mark.parametrize(
        "unknown",
        [
            {"type": "affine", "affine": [[1, 0, 0], [0, 1, 0]]},
            {"type": "scale", "scale": [2.0]},
            {"type": "scale", "scale": ["a", "b"]},
            {"type": "scale", "path": "scale"},
            {"type": "translation"},
        ],
    )
    def test_not_understood(self, tmp_path: Path, unknown: dict[str, Any]) -> None:
        """A transformation that cannot be composed leaves sizes and positions unknown, instead of those of the rest."""
        image = open_image(write_image(tmp_path / "a.zarr", SCALES["scale"], [unknown]))
        assert dict(image.pixel_size) == dict(image.position) == {}


class TestAxes:
    """Axes of OME-Zarr."""

    def test_words_and_types(self, tmp_path: Path) -> None:
        """Words of the field are understood, with their pixel sizes."""
        axes = [{"name": "row", "type": "space", "unit": "angstrom"}, {"name": "Col", "type": "space"}]
        image = open_image(write_image(tmp_path / "a.zarr", SCALES["scale"], None, axes))
        assert image.axes == ("y", "x")
        assert dict(image.pixel_size) == {"y": (2.0, "angstrom"), "x": (4.0, None)}

    def test_type_of_any_name(self, tmp_path: Path) -> None:
        """The type names axes of time and channels; channels have neither size nor position."""
        axes = [{"name": "lap", "type": "time", "unit": "min"}, {"name": "dye", "type": "channel"}]
        image = open_image(write_image(tmp_path / "a.zarr", [*SCALES["scale"], *SHIFT], None, axes))
        assert image.axes == ("time", "channel")
        assert (dict(image.pixel_size), dict(image.position)) == ({"time": (2.0, "minute")}, {"time": 10.0})


class TestOddSizes:
    """Pixel sizes that cannot be."""

    @pytest.mark.parametrize("size", [0.0, -0.5, float("nan"), float("inf")])
    def test_count_as_not_known(self, tmp_path: Path, size: float) -> None:
        """Sizes are known along the other axis only."""
        image = open_image(write_image(tmp_path / "a.zarr", [{"type": "scale", "scale": [0.5, size]}], None))
        assert dict(image.pixel_size) == {"y": (0.5, "micrometer")}
