"""A plan carried out: statistics, regions, and what has to wait for the whole output."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from ..data.bind_inputs import BoundInput
from ..data.tensor_view import AxisArray, Boxes
from ..model.loaded_model import LoadedModel
from ..options import PredictOptions
from ..output.encoder import OutputEncoder
from ..output.output_places import Places
from ..output.result import Prediction
from ..output.sinks import MemoryTarget
from ..planning.cache_policy import cached, kept_from_statistics
from ..planning.plan import Plan, PlannedOutput
from ..statistics_file import image_key
from .executors.base import Executor
from .executors.threads import Threads
from .jobs import CompletionMarker, LevelJob, RegionJob, WriteJob
from .passes.region_task import RegionWork
from .passes.statistics import Scanner
from .prepared_tensors import PreparedInput, ProcessedSource, bind_steps, prepare_inputs, raw_sample, reference_statistics
from .progress import Reporter
from .stage_timer import StageTimer

__all__ = ["run_plan"]

LATE_ELEMENTS = 2**21
"""Elements that one task of a pass over an output processes."""

MANY = 64
"""Statistics with more values than this are not reported value by value."""

REGIONS = "regions"
"""The stage of markers of tasks of regions."""


def run_plan(
    plan: Plan, model: LoadedModel, options: PredictOptions, executor: Executor, job: RegionJob, places: Places, run: dict[str, Any]
) -> Prediction:
    """Compute all regions of a plan, or those of a shard.

    Args:
        plan: What to compute.
        model: The model that the plan was made for.
        options: `progress`, `shard` and `statistics` are used.
        executor: Where tasks run.
        job: What regions are computed with; its work is filled in.
        places: Where outputs go.
        run: Identity and choices of the run.

    Raises:
        OutputError: The output cannot be written.
        ModelRunError: The network failed.

    """
    begin = time.perf_counter()
    clock = StageTimer()
    told: dict[str, Any] = {}
    scanner = Scanner(
        registry=model.registry,
        executor=executor,
        workers=plan.concurrent_io,
        pool_over=plan.pool_over,
        progress=options.progress,
        supplied=options.statistics.dataset,
        known=_known(plan, options),
        report=lambda key, value: told.update({key: _plain(value)}),
        notes=places.folder,
    )
    with clock.timed("statistics"):
        read = kept_from_statistics(plan)
        raw = {i.bound.tensor.id: raw_sample(i.bound) for i in read.inputs}
        steps = [s for i in plan.inputs for s in i.steps] + [s for o in plan.outputs for s in (*o.steps, *o.late_steps)]
        references = reference_statistics(raw, steps, scanner)
        inputs = prepare_inputs(read, scanner, references)
        early = {
            o.tensor.id: bind_steps(places.sample(o), o.steps, scanner, references, name=o.tensor.id, cut=()).steps for o in plan.outputs
        }
    finishing = {o.tensor.id: OutputEncoder(output=o, mask=plan.mask) for o in plan.outputs}
    work = RegionWork(
        plan=plan,
        input_steps={name: i.steps for name, i in inputs.items()},
        sources=_cached_sources(plan, inputs),
        output_steps=early,
        targets={name: t for name, t in places.first.items() if executor.shares_memory or not isinstance(t, MemoryTarget)},
        mask=plan.mask,
        finishing={o.tensor.id: finishing[o.tensor.id] for o in plan.outputs if not o.waits},
    )
    marking = _marker(places, REGIONS)
    # What a network decides the shape of is kept in memory, and lost with it.
    in_memory = any(o.data_dependent for o in plan.outputs)
    before = _predict_regions(attrs.evolve(job, work=work, marking=None if in_memory else marking), executor, places, options, clock)
    finished = options.shard is None or marking is None or all(marking.folder.done(REGIONS, plan.task_count))
    if options.shard is not None and (any(o.waits for o in plan.outputs) or places.levels_left()):
        finished = False  # one process does what is left, when all shards are done
    if finished:
        with clock.timed("whole output"):
            for planned in plan.outputs:
                if planned.waits:
                    sample = bind_steps(
                        places.sample(planned), planned.late_steps, scanner, references, name=planned.tensor.id, cut=_spatial(planned)
                    )
                    late = WriteJob(
                        name=planned.tensor.id,
                        sample=sample,
                        boxes=sample.boxes(elements=LATE_ELEMENTS),
                        target=places.last[planned.tensor.id],
                        finishing=finishing[planned.tensor.id],
                        marking=None
                        if places.folder is None
                        else CompletionMarker(folder=places.folder, stage=f"late-{planned.tensor.id}"),
                    )
                    _write_late(late, executor, plan, options)
        with clock.timed("levels"):
            _write_levels(places, executor, plan, options)
    seconds = {**clock.seconds, "total": time.perf_counter() - begin}
    if finished:
        places.finish({"plan": plan.as_dict(), "run": run, "statistics": told, "seconds": seconds})
    return Prediction(
        places.outputs(),
        plan=plan,
        statistics=told,
        times=seconds,
        nan_counts=scanner.nan_counts,
        finished=finished,
        done_before=before,
    )


def _marker(places: Places, stage: str) -> CompletionMarker | None:
    return None if places.folder is None else CompletionMarker(folder=places.folder, stage=stage)


def _predict_regions(job: RegionJob, executor: Executor, places: Places, options: PredictOptions, clock: StageTimer) -> int:
    """Compute the regions that are not done; return how many were."""
    plan = job.work.plan
    tasks = range(plan.task_count) if options.shard is None else plan.tasks_of_shard(*options.shard)
    done = bytearray(plan.task_count) if job.marking is None else job.marking.folder.done(REGIONS, plan.task_count)
    before = sum(len(plan.regions_of(t)) for t in tasks if done[t])
    total = plan.regions_of(tasks[-1]).stop - plan.regions_of(tasks[0]).start if tasks else 0
    report = Reporter("predict", total, options.progress, before)
    for _, (regions, placed, seconds) in executor.run(job, (t for t in tasks if not done[t]), at_once=plan.in_flight):
        clock.add_all(seconds)
        for outputs in placed:
            for name, (start, array) in outputs.items():
                places.first[name].write(name, start, array)
        report.more(regions)
    return before


def _write_levels(places: Places, executor: Executor, plan: Plan, options: PredictOptions) -> None:
    """Make the coarser levels that regions did not write."""
    for target, number in places.levels_left():
        assert places.folder is not None
        level = target.image.levels[number]
        marking = CompletionMarker(folder=places.folder, stage=f"level-{target.image.name}-{number}")
        job = LevelJob(target=target, level=number, boxes=Boxes(shape=level.shape, size=level.chunks), marking=marking)
        _write_boxes(job, f"level {number} of {target.image.name}", executor, plan, options)


def _write_late(job: WriteJob, executor: Executor, plan: Plan, options: PredictOptions) -> None:
    """Apply what is left to do to an output, box by box."""
    travels = job.sample.is_picklable and not isinstance(job.target, MemoryTarget)
    chosen = executor if travels or executor.shares_memory else Threads()
    _write_boxes(job, f"postprocess {job.name}", chosen, plan, options)


def _write_boxes(job: WriteJob | LevelJob, stage: str, executor: Executor, plan: Plan, options: PredictOptions) -> None:
    """Write the boxes of a job that are not done, and report them."""
    count = job.boxes.count
    done = bytearray(count) if job.marking is None else job.marking.folder.done(job.marking.stage, count)
    report = Reporter(stage, count, options.progress, sum(done))
    for _ in executor.run(job, (n for n in range(count) if not done[n]), at_once=plan.concurrent_io):
        report.more()


def _cached_sources(plan: Plan, inputs: Mapping[str, PreparedInput]) -> dict[str, BoundInput | ProcessedSource]:
    """Return what blocks are read from, with caches of chunks that blocks share."""
    limits = {i.bound.tensor.id: k.limit for i, k in zip(plan.inputs, plan.cache, strict=True)}
    sources = {name: i.source for name, i in inputs.items()}
    return {name: cached(s, limits[name]) if isinstance(s, BoundInput) else s for name, s in sources.items()}


def _known(plan: Plan, options: PredictOptions) -> dict[str, Any]:
    """Return statistics of the images of a plan that were measured before."""
    found: dict[str, Any] = {}
    if options.statistics.images:
        for planned in plan.inputs:
            found |= options.statistics.images.get(image_key(planned.bound.image, planned.bound.axes), {})
    return found


def _spatial(planned: PlannedOutput) -> set[str]:
    """Return the axes that boxes of an output may cut."""
    return {a.id for a in planned.tensor.axes if a.kind not in ("batch",)}


def _plain(value: AxisArray) -> Any:
    values = np.squeeze(value.values)
    return f"{values.size} values" if values.size > MANY else values.tolist()
