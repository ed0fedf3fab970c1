"""Predictions with the op, block by block, from a network that returns its input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from bioimageio_runtime_cellpose import bioimageio_processing_ops
from made_models import pointwise_model
from numpy.typing import NDArray
from windows import renumbered

from bioimageio_core.api import default_registry
from bioimageio_core.prediction.model.loaded_model import LoadedModel
from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.prediction.planning import plan_passes
from bioimageio_core.prediction.predictor import Predictor
from bioimageio_core.processing.descr_v0_5_objects import CellposeFlowDynamicsKwargs
from bioimageio_core.sources import open_package
from bioimageio_core.spec.validation import read_tree
from bioimageio_core.spec.yaml import load_yaml
from bioimageio_core.typing import FrozenMapping

(ENTRY,) = bioimageio_processing_ops()


def loaded(folder: Path) -> LoadedModel:
    """Return a model, whether or not the plugin is installed."""
    known = default_registry()
    registry = attrs.evolve(known, processing_ops=FrozenMapping({**known.processing_ops, ENTRY.name: ENTRY}))
    package = open_package(folder)
    assert isinstance(package.content, bytes)
    return LoadedModel.of(read_tree(load_yaml(package.content), registry)[0], package, registry)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks:UserWarning")
@pytest.mark.parametrize("block", [160, 48, 31])
def test_labels_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plane: NDArray[Any], block: int) -> None:
    """Whatever the blocks, the labels are those of the complete tensor, numbered in the order of their first pixels."""
    monkeypatch.setattr(plan_passes, "LATE_ELEMENTS", 1)  # windows of few chunks, which takes images of gigabytes otherwise
    kwargs = {"cellprob_threshold": 0.0, "flow_threshold": 0.4, "do_3D": False}
    model = loaded(pointwise_model(tmp_path, names=("flow_y", "flow_x", "probability"), post=[{"id": ENTRY.name, "kwargs": kwargs}]))
    op = ENTRY.make(CellposeFlowDynamicsKwargs(**kwargs), ("batch", "channel", "y", "x"), None)
    expected = renumbered(op(plane, {})[0, 0])
    with Predictor(model, PredictOptions(axes="cyx")) as predictor:
        result = predictor.predict(plane[0], block=block, chunks=block, object_size={"y": 40, "x": 40})
    np.testing.assert_array_equal(np.squeeze(np.asarray(result["out"])), expected)
    assert result.objects["out"].count == expected.max()
