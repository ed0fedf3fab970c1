"""Stores that are gone while an image is read: an error, not an image of fill values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import zarr
from made_models import pointwise_model
from zarr.storage import FsspecStore, WrapperStore

import bioimageio_core as bc
from bioimageio_core.errors import SourceError
from bioimageio_core.io import open_image

IMAGE = np.arange(1, 101, dtype=np.float32).reshape(10, 10)
ALL = (slice(0, 10), slice(0, 10))


class BrokenMount(WrapperStore[Any]):
    """A store that finds nothing any more, once it is broken; like a folder of a mount that is gone."""

    broken = False

    async def get(self, *args: Any, **options: Any) -> Any:
        return None if type(self).broken else await super().get(*args, **options)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """An image without its last chunk, whose pixels are the fill value."""
    array = zarr.create_array(str(tmp_path / "x.zarr"), shape=(10, 10), chunks=(4, 4), dtype="float32", dimension_names=("y", "x"))
    array[:] = IMAGE
    (tmp_path / "x.zarr" / "c" / "2" / "2").unlink()
    return tmp_path / "x.zarr"


class TestGone:
    """Arrays that were there when they were opened."""

    @pytest.mark.parametrize("give", [lambda path: path, lambda path: zarr.open_array(str(path), mode="r")], ids=["path", "array"])
    def test_folder(self, stored: Path, give: Callable[[Path], Any]) -> None:
        """A chunk that was never written reads as the fill value; a folder that was moved is an error."""
        image = open_image(give(stored))
        region = image.read(ALL)
        np.testing.assert_array_equal(region[8:, 8:], 0)
        np.testing.assert_array_equal(region[:8], IMAGE[:8])
        stored.rename(stored.with_name("moved.zarr"))
        for index in (ALL, (slice(5, 6), slice(1, 3))):
            with pytest.raises(SourceError, match=r"x\.zarr is gone"):
                image.read(index)

    def test_version_2_and_fill_value(self, tmp_path: Path) -> None:
        """The same for zarr version 2, and for NaN as the fill value."""
        array = zarr.create_array(str(tmp_path / "x.zarr"), shape=(10, 10), chunks=(4, 4), dtype="f4", zarr_format=2, fill_value=np.nan)
        image = open_image(tmp_path / "x.zarr", axes="yx")
        assert np.isnan(image.read(ALL)).all()
        array[:] = IMAGE
        (tmp_path / "x.zarr").rename(tmp_path / "moved.zarr")
        with pytest.raises(SourceError, match="is gone"):
            image.read(ALL)

    def test_memory(self) -> None:
        """The same for a store of fsspec."""
        zarr.create_array(FsspecStore.from_url("memory://gone/x.zarr"), data=IMAGE, chunks=(4, 4), dimension_names=("y", "x"))
        image = open_image("memory://gone/x.zarr")
        np.testing.assert_array_equal(image.read(ALL), IMAGE)
        fsspec.filesystem("memory").rm("/gone", recursive=True)
        with pytest.raises(SourceError, match="is gone"):
            image.read(ALL)

    def test_any_store(self, stored: Path) -> None:
        """A store of another kind that finds nothing."""

        class Store(BrokenMount):
            pass

        image = open_image(zarr.open_array(Store(zarr.storage.LocalStore(stored, read_only=True)), mode="r"))
        np.testing.assert_array_equal(image.read(ALL)[:8], IMAGE[:8])
        Store.broken = True
        with pytest.raises(SourceError, match="is gone"):
            image.read(ALL)

    def test_prediction(self, tmp_path: Path, stored: Path) -> None:
        """A prediction whose image disappears ends with the error, and is not complete."""
        moved: list[bool] = []

        def move(stage: str, done: int, total: int) -> None:
            if stage == "predict" and done and not moved:
                moved.append(True)
                stored.rename(tmp_path / "moved.zarr")

        options: dict[str, Any] = {"block": {"y": 4, "x": 4}, "workers": 1, "progress": move}
        (tmp_path / "model").mkdir()
        with pytest.raises(SourceError, match="is gone"):
            bc.predict(pointwise_model(tmp_path / "model", gain=2.0), stored, tmp_path / "o.zarr", **options)
        assert moved
        assert (tmp_path / "o.zarr" / ".bmz-unfinished.json").exists()
