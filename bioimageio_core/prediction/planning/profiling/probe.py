"""Measures time and memory of a network by block size."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from math import prod

from ....errors import ModelRunError
from ....python_process import python_command
from ...model.loaded_model import LoadedModel
from ...options import PredictOptions
from ..plan import Plan
from .probe_process import CallSize, ProbeTask
from .profile import Profile, ProfilePoint
from .remembered_profiles import remember_profile

__all__ = ["probe_network"]

LEAST, STEP, STEPS = 2**15, 2.0, 12
"""Pixels of the smallest call, the factor between sizes, and the maximum number of sizes."""

SECONDS = 30.0
"""Total seconds after which no larger size is measured."""


def probe_network(model: LoadedModel, plan: Plan, options: PredictOptions, *, cores: int) -> Profile:
    """Run the network on noise of increasing size, with as many concurrent calls as predictions make, and remember time and memory.

    Args:
        model: The model.
        plan: A plan for the images to predict: their axes, the weights and the run mode.
        options: `memory`, `workers`, `trust` and `progress` are used.
        cores: Available cores.

    Raises:
        ModelRunError: The network fails at the smallest size.

    """
    calls = plan.weights.calls(options.workers, cores)
    threads = max(1, cores // calls)
    task = ProbeTask(
        descr=model.descr,
        io=plan.model,
        package=model.package,
        weights=plan.weights,
        run_mode=plan.run_mode,
        trust=options.trust,
        threads=threads,
        calls=calls,
        sizes=tuple(_sizes(plan)),
        memory=options.memory_bytes,
        seconds=SECONDS,
    )
    report = options.callback or (lambda stage, done, total: None)
    report("measuring the network", 0, len(task.sizes))
    base, points, failed_at, batches = 0, list[ProfilePoint](), None, False
    command = python_command("-m", "bioimageio_core.prediction.planning.profiling.probe_process")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            pickle.dump(task, process.stdin)
            process.stdin.close()
        except BrokenPipeError:
            pass
        for line in process.stdout:
            record = json.loads(line)
            base = record.get("base", base)
            failed_at = record.get("failed_at", failed_at)
            batches = record.get("batches", batches)
            if "pixels" in record:
                taken = max(1, record["peak"] - base) // calls
                points.append(ProfilePoint(pixels=record["pixels"], seconds=record["seconds"], bytes=taken))
                report("measuring the network", len(points), len(task.sizes))
        error_text = process.stderr.read().decode(errors="replace").strip()
    report("measuring the network", len(task.sizes), len(task.sizes))
    if not points:
        reason = error_text.splitlines()[-1] if error_text else "not enough memory for the smallest size"
        raise ModelRunError(f"the network could not be measured: {reason}")
    profile = Profile(base=base, points=tuple(points), calls=calls, threads=threads, failed_at=failed_at, batches=batches)
    remember_profile(model, plan.weights, profile, None if plan.run_mode is None else (plan.run_mode.name, plan.run_mode.kwargs))
    return profile


def _sizes(plan: Plan) -> Iterator[CallSize]:
    """Yield pixels of a call, and shape and dtype of each input, for increasing sizes that are valid for blocks."""
    seen = set()
    for step in range(STEPS):
        target = LEAST * STEP**step
        sizes = _base_sizes(plan, int(target))
        pixels = prod(n for n, sized in zip(sizes, plan.groups, strict=True) if sized.cutting != "whole") * plan.batch_size
        if pixels in seen:
            continue
        seen.add(pixels)
        inputs = {}
        for planned in plan.inputs:
            tensor = planned.bound.tensor
            extra = len(planned.bound.axes) - len(tensor.axes)
            shape = []
            for axis, tie, size in zip(tensor.axes, planned.ties[extra:], planned.bound.shape[extra:], strict=True):
                if axis.id == "batch":
                    shape.append(plan.batch_size)
                else:
                    shape.append(size if tie is None else tie.tied.size(sizes[tie.grid]))
            inputs[tensor.id] = tuple(shape), tensor.dtype
        yield pixels, inputs


def _base_sizes(plan: Plan, pixels: int) -> list[int]:
    """Return the size of a block along each group: about ``pixels`` in total, equal along all axes, at most the image."""
    sizes = [grid.block_size(0) for grid in plan.grids]
    free = [n for n, sized in enumerate(plan.groups) if sized.cutting in ("free", "if_needed")]
    left = max(1.0, pixels / max(1, prod(sizes[n] for n, s in enumerate(plan.groups) if s.cutting in ("per_item", "one_call", "fixed"))))
    free.sort(key=lambda n: plan.groups[n].image_size)
    for position, n in enumerate(free):
        group = plan.groups[n].group
        whole = group.size.smallest(plan.groups[n].image_size + group.left + group.right) or 1
        side = max(1, int(left ** (1 / (len(free) - position)) + 1e-9))
        least = group.size.smallest(1) or 1
        sizes[n] = min(whole, group.size.largest(max(side, least)) or least)
        left = max(1.0, left / sizes[n])
    return sizes
