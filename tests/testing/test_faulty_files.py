"""The file system that fails now and then, and predictions on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fsspec
import numpy as np
import pytest
import zarr
from made_models import box_model

import bioimageio_core as bc
from bioimageio_core.errors import BioimageioError
from bioimageio_core.testing import faulty_files

BLOCKS = {"block": {"y": 16, "x": 16}, "axes": "yx"}


class TestFiles:
    """What it does."""

    def test_each_third_write(self, tmp_path: Path) -> None:
        with faulty_files(tmp_path, every=3, operations=("write",)) as files:
            fs, path = fsspec.url_to_fs(files.url("file"))
            outcomes = []
            for _ in range(7):
                try:
                    fs.pipe_file(path, b"x")
                    outcomes.append(True)
                except OSError:
                    outcomes.append(False)
            assert outcomes == [True, True, False, True, True, False, True]
            assert (files.count, files.failures) == (7, 2)
            assert fs.cat_file(path) == b"x"
        assert (tmp_path / "file").read_bytes() == b"x"


@pytest.mark.parametrize("error", [lambda: OSError(5, "Input/output error"), lambda: TimeoutError("late"), lambda: RuntimeError("503")])
@pytest.mark.parametrize("operation", ["read", "write"])
def test_resumed_bit_for_bit(tmp_path: Path, operation: str, error: Callable[[], Exception]) -> None:
    """A store that fails now and then: each failure is one error of the library, and in the end all is as without failures."""
    model = tmp_path / "model"
    model.mkdir()
    box_model(model, {"min": 8, "step": 4})
    image = np.random.default_rng(0).random((192, 160), dtype=np.float32)
    zarr.create_array(str(tmp_path / "image.zarr"), data=image, chunks=(16, 16), dimension_names=("y", "x"))
    expected = np.asarray(bc.predict(model, image, **BLOCKS)["out"])
    every = 20 if operation == "write" else 50  # a task of a process with one core reads many chunks
    with faulty_files(tmp_path, every=every, operations=(operation,), error=error) as files:  # type: ignore[arg-type]
        source = files.url("image.zarr") if operation == "read" else str(tmp_path / "image.zarr")
        output = files.url("out.zarr") if operation == "write" else str(tmp_path / "out.zarr")
        for _ in range(40):
            try:
                bc.predict(model, source, output, resume=True, **BLOCKS)
                break
            except BioimageioError:
                continue
        else:
            pytest.fail("no attempt of 40 ended well")
        assert files.failures > 0
    np.testing.assert_array_equal(
        zarr.open_group(str(tmp_path / "out.zarr"), mode="r")["0"][...].view("uint32"), expected[0].view("uint32")
    )
