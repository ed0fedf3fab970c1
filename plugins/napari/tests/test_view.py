"""``bc.view(..., napari=True)``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr
from ome_images import POSITION, SIZE, write_image

import bioimageio_core as bc
from bioimageio_core.io.writing.label_metadata import label_colour

LABELS = np.kron(np.array([[1, 2], [0, 3]]), np.ones((30, 40), int)).astype(np.uint16)


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    """An image with labels in colours."""
    path = write_image(tmp_path / "cells.zarr", LABELS.astype(np.float32), "0.5")
    zarr.create_group(str(path / "labels"), attributes={"ome": {"version": "0.5", "labels": ["nuclei"]}})
    write_image(path / "labels" / "nuclei", LABELS, "0.5")
    group = zarr.open_group(str(path / "labels" / "nuclei"), mode="a")
    colours = [{"label-value": n, "rgba": list(label_colour(n))} for n in (1, 2)]
    group.attrs["ome"] = {**dict(group.attrs["ome"]), "image-label": {"version": "0.5", "colors": colours}}
    return path


def test_layers(cells: Path, qtbot: object) -> None:
    """The image and its labels, with scale, position, colours and table."""
    table = {"id": np.array([1, 2, 3]), "pixels": np.array([1200, 1201, 1202])}
    viewer = bc.view(cells, table=table, napari=True)
    try:
        image, labels = viewer.layers
        assert (image.name, labels.name) == ("cells", "nuclei")
        for layer in (image, labels):
            np.testing.assert_allclose(layer.scale, SIZE)
            np.testing.assert_allclose(layer.translate, POSITION)
            np.testing.assert_array_equal(np.asarray(layer.data), LABELS)
        np.testing.assert_allclose(labels.get_color(1), np.array(label_colour(1)) / 255, atol=1e-6)
        assert list(labels.features["pixels"]) == [1200, 1201, 1202]
        assert labels.features["index"].tolist() == [1, 2, 3]
    finally:
        viewer.close()
