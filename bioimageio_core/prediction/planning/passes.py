"""Passes of a plan, as data. Each pass sweeps over the boxes of a tensor, or over the regions of the plan, in numbered tasks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import attrs

from ...registry import Measure
from ..data.boxes import Boxes

__all__ = ["LevelPass", "Pass", "PostprocessPass", "RegionsPass", "StatisticsPass"]


@attrs.frozen(kw_only=True)
class Pass(ABC):
    """A pass of a plan. It begins when all earlier passes are complete."""

    kind: ClassVar[str]

    number: int
    """Position among the passes of the plan, from 1."""

    subject: str
    """Id of the tensor that the pass reads or writes; empty for the pass over regions, which involves all tensors."""

    tasks: int
    """Number of tasks of one sweep."""

    sweeps: int = 1
    """Number of sweeps over the tasks: exact percentiles take several, each of which needs the result of the previous one."""

    resumable: bool
    """Whether each task leaves a marker, so that a resumed run skips it; else a resumed run repeats the complete pass."""

    in_process: bool = False
    """Whether one process must hold the whole tensor in memory, so that shards and workers cannot share the pass."""

    bytes_read: int
    bytes_written: int
    seconds: float
    """Estimated time of the pass on this machine."""

    @property
    def name(self) -> str:
        """Name of the pass, unique within the plan; its markers and records carry it."""
        return f"{self.number}-{self.kind}"

    @property
    @abstractmethod
    def title(self) -> str:
        """What the pass does, in words."""

    def as_dict(self) -> dict[str, Any]:
        """Return the pass as plain data for JSON."""
        shown = ("subject", "tasks", "sweeps", "resumable", "in_process", "bytes_read", "bytes_written")
        return {
            "pass": self.name,
            "title": self.title,
            **{key: getattr(self, key) for key in shown},
            "seconds": round(self.seconds, 3),
        }


@attrs.frozen(kw_only=True)
class StatisticsPass(Pass):
    """Measures the statistics of a whole tensor that an op needs."""

    kind = "statistics"

    of_output: bool
    """Whether the tensor is an output; else it is an input."""

    step: int
    """Number of the step that needs the statistics; the steps before it are applied first. 0 for the raw tensor."""

    measures: tuple[Measure, ...]
    boxes: Boxes

    @property
    def title(self) -> str:
        """What the pass does, in words."""
        return f"statistics of {self.subject}"


@attrs.frozen(kw_only=True)
class RegionsPass(Pass):
    """Reads, preprocesses, runs the network, postprocesses and writes, region by region."""

    kind = "regions"

    @property
    def title(self) -> str:
        """What the pass does, in words."""
        return "predict"


@attrs.frozen(kw_only=True)
class PostprocessPass(Pass):
    """Blends or postprocesses an output after all its blocks are computed."""

    kind = "postprocess"
    boxes: Boxes

    @property
    def title(self) -> str:
        """What the pass does, in words."""
        return f"postprocess {self.subject}"


@attrs.frozen(kw_only=True)
class LevelPass(Pass):
    """Writes a coarser level of an OME-Zarr image from the next finer level."""

    kind = "level"
    level: int
    boxes: Boxes

    @property
    def title(self) -> str:
        """What the pass does, in words."""
        return f"level {self.level} of {self.subject}"
