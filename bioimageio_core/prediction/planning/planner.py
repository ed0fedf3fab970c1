"""The making of a plan, from a model, images and options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import attrs
import numpy as np

from ...blocks import FixedSize, RegionGrid
from ...errors import BlockError, InputError
from ...io import open_image
from ...registry import Registry
from ..data.bind_inputs import BoundInput, bind_inputs
from ..model.planned_run_mode import plan_run_mode
from ..model.processing_steps import plan_steps
from ..model.tensor_spec import ModelIO
from ..model.weights_selection import WeightsChoice
from ..options import PredictOptions
from .blocks.axis_groups import SizedGroup, axis_groups
from .blocks.block_sizes import GroupConstraints, choose_blocks
from .blocks.io_costs import IoCosts, TensorIoCosts
from .blocks.regions import plan_regions
from .cache_policy import choose_caches
from .mask import plan_mask
from .output_layout import check_assembles, plan_output, with_chunks_of_regions
from .plan import Plan, PlannedInput, tie_axes
from .profiling.profile import UNMEASURED, Profile
from .storage_dtype import stored_as

__all__ = ["make_plan"]

MOST_TASKS = 2**20
"""Tasks of a run at most, since each leaves a marker."""

TASKS_OF_THREAD, TASKS_OF_PROCESS = 256, 32
"""Tasks that are enough for each thread of this process, or of a cluster, where a task costs some milliseconds to hand out."""

BESIDE_DEVICE = 4
"""Regions that are read and written beside each GPU: fewer let it wait, and more get into each other's way in Python."""


def make_plan(
    model: ModelIO,
    inputs: Any,
    options: PredictOptions,
    *,
    registry: Registry,
    weights: WeightsChoice,
    cores: int,
    processes: int = 1,
    profile: Profile = UNMEASURED,
    continued: Mapping[str, Sequence[int]] | None = None,
) -> Plan:
    """Plan a prediction.

    Args:
        model: Inputs and outputs of the model.
        inputs: One image, or a mapping by tensor id.
        options: How to predict; `client` is the cluster that tasks run on, None for threads.
        registry: What is registered.
        weights: Which weights run.
        cores: Cores that there are.
        processes: Processes that share the memory of a machine.
        profile: Time and memory of the network by size of a block.
        continued: `Plan.choices` of the run that is continued.

    Raises:
        InputError: The images or options do not fit the model.
        BlockError: No grid of blocks fits.
        PluginError: A plugin cannot say what it needs.

    """
    bound = bind_inputs(model, inputs, options)
    run_mode = plan_run_mode(model, options, registry)
    if run_mode is not None:
        options = run_mode.apply(options, model)
    groups = axis_groups(model, bound, options, run_mode.pipeline.whole_axes if run_mode is not None else ())
    extra = tuple(dict.fromkeys(a for b in bound for a in b.extra_axes))
    for axis in options.stats_over:
        if axis not in extra:
            raise InputError(
                f"stats_over names the axis {axis!r}: expected one that the model lacks and the image has ({', '.join(extra) or 'none'})"
            )
    _check_supplied(model, options, registry)
    if continued is not None:
        options = attrs.evolve(options, batch_size=continued["batch_size"][0])
    wishes = tuple(_wish(g, options, None if continued is None else continued["strides"][n]) for n, g in enumerate(groups))
    traffic = _traffic(bound, model, groups, options)
    calls = weights.calls(options.workers, cores)
    beside = None if weights.on_cpu else min(cores, BESIDE_DEVICE * len(weights.devices))
    choice = choose_blocks(groups, wishes, options, profile=profile, traffic=traffic, cores=cores, calls=calls, beside=beside)
    grids = choice.grids
    planned = tuple(
        PlannedInput(bound=b, ties=tie_axes(b.tensor.id, b.axes, grids, inputs=True), steps=plan_steps(b.tensor, registry)) for b in bound
    )
    outputs = tuple(plan_output(t, extra, grids, options, registry) for t in model.outputs)
    for output in outputs:
        check_assembles(output, grids)
    if continued is None:
        room = options.memory_bytes - choice.estimated_memory
        regions = plan_regions(
            outputs, grids, traffic, batch_size=options.batch_size, workers=choice.workers, in_flight=choice.in_flight, room=room
        )
    else:
        brick = tuple(continued.get("brick", ()))
        regions = RegionGrid(grids=grids, blocks_per_region=tuple(continued["blocks_per_region"]), brick=brick)
    outputs = tuple(with_chunks_of_regions(o, regions, options) for o in outputs)
    workers = max(1, min(choice.workers, regions.count))
    in_flight = min(choice.in_flight, regions.count)
    held = traffic.bytes_in_flight(grids, regions.blocks_per_region) - traffic.bytes_in_flight(grids) * options.batch_size
    estimated = choice.estimated_memory + max(0, held) * in_flight
    regions, cache = choose_caches(
        [(p.bound, any(s.needs.measures for s in p.steps)) for p in planned],
        regions,
        in_flight=in_flight,
        room=options.memory_bytes - estimated,
        processes=processes,
        reorder=continued is None,
    )
    most = TASKS_OF_THREAD if options.client is None else TASKS_OF_PROCESS
    per_task = max(1, -(-regions.count // MOST_TASKS), min(4, regions.count // (most * workers)))
    return Plan(
        model=model,
        weights=weights,
        run_mode=run_mode,
        inputs=planned,
        outputs=outputs,
        groups=tuple(attrs.evolve(s, group=g.group) for s, g in zip(groups, grids, strict=True)),
        regions=regions,
        regions_per_task=per_task if continued is None else continued["regions_per_task"][0],
        batch_size=options.batch_size,
        workers=workers,
        in_flight=in_flight,
        threads=max(1, cores // workers),
        mask=None if options.mask is None else plan_mask(open_image(options.mask), groups, grids),
        skip_empty=options.skip_empty,
        pool_over=options.stats_over,
        memory=options.memory_bytes,
        cache=cache,
        estimated_memory=estimated + sum(k.limit for k in cache) * processes,
        floor=choice.floor,
        reason=choice.reason,
        estimated_seconds=choice.estimated_seconds,
        profile=profile,
        warnings=tuple(w for b in bound for w in b.warnings)
        + choice.warnings
        + (run_mode.pipeline.warnings if run_mode is not None else ()),
    )


def _wish(sized: SizedGroup, options: PredictOptions, stride: int | None) -> GroupConstraints:
    """Return what an axis group has to keep to: chunks or shards asked for, the region of interest, a continued run."""
    name, grain = sized.group.name, sized.group.denominator
    begin, end = 0, None
    if name in options.roi:
        low, high = options.roi[name]
        if not 0 <= low < high <= sized.image_size:
            raise InputError(f"roi along axis {name!r} is {low}:{high}: expected a part of 0:{sized.image_size} that is not empty")
        if sized.cutting == "whole":
            raise InputError(f"roi names the axis {name!r}, which is always taken whole: choose channels with channel=")
        begin = low // grain * grain
        end = None if high == sized.image_size else min(sized.image_size, -(-high // grain) * grain)
    return GroupConstraints(chunks=_chunks_in_base(sized, options), begin=begin, end=end, stride=stride)


def _traffic(bound: tuple[BoundInput, ...], model: ModelIO, groups: tuple[SizedGroup, ...], options: PredictOptions) -> IoCosts:
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
        outputs.append(TensorIoCosts(tensor=t.id, fixed=fixed, itemsize=np.dtype(stored_as(t, options).dtype).itemsize))
    return IoCosts(inputs=tuple(inputs), outputs=tuple(outputs))


def _check_supplied(model: ModelIO, options: PredictOptions, registry: Registry) -> None:
    """Raise InputError for supplied statistics that no op of the model wants."""
    if options.statistics.dataset:
        wanted = [s.key(t.id, m) for t in (*model.inputs, *model.outputs) for s in plan_steps(t, registry) for m in s.needs.measures]
        unknown = [name for name in options.statistics.dataset if name not in wanted]
        if unknown:
            raise InputError(
                f"statistics hold {unknown[0]!r}, which no op of the model wants: expected some of {'; '.join(wanted) or 'none'}"
            )


def _chunks_in_base(sized: SizedGroup, options: PredictOptions) -> tuple[int, ...]:
    """Return the sizes of chunks, or of shards, asked for along the outputs of a group, in pixels of its base axis."""
    found = []
    for tied in sized.group.outputs:
        asked = options.shards.get(tied.axis) or options.chunks.get(tied.axis)
        if asked is not None:
            chunk = asked / tied.ratio
            if chunk.denominator != 1 or chunk % sized.group.denominator:
                raise BlockError(
                    f"chunks of {asked} pixels along axis {tied.axis!r} of output {tied.tensor!r} do not start at whole "
                    f"input pixels (ratio {tied.ratio}): give a multiple of {tied.ratio * sized.group.denominator}"
                )
            found.append(int(chunk))
    return tuple(dict.fromkeys(found))
