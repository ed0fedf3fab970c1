"""Carries out a plan: its passes, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from ...io import run_of_output
from ..output.finalize import finalize, labelled_arrays
from ..output.result import Prediction
from ..planning.passes import LevelPass, Pass, PostprocessPass, RegionsPass, StatisticsPass
from ..planning.plan_json import plan_as_dict
from .completion import RunOver
from .executors.threads import Threads
from .passes.base import PassWork
from .passes.boxes import LevelWork, PostprocessWork
from .passes.regions import RegionsWork
from .passes.statistics import StatisticsWork
from .progress import Reporter
from .run import Run
from .sweeps import POLL

__all__ = ["run_plan"]

WORK: Mapping[type[Pass], Callable[[Run, Any], PassWork]] = {
    StatisticsPass: StatisticsWork,
    RegionsPass: RegionsWork,
    PostprocessPass: PostprocessWork,
    LevelPass: LevelWork,
}
"""The work class of each kind of pass."""

STAGES = {"statistics": "statistics", "postprocess": "whole output", "level": "levels"}
"""The stage to which the time of a pass is added; tasks of regions time their own stages."""


def run_plan(run: Run, record: dict[str, Any]) -> Prediction:
    """Carry out the passes of a plan in order, and complete the output.

    A shard computes its part of the regions, and shares all other passes. If regions of another shard are missing after that,
    it stops, and the shard that finishes last carries out the remaining passes.

    Args:
        run: The running plan.
        record: Identity and choices of the run.

    Raises:
        OutputError: The output cannot be written.
        ModelRunError: The network failed.

    """
    begin = time.perf_counter()
    done_before, finished, over = 0, True, False
    try:
        for step in run.plan.passes:
            complete, before = _run_pass(run, step)
            if isinstance(step, RegionsPass):
                done_before = before
            if not complete:
                finished = False
                break
    except RunOver:
        if run.output.store is None or not run_of_output(run.output.store.location)[0]:
            raise
        over = True
    seconds = {**run.timer.seconds, "total": time.perf_counter() - begin}
    if finished and not over:
        attributes = {"plan": plan_as_dict(run.plan), "run": record, "statistics": run.statistics.reported, "seconds": seconds}
        finalize(run.output, run.plan, attributes)
    return Prediction(
        labelled_arrays(run.output),
        plan=run.plan,
        statistics=run.statistics.reported,
        times=seconds,
        nan_counts=run.statistics.nan_counts,
        finished=finished,
        done_before=done_before,
    )


def _run_pass(run: Run, step: Pass) -> tuple[bool, int]:
    """Carry out a pass; return whether it is complete, and how many regions or boxes were done before."""
    work = WORK[type(step)](run, step)
    done_before = 0
    with _timed(run, step), _alone(run, step):
        if work.recall():
            return True, 0
        for number, job in enumerate(work.sweeps()):
            sweep = work.tasks(job, number)
            done_before = sweep.units_done
            executor = run.executor if job.is_picklable or run.executor.shares_memory else Threads()
            report = Reporter(step.title, sweep.units, run.options.progress, done_before)
            for task, result in sweep.results(executor, work.at_once()):
                report.more(work.collect(task, result))
            if not sweep.is_complete():
                return False, done_before
        work.finish()
    return True, done_before


def _timed(run: Run, step: Pass) -> Any:
    stage = STAGES.get(step.kind)
    return nullcontext() if stage is None else run.timer.timed(stage)


@contextmanager
def _alone(run: Run, step: Pass) -> Iterator[None]:
    """Wait until no other shard carries out a pass that cannot be shared, and claim it."""
    while step.in_process and run.claims is not None and not run.claims.take(f"{step.name}-alone", 0):
        time.sleep(POLL)
    yield
