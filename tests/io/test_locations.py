"""Folders of locations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from made_models import pointwise_model
from zarr.storage import ZipStore

import bioimageio_core as bc
from bioimageio_core.io.locations import join, parent


@pytest.mark.parametrize(
    ("location", "folder"),
    [
        ("/a/b", "/a"),
        ("/a/", "/"),
        ("/", None),
        ("a/b/", "a"),
        ("a", "."),
        ("file:///a/b", "file:///a"),
        ("s3://bucket/a", "s3://bucket"),
        ("s3://bucket", None),
        ("memory://a/b", "memory://a"),
        ("zip://a/b::/x/y.zip", "zip://a::/x/y.zip"),
        ("zip://a::s3://bucket/y.zip", "zip://::s3://bucket/y.zip"),
        ("zip://::/x/y.zip", None),
        ("simplecache::s3://bucket/a/b", "simplecache::s3://bucket/a"),
        ("simplecache::s3://bucket", None),
    ],
)
def test_parent(location: str, folder: str | None) -> None:
    """Paths, URLs, archives and caches; none at the top."""
    assert parent(location) == folder
    if folder is not None:
        assert parent(join(folder, "name")) == folder


def test_array_at_the_top_of_an_archive(tmp_path: Path) -> None:
    """It has no folder that could hold other levels, so that an output is written beside it, and again."""
    image = np.ones((9, 8), np.float32)
    with ZipStore(tmp_path / "a.zip", mode="w") as store:
        zarr.create_array(store, data=image)
    (tmp_path / "model").mkdir()
    array: Any = zarr.open_array(ZipStore(tmp_path / "a.zip", mode="r"))
    for overwrite in (False, True):
        found = bc.predict(pointwise_model(tmp_path / "model", gain=2.0), array, tmp_path / "o.zarr", axes="yx", overwrite=overwrite)
        np.testing.assert_array_equal(np.asarray(found["out"])[0, 0], image * 2)
