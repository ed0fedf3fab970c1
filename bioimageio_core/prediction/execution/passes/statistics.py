"""The pass that measures statistics of a tensor."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from ...data.tensor_view import AxisArray, TensorView
from ...planning.passes import StatisticsPass
from ..executors.base import Job
from ..measurement import Measured, MeasureJob, TaskMeasurement, ViewMeasurement, load_task_measurement
from ..run import Run
from ..task_shares import OwnTasks, SharedTasks, TaskShare

__all__ = ["StatisticsRunner"]


class StatisticsRunner:
    """Measures a tensor after the steps before, and records the result in the state of the run."""

    def __init__(self, run: Run, pass_: StatisticsPass) -> None:
        self._run, self._pass = run, pass_
        self._measurement: ViewMeasurement | None = None

    def _view(self) -> TensorView:
        steps = self._run.outputs[self._pass.subject].late if self._pass.of_output else self._run.inputs[self._pass.subject].steps
        return steps.view_before(self._pass.step)

    def load_recorded(self) -> bool:
        """Load the result that a process of this run recorded; return False if there is none."""
        state = self._run.output.state
        recorded = None if state is None else state.recorded(self._pass.name)
        if recorded is None:
            return False
        axes = self._view().axes
        try:
            values = [np.asarray(r["values"], np.float64).reshape(r["shape"]) for r in recorded["results"]]
            nan_count = int(recorded["nan_count"])
        except (KeyError, TypeError, ValueError):  # not what `finish` writes
            return False
        found = {m: AxisArray(values=v, axes=axes) for m, v in zip(self._pass.measures, values, strict=True)}
        self._take(Measured(values=found, nan_count=nan_count))
        return True

    def jobs(self) -> Iterator[Job]:
        """Yield a job for each sweep over the tensor."""
        self._measurement = ViewMeasurement(self._view(), self._pass.measures, self._run.plan.pooling)
        yield from self._measurement.sweeps()

    def share(self, job: Job, sweep: int) -> TaskShare:
        """Return all tasks, which this process shares with other shards."""
        assert isinstance(job, MeasureJob)
        marker = self._run.marker(f"{self._pass.name}-{sweep}")
        if self._run.claims is None or marker is None:
            return OwnTasks(job, range(job.task_count), None)
        return SharedTasks(
            job.marked(marker),
            first=self._run.first_task(job.task_count),
            marker=marker,
            claims=self._run.claims,
            load=partial(load_task_measurement, job),
        )

    def concurrent_tasks(self) -> int:
        """Return the number of concurrent tasks per process."""
        return self._run.plan.concurrent_io

    def collect(self, task: int, result: TaskMeasurement) -> int:
        """Merge the partial statistics of a task."""
        assert self._measurement is not None
        return self._measurement.collect(task, result)

    def finish(self) -> None:
        """Record the statistics for later passes, and in the state of the run."""
        assert self._measurement is not None
        measured = self._measurement.measured()
        if self._run.output.state is not None and self._run.keeps_progress:
            arrays = [measured.values[m].values for m in self._pass.measures]
            results = [{"shape": list(a.shape), "values": a.ravel().tolist()} for a in arrays]
            self._run.output.state.record(self._pass.name, {"nan_count": measured.nan_count, "results": results})
        self._take(measured)

    def _take(self, measured: Measured) -> None:
        self._run.statistics.add(self._pass.subject, self._pass.step, measured)
