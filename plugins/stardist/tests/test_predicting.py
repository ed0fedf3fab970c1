"""Predictions with the op, block by block, from a network that returns its input."""

from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
import pytest
from made_models import pointwise_model
from nuclei import ENTRY, Nuclei
from windows import renumbered

from bioimageio_core.api import default_registry
from bioimageio_core.prediction.model.loaded_model import LoadedModel
from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.prediction.planning import plan_passes
from bioimageio_core.prediction.predictor import Predictor
from bioimageio_core.sources import open_package
from bioimageio_core.spec.validation import read_tree
from bioimageio_core.spec.yaml import load_yaml
from bioimageio_core.typing import FrozenMapping


def loaded(folder: Path) -> LoadedModel:
    """Return a model, whether or not the plugin is installed."""
    known = default_registry()
    registry = attrs.evolve(known, processing_ops=FrozenMapping({**known.processing_ops, ENTRY.name: ENTRY}))
    package = open_package(folder)
    assert isinstance(package.content, bytes)
    return LoadedModel.of(read_tree(load_yaml(package.content), registry)[0], package, registry)


@pytest.mark.parametrize(("block", "grid"), [(200, (1, 1)), (48, (1, 1)), (31, (2, 2))])
def test_labels_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plane: Nuclei, block: int, grid: tuple[int, int]) -> None:
    """Whatever the blocks, the labels are those of the complete tensor, numbered in the order of their first pixels."""
    monkeypatch.setattr(plan_passes, "LATE_ELEMENTS", 1)  # windows of few chunks, which takes images of gigabytes otherwise
    post = [{"id": ENTRY.name, "kwargs": {**plane.kwargs, "grid": list(grid)}}]
    model = loaded(pointwise_model(tmp_path, names=[f"c{n}" for n in range(33)], post=post))
    tensor = plane.tensor(grid)
    expected = renumbered(plane.op(grid=grid)(tensor, {})[0, ..., 0])
    with Predictor(model, PredictOptions(axes="yxc")) as predictor:
        result = predictor.predict(tensor[0], block=block, chunks=block, object_size={"y": 30, "x": 30})
    np.testing.assert_array_equal(np.squeeze(np.asarray(result["out"])), expected)
    assert result.objects["out"].count == expected.max()
