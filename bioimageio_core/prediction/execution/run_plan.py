"""Carries out a plan: its passes, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ...errors import OutputError
from ...io import run_of_output
from ...io.writing.output_store import origin_of_output
from ..output.finalize import finalize, labelled_arrays
from ..output.objects.object_table import ObjectTable
from ..output.open_output import OpenOutput
from ..output.result import Prediction
from ..planning.passes import (
    JoinPass,
    LabelPass,
    LevelPass,
    Pass,
    PostprocessPass,
    RegionsPass,
    SlicesPass,
    StatisticsPass,
    TablePass,
)
from ..planning.plan_json import plan_as_dict
from .completion import CompletedElsewhere
from .executors.threads import Threads
from .passes.base import PassRunner
from .passes.boxes import LevelRunner, PostprocessRunner
from .passes.labels import JoinRunner, LabelRunner
from .passes.regions import RegionsRunner
from .passes.slices import SlicesRunner
from .passes.statistics import StatisticsRunner
from .passes.tables import TableRunner
from .progress import Reporter
from .run import Run
from .task_shares import POLL

__all__ = ["measure_statistics", "run_plan"]

RUNNERS: Mapping[type[Pass], Callable[[Run, Any], PassRunner]] = {
    StatisticsPass: StatisticsRunner,
    RegionsPass: RegionsRunner,
    LabelPass: LabelRunner,
    JoinPass: JoinRunner,
    SlicesPass: SlicesRunner,
    PostprocessPass: PostprocessRunner,
    TablePass: TableRunner,
    LevelPass: LevelRunner,
}
"""The runner of each kind of pass."""

STAGES = {
    "statistics": "statistics",
    "label": "label",
    "join": "join",
    "slices": "join slices",
    "postprocess": "whole output",
    "table": "table",
    "level": "levels",
}
"""The stage to which the time of a pass is added; tasks of regions time their own stages."""


def run_plan(run: Run, record: dict[str, Any]) -> Prediction:
    """Carry out the passes of a plan in order, and complete the output.

    A shard computes its part of the regions, and shares all other passes. If regions of another shard are missing after that,
    it stops, and the shard that finishes last carries out the remaining passes.

    Args:
        run: The run, from `begin_run`.
        record: Identity and choices of the run.

    Raises:
        OutputError: The output cannot be written.
        ModelRunError: The network failed.

    """
    begin = time.perf_counter()
    done_before, complete, completed_elsewhere = 0, True, False
    try:
        for pass_ in run.plan.passes:
            complete, before = _run_pass(run, pass_)
            if isinstance(pass_, RegionsPass):
                done_before = before
            if not complete:
                completed_elsewhere = _is_complete_on_disk(run)  # markers that another shard removed look like tasks that are not done
                break
        seconds = {**run.timer.seconds, "total": time.perf_counter() - begin}
        if complete and not completed_elsewhere:
            origin = {} if run.output.store is None else origin_of_output(run.output.store.location)
            attributes = {
                "plan": plan_as_dict(run.plan),
                "run": {**record, **origin},
                "statistics": run.statistics.reported,
                "seconds": seconds,
            }
            finalize(run.output, run.plan, attributes, {name: numbers.count for name, numbers in run.object_numbers.items()})
    except (CompletedElsewhere, OutputError):  # nothing can be written where another run took the place of the output
        completed_elsewhere = _is_complete_on_disk(run)
        seconds = {**run.timer.seconds, "total": time.perf_counter() - begin}
        if not completed_elsewhere:
            if run.output.state is not None and not run.output.state.goes_on():
                raise _taken_over(run.output) from None
            raise
    return Prediction(
        labelled_arrays(run.output, run.plan, complete=complete or completed_elsewhere),
        plan=run.plan,
        statistics=run.statistics.reported,
        times=seconds,
        nan_counts=run.statistics.nan_counts,
        notes=run.notes,
        objects={name: run.tables.get(name, ObjectTable(numbers.count)) for name, numbers in run.object_numbers.items()},
        finished=complete or completed_elsewhere,
        done_before=done_before,
    )


def measure_statistics(run: Run) -> None:
    """Carry out the passes of a plan that measure statistics of inputs, which its regions need."""
    for pass_ in run.plan.passes:
        if isinstance(pass_, RegionsPass):
            return
        _run_pass(run, pass_)


def _run_pass(run: Run, pass_: Pass) -> tuple[bool, int]:
    """Carry out a pass; return whether it is complete, and how many regions or boxes were done before its last sweep began here."""
    runner = RUNNERS[type(pass_)](run, pass_)
    done_before = 0
    with _timed(run, pass_):
        _claim_whole_pass(run, pass_)
        if runner.load_recorded():
            return True, 0
        for number, job in enumerate(runner.jobs()):
            share = runner.share(job, number)
            done_before = share.units_done
            # Tasks that cannot be sent to other processes run in threads of this one.
            executor = run.executor if job.is_picklable or run.executor.shares_memory else Threads()
            report = Reporter(pass_.title, share.units, run.options.callback, done_before)
            for task, result in share.results(executor, runner.concurrent_tasks()):
                report.more(runner.collect(task, result))
            if run.output.state is not None:
                run.output.state.sync()
            if not share.is_complete():
                return False, done_before
        runner.finish()
    return True, done_before


def _timed(run: Run, pass_: Pass) -> AbstractContextManager[None]:
    stage = STAGES.get(pass_.kind)
    return nullcontext() if stage is None else run.timer.timed(stage)


def _claim_whole_pass(run: Run, pass_: Pass) -> None:
    """Wait until this process holds the claim on a pass that only one process can carry out.

    The claim is not released: other shards wait until this process completes the run or leaves it.
    """
    while pass_.in_process and run.claims is not None and not run.claims.take(f"{pass_.name}-alone", 0):
        time.sleep(POLL)


def _is_complete_on_disk(run: Run) -> bool:
    """Return whether another process completed the output, of this very run."""
    if run.output.store is None or run.output.state is None or not run_of_output(run.output.location)[0]:
        return False
    own = run.output.state.run_id  # empty if the output was completed while this process opened it
    return not own or origin_of_output(run.output.location).get("id", own) == own


def _taken_over(output: OpenOutput) -> OutputError:
    """Return the error of a run whose output another run wrote again."""
    assert output.store is not None
    assert output.state is not None
    origins = [origin_of_output(place) for place in (output.store.location, output.location)]
    began = next(
        (origin.get("began", "an unknown time") for origin in origins if origin.get("id", output.state.run_id) != output.state.run_id), None
    )
    if began is None:
        return OutputError(f"{output.location} was removed while this run wrote it, so this run ended: run it again")
    return OutputError(
        f"{output.location} was started again by another run, which began at {began}: this run ended, and wrote nothing "
        "into the other result; resume the other run with resume=True (--resume), or give another name"
    )
