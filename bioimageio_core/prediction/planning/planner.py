"""Makes a plan of a model, images and options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import prod
from typing import Any

import attrs
import numpy as np

from ...blocks import AxisGrid, FixedSize, RegionGrid, tie_axes
from ...errors import InputError
from ...io import local_path, open_image
from ...registry import Registry
from ...typing import AxisId, FrozenMapping
from ..data.bind_inputs import BoundInput, bind_inputs
from ..data.pooling import Pooling
from ..geometry.network_geometry import NetworkAnalysis
from ..model.planned_run_mode import PlannedRunMode, plan_run_mode
from ..model.processing_steps import Step, check_references, check_sizes, plan_steps
from ..model.tensor_spec import ModelIO
from ..model.weights_selection import WeightsChoice
from ..option_values import check_tensor_ids
from ..options import PlanOptions
from ..statistics_file import image_key
from .alike_plans import AlikePlans
from .blocks.axis_groups import CUTTABLE, SizedGroup, axis_groups
from .blocks.batch_sizes import choose_batch_size
from .blocks.block_sizes import choose_blocks
from .blocks.constraints import check_part, constraints_of
from .blocks.fixed_output_sizes import size_warnings
from .blocks.ignored_options import ignored_options
from .blocks.io_costs import IoCosts, TensorIoCosts
from .blocks.options_by_axis import options_by_axis
from .blocks.regions import plan_regions
from .cache_policy import choose_caches
from .masks.coverage import with_covered_tasks
from .masks.mask import mask_warnings, plan_mask
from .outputs.added_steps import with_added_steps
from .outputs.changed_output import changed_output
from .outputs.labelled_outputs import check_joined_slices, object_size_warnings, tables_of
from .outputs.network_outputs import with_network_outputs
from .outputs.object_positions import object_lists, object_warnings
from .outputs.ome_layout import ome_images
from .outputs.output_layout import check_assembles, plan_output, with_chunks_of_regions
from .outputs.storage_dtype import plan_storage_dtype
from .plan import Plan
from .plan_passes import plan_passes
from .planned_tensors import PlannedInput, all_steps
from .profiling.profile import UNMEASURED, Profile
from .run_choices import RunChoices
from .seam_warnings import seam_warnings

__all__ = ["make_plan"]

MAX_TASKS = 2**20
"""Maximum number of tasks of a run, since each leaves a marker."""

TASKS_PER_THREAD, TASKS_PER_CLUSTER_THREAD = 256, 32
"""Number of tasks per thread above which regions join into larger tasks: for threads of this process,
and for threads of a cluster, where scheduling a task costs some milliseconds."""

REGIONS_BESIDE_DEVICE = 4
"""Regions that are read and written per GPU while it computes: fewer let it wait, more compete for the interpreter lock of Python."""


def make_plan(
    model: ModelIO,
    inputs: Any,
    options: PlanOptions,
    *,
    registry: Registry,
    weights: WeightsChoice,
    cores: int,
    processes: int = 1,
    on_cluster: bool = False,
    profile: Profile = UNMEASURED,
    analysis: NetworkAnalysis | None = None,
    continued: RunChoices | None = None,
    before: AlikePlans | None = None,
) -> Plan:
    """Plan a prediction.

    Args:
        model: Inputs and outputs of the model.
        inputs: One image, or a mapping by tensor id.
        options: How to predict.
        registry: What is registered.
        weights: Which weights run.
        cores: Available cores.
        processes: Processes that share the memory of a machine.
        on_cluster: Whether tasks run on a cluster; else on threads of this process.
        profile: Time and memory of the network by size of a block.
        analysis: The remembered analysis of the network.
        continued: `Plan.choices` of the run to resume.
        before: The plan before this one, which serves an image that looks alike; None to plan in any case.

    Raises:
        InputError: The images or options do not fit the model, or ``halo="measured"`` without an analysis.
        BlockError: No grid of blocks fits.
        PluginError: A plugin fails while planning.

    """
    request = _Request(
        model=model,
        options=options,
        weights=weights,
        cores=cores,
        processes=processes,
        on_cluster=on_cluster,
        profile=profile,
        analysis=analysis,
        continued=continued,
    )
    check_tensor_ids("dtype", options.dtype, [t.id for t in model.outputs], "output")
    model = with_added_steps(with_network_outputs(model, registry), options.postprocessing, registry)
    run_mode = plan_run_mode(model, options_by_axis(options, model, analysis), registry)
    of_network, model = model, model if run_mode is None else run_mode.of_blocks(model)
    model = with_network_outputs(model, registry)  # added steps may need the axes that the run mode adds
    options = options_by_axis(options, model, analysis)
    if run_mode is not None:
        options = run_mode.apply(options, of_network)
    bound = bind_inputs(model, inputs, options)
    reused = AlikePlans() if before is None or continued is not None else before
    plan = reused.plan_of(request, bound, options)
    if plan is None:
        plan = _plan(request, registry, model, run_mode, bound, options)
        reused.keep(request, plan, options)
    return plan


@attrs.frozen(kw_only=True)
class _Request:
    """All that a plan depends on beside the images; see `make_plan`."""

    model: ModelIO
    options: PlanOptions
    weights: WeightsChoice
    cores: int
    processes: int
    on_cluster: bool
    profile: Profile
    analysis: NetworkAnalysis | None
    continued: RunChoices | None


def _plan(
    request: _Request,
    registry: Registry,
    model: ModelIO,
    run_mode: PlannedRunMode | None,
    bound: tuple[BoundInput, ...],
    options: PlanOptions,
) -> Plan:
    """Plan a prediction of images that are matched to the inputs of a model, in its run mode; see `make_plan`."""
    options = attrs.evolve(options, roi=_resampled_roi(options.roi, bound))
    groups = axis_groups(model, bound, options, run_mode.pipeline.whole_axes if run_mode is not None else ())
    _check_measured(options, groups)
    extra = tuple(dict.fromkeys(a for b in bound for a in b.extra_axes))
    pooling = Pooling(extra=options.stats_over, added=run_mode.added_axes if run_mode is not None else {})
    for axis in options.stats_over:
        if axis not in (*extra, *pooling.added):
            raise InputError(
                f"stats_over names the axis {axis!r}: expected one that the model lacks and the image has ({', '.join(extra) or 'none'})"
            )
    if request.continued is not None:
        options = attrs.evolve(options, batch_size=request.continued.batch_size)
    group_constraints = tuple(
        constraints_of(g, options, None if request.continued is None else request.continued.strides[n]) for n, g in enumerate(groups)
    )
    io_costs = _io_costs(bound, model, groups, options)
    calls = request.weights.calls(options.workers, request.cores)
    regions_beside_device = None if request.weights.on_cpu else min(request.cores, REGIONS_BESIDE_DEVICE * len(request.weights.devices))
    choose = partial(
        choose_blocks,
        groups,
        group_constraints,
        profile=request.profile,
        io_costs=io_costs,
        cores=request.cores,
        calls=calls,
        regions_beside_device=regions_beside_device,
        remote=any(b.image.location is not None and local_path(b.image.location) is None for b in bound),
        slices_per_call=run_mode.pipeline.slices_per_call if run_mode is not None else None,
    )
    options, choice = choose_batch_size(options, model, request.profile, choose)
    grids = choice.grids
    planned = tuple(
        PlannedInput(bound=b, ties=tie_axes(b.tensor.id, b.axes, grids, inputs=True), steps=plan_steps(b.tensor, registry)) for b in bound
    )
    for given in planned:
        check_sizes(given.id, given.steps, dict(zip(given.bound.axes, given.bound.shape, strict=True)))
    outputs = tuple(plan_output(t, extra, grids, options, registry) for t in model.outputs)
    of_complete = [o.id for o in outputs if o.needs_complete]
    _check_complete(of_complete, [g for g in grids if g.group.name not in extra or g.group.name in options.stats_over])
    for output in outputs:
        check_assembles(output, grids)
    objects = object_lists(planned, outputs, grids)
    if request.continued is None:
        room = options.memory_bytes - choice.estimated_memory
        regions = plan_regions(
            outputs, grids, io_costs, batch_size=options.blocks_per_call, workers=choice.workers, in_flight=choice.in_flight, room=room
        )
    else:
        regions = RegionGrid(grids=grids, blocks_per_region=request.continued.blocks_per_region, brick=request.continued.brick)
    outputs = tuple(with_chunks_of_regions(o, regions, options) for o in outputs)
    outputs = tuple(changed_output(o, grids, options) for o in outputs)
    workers = max(1, min(choice.workers, regions.count))
    in_flight = min(choice.in_flight, regions.count)
    extra_bytes = io_costs.bytes_in_flight(grids, regions.blocks_per_region) - io_costs.bytes_in_flight(grids) * options.blocks_per_call
    estimated = choice.estimated_memory + max(0, extra_bytes) * in_flight
    regions, cache = choose_caches(
        [(p.bound, any(s.needs.measures for s in p.steps)) for p in planned],
        regions,
        in_flight=in_flight,
        room=options.memory_bytes - estimated,
        processes=request.processes,
        reorder=request.continued is None,
    )
    enough = TASKS_PER_CLUSTER_THREAD if request.on_cluster else TASKS_PER_THREAD
    per_task = max(1, -(-regions.count // MAX_TASKS), min(4, regions.count // (enough * workers)))
    if request.continued is not None:
        per_task = request.continued.regions_per_task
    mask = None
    if options.mask is not None:
        mask = attrs.evolve(plan_mask(open_image(options.mask), groups, grids), skips=not of_complete)
        mask = with_covered_tasks(mask, regions, per_task)
    covered = 1.0 if mask is None else mask.task_count / len(mask.tasks)
    seconds = choice.estimated_seconds * covered
    steps = all_steps(planned, outputs)
    check_references(steps, [i.id for i in planned], registry)
    supplied, known = _supplied(planned, steps, options)
    tables = tables_of(outputs, options)
    check_joined_slices(outputs, options)
    ome = ome_images(planned, outputs, grids, options)
    passes = plan_passes(
        planned,
        outputs,
        grids,
        ome,
        supplied={**known, **supplied},
        pooling=pooling,
        region_tasks=-(-regions.count // per_task) if mask is None else mask.task_count,
        region_seconds=seconds,
        region_bytes=io_costs.bytes_read(grids) * regions.block_count * covered,
        threads=workers if request.weights.on_cpu else in_flight,
        memory=max(0, options.memory_bytes - request.profile.base),
        object_size=options.object_size,
        join_slices=options.join_slices,
        tables=tables,
    )
    return Plan(
        model=model,
        weights=request.weights,
        run_mode=run_mode,
        inputs=planned,
        outputs=outputs,
        groups=tuple(attrs.evolve(s, group=g.group) for s, g in zip(groups, grids, strict=True)),
        regions=regions,
        regions_per_task=per_task,
        batch_size=options.blocks_per_call,
        workers=workers,
        in_flight=in_flight,
        threads=max(1, request.cores // workers),
        mask=mask,
        skip_empty=options.skip_empty and not of_complete,
        pool_over=options.stats_over,
        supplied=supplied,
        known=known,
        statistics_file=options.statistics.path,
        ome=ome,
        table=options.table,
        passes=passes,
        memory=options.memory_bytes,
        cache=cache,
        estimated_memory=estimated + sum(k.limit for k in cache) * request.processes,
        floor=choice.floor,
        reason=choice.reason,
        estimated_seconds=seconds,
        profile=request.profile,
        objects=objects,
        warnings=tuple(w for b in bound for w in b.warnings)
        + choice.warnings
        + size_warnings(model)
        + object_warnings(objects)
        + ignored_options(groups, grids, options, of_complete)
        + (() if mask is None else mask_warnings(mask, options.roi))
        + object_size_warnings(outputs, options)
        + seam_warnings(model, groups, grids, request.analysis, options.block)
        + _plane_warnings(run_mode, bound)
        + (run_mode.pipeline.warnings if run_mode is not None else ()),
    )


def _plane_warnings(run_mode: PlannedRunMode | None, bound: Sequence[BoundInput]) -> tuple[str, ...]:
    """Return a sentence for each axis that the run mode adds and the images lack: slices along other axes would be padding."""
    added = () if run_mode is None else run_mode.added_axes
    lacking = [axis for axis in added if all(b.shape[b.axes.index(axis)] == 1 for b in bound)]
    return tuple(
        f"the image is a single slice along axis {axis!r}, so most of what the run mode merges is padding: "
        "predict without the run mode, or name the axes of the image with axes= (--axes)"
        for axis in lacking
    )


def _check_measured(options: PlanOptions, groups: tuple[SizedGroup, ...]) -> None:
    """Refuse a measured halo that is not known where blocks may need one."""
    if options.halo == "measured" and any(g.cutting in CUTTABLE for g in groups):
        raise InputError(
            'halo is "measured", but the network was not measured: measure it first, with analyse_network() (bmz info MODEL --measure), '
            "or give the halo in pixels, halo={'y': 32, 'x': 32} (--halo y=32,x=32)"
        )


def _resampled_roi(roi: Mapping[AxisId, tuple[int, int | None]], inputs: Sequence[BoundInput]) -> FrozenMapping[AxisId, Any]:
    """Return the part to predict in pixels of the images as they are resampled; neighbouring parts stay neighbours.

    Raises:
        InputError: A part reaches beyond an image.

    """
    found = dict(roi)
    for axis, (size, factor) in {a: r for b in reversed(inputs) for a, r in b.resampled.items() if a in roi}.items():
        low, stop = roi[axis]
        high = size if stop is None else stop
        check_part(axis, low, high, size)
        begin = round(low * factor)
        found[axis] = (begin, None if high == size else max(begin + 1, round(high * factor)))
    return FrozenMapping(found)


def _check_complete(outputs: Sequence[str], grids: Sequence[AxisGrid]) -> None:
    """Refuse to predict a part of outputs whose postprocessing needs the complete output, as for its statistics.

    Args:
        outputs: These outputs.
        grids: Those along which postprocessing does not treat each position separately.

    """
    part = next((g.group.name for g in grids if g.begin > 0 or (g.end is not None and g.end < g.image_size)), None)
    if outputs and part is not None:
        raise InputError(
            f"the postprocessing of output {outputs[0]!r} needs the complete output, as for its statistics, and roi= (--roi) along axis "
            f"{part!r} predicts a part: predict the complete image, and take the part from the result"
        )


def _io_costs(bound: tuple[BoundInput, ...], model: ModelIO, groups: tuple[SizedGroup, ...], options: PlanOptions) -> IoCosts:
    tied = {(t.tensor, t.axis) for g in groups for t in (*g.group.inputs, *g.group.outputs)}
    inputs = []
    for b in bound:
        sizes = dict(zip(b.axes, b.shape, strict=True))
        fixed = prod(n for a, n in sizes.items() if (b.tensor.id, a) not in tied)
        chunks = tuple(zip(b.axes, b.chunks, b.shape, strict=True)) if b.image.chunks is not None else ()
        inputs.append(TensorIoCosts(tensor=b.tensor.id, fixed=fixed, itemsize=b.image.dtype.itemsize, chunks=chunks))
    outputs = []
    for t in model.outputs:
        fixed = prod(a.size.value for a in t.axes if (t.id, a.id) not in tied and isinstance(a.size, FixedSize))
        outputs.append(TensorIoCosts(tensor=t.id, fixed=fixed, itemsize=np.dtype(plan_storage_dtype(t, options).dtype).itemsize))
    return IoCosts(inputs=tuple(inputs), outputs=tuple(outputs))


def _supplied(
    inputs: tuple[PlannedInput, ...], steps: Sequence[tuple[str, Step]], options: PlanOptions
) -> tuple[FrozenMapping[str, Any], FrozenMapping[str, Any]]:
    """Return supplied statistics by `Step.key`: those of a dataset, and those of the given images.

    Raises:
        InputError: No op of the model uses one of the supplied statistics.

    """
    needed = {s.key(tensor, m): m for tensor, s in steps for m in s.needs.measures}
    unknown = [name for name in options.statistics.dataset if name not in needed]
    if unknown:
        raise InputError(f"no op of the model uses the supplied statistics {unknown[0]!r}: expected some of {'; '.join(needed) or 'none'}")
    dataset = {k: v for k, v in options.statistics.dataset.items() if "batch" in needed[k].axes and v is not None}
    known: dict[str, Any] = {}
    if options.statistics.images:
        for planned in inputs:
            known |= options.statistics.images.get(image_key(planned.bound.image, planned.bound.axes), {})
    return FrozenMapping(dataset), FrozenMapping(known)
