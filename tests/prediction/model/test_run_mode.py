"""The pipeline that run modes get, and how they change the plan."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from made_models import BATCH, channels, follows, pointwise_model_0_4, resample_graph, save_description_0_5, space, tensor

import bioimageio_core as bc
from bioimageio_core.prediction.model.loaded_model import LoadedModel
from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.prediction.planning.plan_json import plan_as_dict
from bioimageio_core.prediction.predictor import Predictor
from bioimageio_core.registry import Pipeline, PipelineSize, Registry, RunModeEntry, collect
from bioimageio_core.sources import open_package
from bioimageio_core.typing import FrozenMapping


@attrs.define
class Watching:
    """A run mode that records its pipeline, and requires more halo along x."""

    seen: list[Pipeline] = attrs.field(factory=list)

    def plan(self, pipeline: Pipeline) -> Pipeline:
        self.seen.append(pipeline)
        return attrs.evolve(pipeline, halo=FrozenMapping({"x": 4}), warnings=("something is left out",))

    def wrap(self, adapter: Any, pipeline: Pipeline) -> Any:
        return adapter


def planned(model: Path, mode: Watching) -> Any:
    """Return a plan for an image of 64 x 64 pixels in a run mode."""
    entry = RunModeEntry(name="watching", load=lambda: lambda kwargs: mode)
    registry: Registry = attrs.evolve(collect(), run_modes=FrozenMapping({"watching": entry}))
    package = open_package(model)
    loaded = LoadedModel.of(bc.load_model_description(model), package, registry)
    with Predictor(loaded, PredictOptions(run_mode="watching")) as predictor:
        return predictor.plan(np.zeros((64, 64), np.float32), axes="yx")


class TestSizes:
    """Valid sizes of axes."""

    def test_format_0_5(self, tmp_path: Path) -> None:
        """Stepped, fixed, and following another axis at half its size."""
        resample_graph(tmp_path / "weights.onnx", down=2)
        half = [space("y", follows("y", offset=-1), scale=2.0), space("x", follows("x"), scale=2.0)]
        raw = tensor("raw", BATCH, channels(), space("y", {"min": 16, "step": 8}), space("x", 64))
        model = save_description_0_5(tmp_path, [raw], [tensor("out", BATCH, channels(), *half)])
        mode = Watching()
        planned(model, mode)
        (pipeline,) = mode.seen
        one = PipelineSize(min=1, step=1)
        assert pipeline.inputs[0].sizes == (one, PipelineSize(min=1), PipelineSize(min=16, step=8), PipelineSize(min=64))
        assert pipeline.outputs[0].sizes[2:] == (
            PipelineSize(follows=("raw", "y"), ratio=Fraction(1, 2), offset=-1),
            PipelineSize(follows=("raw", "x"), ratio=Fraction(1, 2)),
        )

    def test_format_0_4(self, tmp_path: Path) -> None:
        """The same from minimum, step and scale."""
        mode = Watching()
        model = pointwise_model_0_4(tmp_path, shape={"min": [1, 1, 32, 64], "step": [0, 0, 8, 0]})
        planned(model, mode)
        (pipeline,) = mode.seen
        assert pipeline.inputs[0].sizes[2:] == (PipelineSize(min=32, step=8), PipelineSize(min=64))
        assert pipeline.outputs[0].sizes[3].follows == ("raw", "x")


class TestPlan:
    """Changes by the run mode."""

    def test_halo_and_warnings(self, tmp_path: Path) -> None:
        """The plan has the halo and the warnings of the run mode."""
        plan = planned(pointwise_model_0_4(tmp_path, shape={"min": [1, 1, 16, 16], "step": [0, 0, 8, 8]}), Watching())
        assert "something is left out" in plan.warnings
        assert "something is left out" in plan_as_dict(plan)["warnings"]
        assert [(g.group.name, g.group.left) for g in plan.grids][-2:] == [("y", 0), ("x", 8)]
