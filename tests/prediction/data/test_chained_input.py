"""An input that is the output of another model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_models import BATCH, box_graph, channels, follows, save_description_0_5, space, tensor

import bioimageio_core as bc
from bioimageio_core.errors import SourceError

pytest.importorskip("onnxruntime")


def test_only_by_name(tmp_path: Path) -> None:
    """A raw image is that of the first model, which has to be found; its output is predicted where it is given by name."""
    box_graph(tmp_path / "weights.onnx", size=1)
    save_description_0_5(
        tmp_path,
        [tensor("prob", BATCH, channels(), space("y", 8), space("x", 8), output_of="first-model")],
        [tensor("labels", BATCH, channels(), space("y", follows("y", tensor="prob")), space("x", follows("x", tensor="prob")))],
        format_version="0.5.14",
        documentation={"source": "README.md"},
    )
    image = np.random.default_rng(0).random((8, 8), dtype=np.float32)
    with pytest.raises(SourceError, match=r"takes outputs of the model 'first-model', .*; or give images .* by name"):
        bc.predict(tmp_path, image)
    np.testing.assert_array_equal(np.asarray(bc.predict(tmp_path, {"prob": image})["labels"])[0, 0], image)
