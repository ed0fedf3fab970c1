"""Weights with a fixed input size that contradicts the description."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import BATCH, channels, follows, save_description_0_5, save_graph, space, tensor
from onnx import helper

import bioimageio_core as bc
from bioimageio_core.errors import InputError

pytest.importorskip("onnxruntime")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A graph that takes 16 x 16 pixels, one at a time, described as any size from 8 in steps of 4."""
    shape = (1, 1, 16, 16)
    save_graph(tmp_path / "weights.onnx", [helper.make_node("Identity", ["raw"], ["out"])], {"raw": shape}, {"out": shape})
    size = {"min": 8, "step": 4}
    return save_description_0_5(
        tmp_path,
        [tensor("raw", BATCH, channels(), space("y", size), space("x", size))],
        [tensor("out", BATCH, channels(), space("y", follows("y")), space("x", follows("x")))],
    )


class TestRefused:
    """Blocks of a different size are refused before anything is written, with the remedy."""

    def test_other_size(self, model: Path, tmp_path: Path) -> None:
        """The error names the axis, the required size, and the remedy."""
        with pytest.raises(InputError, match=r"onnx weights require size 16 along axis 'y' of 'raw'.* a block has 24.*--block y=16"):
            bc.predict(model, np.zeros((24, 24), np.float32), tmp_path / "out.zarr")
        assert not (tmp_path / "out.zarr").exists()

    @pytest.mark.parametrize("options", [{}, {"block": {"y": 16, "x": 16}}])
    def test_fitting_blocks(self, model: Path, options: dict[str, Any]) -> None:
        """Blocks of the required size are predicted."""
        image = np.random.default_rng(0).random((16, 16) if not options else (32, 16), dtype=np.float32)
        np.testing.assert_array_equal(np.asarray(bc.predict(model, image, **options)["out"])[0, 0], image)

    def test_batches(self, model: Path) -> None:
        """The batch is larger than the graph takes."""
        with pytest.raises(InputError, match=r"require size 1 along axis 'batch' of 'raw'.*--batch-size"):
            bc.predict(model, np.zeros((32, 16), np.float32), block={"y": 16, "x": 16}, batch_size=2)
