"""A plan as text."""

from __future__ import annotations

from ...prediction.model.planned_run_mode import PlannedRunMode
from ...prediction.planning.passes import Pass
from ...prediction.planning.plan import Plan
from ...prediction.planning.plan_json import plan_as_dict
from ...text import seconds_in_words
from ..plain_text import bytes_in_words, sizes_in_words

__all__ = ["estimated_time", "plan_text"]

UNMEASURED_WITHIN = 5
"""Factor within which the time of common networks lies about that of the one which is assumed until a network is measured."""


def plan_text(plan: Plan) -> str:
    """Return the plan for people: what is read, computed and written, in which blocks, and the time and memory that it takes."""
    lines = [
        f"model      {plan.model.name} (format {plan.model.format})",
        f"weights    {plan.weights.weights_format} on {plan.weights.adapter}, {plan.weights.settings}",
        *([f"run mode   {plan.run_mode.name}{_added_axes(plan.run_mode)}"] if plan.run_mode is not None else []),
        *(f"           {line}" for i in plan.inputs for line in i.bound.guess),
    ]
    data = plan_as_dict(plan)
    for name, i in data["inputs"].items():
        lines.append(f"input      {name}: {i['image']}, {sizes_in_words(i['axes'], i['shape'])}, {i['dtype']}, padded {i['padding']}")
        lines.append(f"             {_arrow(i['preprocessing'])}")
        lines.extend(f"             measured on the whole sample: {s}" for s in i["statistics"])
    for axis in data["axes"]:
        if axis["blocks"] == 1 and axis["cut"] in ("per_item", "whole"):
            continue
        lines.append(f"axis {axis['axis']:<6}{_axis_text(axis)}")
    for name, o in data["outputs"].items():
        lines.append(
            f"output     {name}: {sizes_in_words(o['axes'], o['shape'])}, {o['dtype']}, chunks {sizes_in_words(o['axes'], o['chunks'])}"
        )
        lines.append(f"             {_arrow(o['postprocessing'])}")
        if o["postprocessing_of_the_whole"]:
            lines.append(f"             after all blocks: {_arrow(o['postprocessing_of_the_whole'])}")
    lines.append(
        f"work       {_count(data['blocks'], 'block')} in {_count(data['regions'], 'region')}, "
        f"{data['computed_per_kept']:.2f} pixels computed per pixel kept, "
        f"{_count(data['workers'], 'call')} at once with {data['threads_per_call']} thread{'s' * (data['threads_per_call'] != 1)} each"
    )
    if plan.mask is not None:
        lines.append(f"mask       {plan.mask.image.name}: covers {plan.mask.task_count} of {_count(plan.task_count, 'task')}")
    lines.extend(f"pass {step.number:<6}{_pass_text(step, measured=plan.profile.measured)}" for step in plan.passes)
    lines.append(f"blocks     {plan.reason}")
    if data["regions_per_brick"]:
        sides = [f"{a['axis']} {n}" for a, n in zip(data["axes"], data["regions_per_brick"], strict=True) if a["blocks"] > 1]
        lines.append(f"order      in bricks of {', '.join(sides)} regions, so that chunks which they share are read once")
    if plan.profile.measured:
        lines.append(f"time       {_time(plan.estimated_seconds, measured=True)}, by measured blocks of {len(plan.profile.points)} sizes:")
        for point in plan.profile.points:
            rate = point.pixels * plan.profile.calls / point.seconds / 1e6
            lines.append(f"             {point.pixels / 1e6:8.3f} million pixels: {rate:.2f} million/s, {point.bytes / 2**20:.0f} MiB each")
    else:
        lines.append(
            f"time       {_time(plan.estimated_seconds, measured=False)}, as common networks take; probe=True (--probe) measures this one"
        )
    lines.append(
        f"memory     about {data['estimated_memory'] / 2**20:.0f} MiB of {data['memory'] / 2**20:.0f} MiB, "
        f"no less than {data['floor'] / 2**20:.0f} MiB"
    )
    lines.extend(f"warning    {w}" for w in data["warnings"])
    return "\n".join(lines)


def estimated_time(plan: Plan) -> str:
    """Return how long a run takes, as a range where the network was not measured."""
    return _time(plan.estimated_seconds, measured=plan.profile.measured)


def _added_axes(run_mode: PlannedRunMode) -> str:
    added = [f"{axis}, like {like}" for axis, like in run_mode.added_axes.items()]
    return f": blocks have the axis {' and '.join(added)}, which the network lacks" if added else ""


def _pass_text(step: Pass, *, measured: bool) -> str:
    tasks = _count(step.tasks, "task") + (f", {step.sweeps} sweeps" if step.sweeps > 1 else "")
    moved = [f"reads {bytes_in_words(step.bytes_read)}"] + ([f"writes {bytes_in_words(step.bytes_written)}"] if step.bytes_written else [])
    time = _time(step.seconds, measured=measured or step.kind != "regions")
    alone = ", in one process" if step.in_process else ""
    return f"{step.title}: {tasks}{alone}, {', '.join(moved)}, {time}"


def _time(seconds: float, *, measured: bool) -> str:
    """Return an estimate, as a range where the network was not measured."""
    if seconds * UNMEASURED_WITHIN < 1:
        return "under a second"
    if measured:
        return f"about {seconds_in_words(seconds)}"
    return f"{seconds_in_words(seconds / UNMEASURED_WITHIN)} to {seconds_in_words(seconds * UNMEASURED_WITHIN)}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _arrow(names: list[str]) -> str:
    return " -> ".join(names) if names else "(as it is)"


def _axis_text(axis: dict[str, object]) -> str:
    before, behind = axis["overlap"] if isinstance(axis["overlap"], list) else (0, 0)
    if axis["cut"] == "per_item":
        return f"{axis['size']} items, each on its own"
    if axis["cut"] == "one_call":
        return f"{axis['size']} pixels, as the network takes them: nothing is padded or cropped"
    if axis["blocks"] == 1:
        return f"{axis['size']} pixels in one block of {axis['block']}"
    return (
        f"{axis['size']} pixels in {axis['blocks']} blocks of {axis['block']} (last {axis['last_block']}): "
        f"{before} + {axis['stride']} + {behind}, origins at multiples of {axis['granularity']}"
    )
