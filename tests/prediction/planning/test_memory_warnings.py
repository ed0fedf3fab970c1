"""A plan warns of a machine that is short of memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from made_models import box_model

import bioimageio_core as bc
from bioimageio_core.prediction.planning.memory_warnings import memory_warnings


def test_memory(tmp_path: Path) -> None:
    """The sentence has what is needed, what is free, and an option that fits."""
    with bc.open_predictor(box_model(tmp_path, {"min": 16, "step": 4}, halo=4)) as predictor:
        plan = predictor.plan(np.broadcast_to(np.float32(1), (4000, 4000)), axes="yx", memory="1 GiB")
        assert memory_warnings(plan, plan.estimated_memory) == ()
        (line,) = memory_warnings(plan, 500 * 2**20)
        assert f"about {plan.estimated_memory / 2**20:.0f} MiB" in line
        assert "500 MiB free" in line
        assert "memory='450 MiB'" in line
        assert predictor.plan(np.broadcast_to(np.float32(1), (4000, 4000)), axes="yx", memory="450 MiB").estimated_memory <= 450 * 2**20
