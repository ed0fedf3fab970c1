"""Markers that the regions of an unfinished run leave."""

from __future__ import annotations

from pathlib import Path

from bioimageio_core.io import RunState
from bioimageio_core.prediction.planning.passes import RegionsPass
from bioimageio_core.prediction.planning.plan import Plan


def done_regions(output: str | Path, plan: Plan) -> bytearray:
    """Return a byte for each task of regions: 1 where an output has its marker."""
    step = next(p for p in plan.passes if isinstance(p, RegionsPass))
    return RunState(str(output)).done(step.name, step.tasks)
