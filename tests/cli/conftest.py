"""Models and images for the command line, and ways to run it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
import zarr
from bmz_process import ForkedBmz
from made_models import BATCH, box_model, channels, follows, identity_graph, save_description_0_5, space, tensor


@pytest.fixture(scope="session")
def bmz() -> Iterator[ForkedBmz]:
    """``bmz(*args)`` runs a command and returns its exit status and what it printed."""
    runner = ForkedBmz()
    yield runner
    runner.close()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of any size 8 + 4 n with test tensors: a 3 x 3 mean. Not to be changed; see `model`."""
    folder = tmp_path_factory.mktemp("model")
    box_model(folder, {"min": 8, "step": 4})
    x = np.random.default_rng(0).random((1, 1, 16, 16), dtype=np.float32)
    padded = np.pad(x[0, 0].astype(np.float64), 1)
    y = sum(padded[i : i + 16, j : j + 16] for i in range(3) for j in range(3)) / 9
    np.save(folder / "input.npy", x)
    np.save(folder / "output.npy", np.asarray(y, np.float32)[None, None])
    change(folder, lambda tree: tree["inputs"][0].update(test_tensor={"source": "input.npy"}))
    change(folder, lambda tree: tree["outputs"][0].update(test_tensor={"source": "output.npy"}))
    return folder


@pytest.fixture
def model(made: Path, tmp_path: Path) -> Path:
    """A copy of the model that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "model"))


@pytest.fixture(scope="session")
def two_channels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that takes the channels dapi and actin, in uint8."""
    folder = tmp_path_factory.mktemp("two_channels")
    identity_graph(folder / "weights.onnx")
    axes = [BATCH, channels("dapi", "actin")]
    return save_description_0_5(
        folder,
        [tensor("raw", *axes, space("y", {"min": 8, "step": 4}), space("x", {"min": 8, "step": 4}), dtype="uint8")],
        [tensor("out", *axes, space("y", follows("y")), space("x", follows("x")))],
    )


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zarr image of 40 x 50 pixels in float32 that says that its axes are y and x."""
    return save_image(tmp_path_factory.mktemp("image") / "image.zarr", np.random.default_rng(1).random((40, 50), dtype=np.float32), "yx")


def save_image(path: Path, array: np.ndarray[Any, Any], axes: str) -> Path:
    """Write a zarr array that names its axes by letters (``c`` for channel)."""
    names = [{"c": "channel", "t": "time"}.get(a, a) for a in axes]
    stored = zarr.create_array(str(path), shape=array.shape, dtype=array.dtype, chunks=array.shape, dimension_names=names)
    stored[...] = array
    return path


@pytest.fixture(name="save_image")
def save_image_fixture() -> Any:
    """``save_image(path, array, "yx")``."""
    return save_image


def change(folder: Path, edit: Any) -> None:
    """Edit the description in a folder."""
    path = folder / "bioimageio.yaml"
    tree = yaml.safe_load(path.read_text())
    edit(tree)
    path.write_text(yaml.safe_dump(tree, sort_keys=False))


@pytest.fixture(name="change")
def change_fixture() -> Any:
    """``change(folder, function of the tree)``."""
    return change
