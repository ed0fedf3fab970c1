"""Passes of a plan, as data. Each pass sweeps over the boxes of a tensor, or over the regions of the plan, in numbered tasks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import attrs

from ...registry import Measure
from ...typing import AxisId
from ..data.boxes import Boxes
from .outputs.label_windows import LabelWindows

__all__ = ["JoinPass", "LabelPass", "LevelPass", "Pass", "PostprocessPass", "RegionsPass", "SlicesPass", "StatisticsPass", "TablePass"]


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
class LabelPass(Pass):
    """Labels the objects of an output, box by box."""

    kind = "label"
    windows: LabelWindows

    @property
    def title(self) -> str:
        """What the pass does, in words."""
        return f"label {self.subject}"


@attrs.frozen(kw_only=True)
class JoinPass(Pass):
    """Finds which labels of neighbouring boxes are one object, and numbers all objects."""

    kind = "join"
    windows: LabelWindows

    @property
    def title(self) -> str:
        """What the pass does, in words."""
        return f"join objects of {self.subject}"


@attrs.frozen(kw_only=True)
class SlicesPass(Pass):
    """Finds which objects of neighbouring slices are one, and numbers all objects again."""

    kind = "slices"
    windows: LabelWindows
    axis: AxisId
    """The axis along which slices follow each other; boxes span one position of it."""

    overlap: float
    """Intersection over union of two objects, above which they may be one."""

    @property
    def title(self) -> str:
        """What the pass does, in words."""
        return f"join slices of {self.subject} along {self.axis}"


@attrs.frozen(kw_only=True)
class TablePass(Pass):
    """Measures the objects of an output."""

    kind = "table"
    windows: LabelWindows

    @property
    def title(self) -> str:
        """What the pass does, in words."""
        return f"measure objects of {self.subject}"


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
