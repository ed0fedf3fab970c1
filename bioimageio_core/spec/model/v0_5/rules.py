"""What must hold between the parts of a model in format 0.5; each rule yields issues of a model."""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose
from typing import Any

from ....structuring.format_value import format_value
from ...node import Issue
from .axes import BatchAxis, ChannelAxis, SpaceOutputAxisWithHalo, TimeOutputAxisWithHalo
from .model_fields import ModelFields
from .sizes import ParameterizedSize, SizeReference
from .tolerances import configured_tolerances

__all__ = ["ALL"]


def unique_tensor_ids(descr: ModelFields) -> Iterator[Issue]:
    """Require distinct ids among inputs and among outputs; warn of an output with the id of an input, which some published models have."""
    seen: dict[str, str] = {}
    for key, index, tensor in _tensors(descr):
        first = seen.setdefault(tensor.id, key)
        if first == key and any(t.id == tensor.id for t in getattr(descr, key)[:index]):
            yield Issue(loc=(key, index, "id"), message=f"expected distinct ids of {key}, found {tensor.id!r} more than once")
        elif first != key:
            message = f"expected another id than those of inputs, found {tensor.id!r}: references to it mean the input"
            yield Issue(loc=(key, index, "id"), message=message, severity="warning")


def size_references(descr: ModelFields) -> Iterator[Issue]:
    """Require that sizes refer to axes with their own size and the same unit, and that a halo leaves something."""
    inputs = {(tensor.id, axis.id): axis for tensor in descr.inputs for axis in tensor.axes}
    outputs = {(tensor.id, axis.id): axis for tensor in descr.outputs for axis in tensor.axes}
    for key, index, tensor in _tensors(descr):
        known: dict[tuple[str, str], Any] = inputs if key == "inputs" else {**outputs, **inputs}
        for position, axis in enumerate(tensor.axes):
            size = getattr(axis, "size", None)
            if not isinstance(size, SizeReference):
                continue
            for problem in _reference_problems(axis, size, known, itself=(tensor.id, axis.id)):
                yield Issue(loc=(key, index, "axes", position, *problem.loc), message=problem.message, severity=problem.severity)


def _reference_problems(axis: Any, size: SizeReference, known: dict[tuple[str, str], Any], itself: tuple[str, str]) -> Iterator[Issue]:
    target = known.get((size.tensor_id, size.axis_id))
    name = f"{size.tensor_id}.{size.axis_id}"
    if target is None:
        axes = ", ".join(sorted(f"{tensor}.{axis_id}" for tensor, axis_id in known))
        yield Issue(loc=("size",), message=f"expected a reference to one of {axes}, found {name}")
        return
    least = _least_size(target)
    if least is None or (size.tensor_id, size.axis_id) == itself:
        what = "itself" if (size.tensor_id, size.axis_id) == itself else "a batch axis" if isinstance(target, BatchAxis) else "no own size"
        yield Issue(loc=("size",), message=f"expected a reference to an axis with a size of its own, found {name}, which is {what}")
        return
    units = getattr(axis, "unit", None), getattr(target, "unit", None)
    if units[0] != units[1]:
        yield Issue(loc=("unit",), message=f"expected the unit of {name}, {format_value(units[1])}, found {format_value(units[0])}")
    scale, target_scale = getattr(axis, "scale", 1.0), getattr(target, "scale", 1.0)
    try:
        own = int(least * target_scale / scale + size.offset)
        at_target = axis.halo * scale / target_scale if hasattr(axis, "halo") else 0.0
        is_whole = isclose(at_target, round(at_target), abs_tol=1e-9)
    except OverflowError:
        yield Issue(loc=("scale",), message=f"expected a scale that gives a size for {least} pixels of {name}, found {scale}")
        return
    if not isinstance(axis, (SpaceOutputAxisWithHalo, TimeOutputAxisWithHalo)):
        if own < 1:
            yield Issue(loc=("size",), message=f"expected a size of at least 1, found {own} where {name} is {least}", severity="warning")
        return
    if own - 2 * axis.halo < 1:
        message = f"expected a halo that leaves something of the least size {own}, found {axis.halo}, which leaves {own - 2 * axis.halo}"
        yield Issue(loc=("halo",), message=message)
    if not is_whole:
        yield Issue(loc=("halo",), message=f"expected a whole number of pixels of {name}, found {at_target}")


def _least_size(axis: Any) -> int | None:
    if isinstance(axis, ChannelAxis):
        return len(axis.channel_names)
    if isinstance(axis, BatchAxis):
        return None
    if isinstance(axis.size, ParameterizedSize):
        return axis.size.min
    return axis.size if isinstance(axis.size, int) else None


def reference_tensors(descr: ModelFields) -> Iterator[Issue]:
    """Require that steps refer to inputs only."""
    ids = [tensor.id for tensor in descr.inputs]
    for key, index, tensor in _tensors(descr):
        steps_key = "preprocessing" if key == "inputs" else "postprocessing"
        for position, step in enumerate(getattr(tensor, steps_key)):
            kwargs: Any = getattr(step, "kwargs", None)
            name = kwargs.get("reference_tensor") if hasattr(kwargs, "get") else getattr(kwargs, "reference_tensor", None)
            if name is not None and name not in ids:
                loc = (key, index, steps_key, position, "kwargs", "reference_tensor")
                yield Issue(loc=loc, message=f"expected the id of an input ({', '.join(ids)}), found {name!r}")


def weights_parents(descr: ModelFields) -> Iterator[Issue]:
    """Require that parents are other weights of the model, and that exactly one entry has none."""
    roots = [name for name, entry in descr.weights.items() if entry.parent is None]
    for name, entry in descr.weights.items():
        if entry.parent is not None and (entry.parent == name or entry.parent not in descr.weights):
            others = ", ".join(other for other in descr.weights if other != name) or "none"
            yield Issue(loc=("weights", name, "parent"), message=f"expected other weights of the model ({others}), found {entry.parent!r}")
    if len(roots) != 1:
        message = f"expected one entry without parent, found {len(roots)} ({', '.join(roots)})"
        yield Issue(loc=("weights",), message=message, severity="warning")


def reproducibility_tolerances(descr: ModelFields) -> Iterator[Issue]:
    """Require that tolerances name outputs of the model, and are zero for discrete outputs."""
    dtypes = {tensor.id: tensor.dtype for tensor in descr.outputs}
    seen: set[str] = set()
    for index, entry in enumerate(configured_tolerances(descr.config)):
        if isinstance(entry.output_ids, str):
            continue
        loc = ("config", "bioimageio", "reproducibility_tolerance", index)
        for position, output_id in enumerate(entry.output_ids):
            if output_id not in dtypes:
                message = f"expected the id of an output ({', '.join(dtypes)}), found {output_id!r}"
                yield Issue(loc=(*loc, "output_ids", position), message=message)
            elif output_id not in seen and not dtypes[output_id].startswith("float"):
                for key in ("relative_tolerance", "absolute_tolerance"):
                    if getattr(entry, key):
                        message = f"expected 0, since output {output_id!r} is {dtypes[output_id]}, found {getattr(entry, key)}"
                        yield Issue(loc=(*loc, key), message=message)
            seen.add(output_id)


def timestamp_present(descr: ModelFields) -> Iterator[Issue]:
    """Refuse a timestamp that is null; it may be left out."""
    if descr.timestamp is None and "timestamp" in descr.written.keys:
        yield Issue(loc=("timestamp",), message="expected a date and time in ISO 8601, found null")


def run_modes_are_rare(descr: ModelFields) -> Iterator[Issue]:
    """Warn of run modes."""
    if descr.run_mode is not None:
        yield Issue(loc=("run_mode",), message="expected none, run modes are not supported everywhere", severity="warning")


def parent_is_another(descr: ModelFields) -> Iterator[Issue]:
    """Refuse a model as its own parent."""
    if descr.parent is not None and descr.id is not None and descr.parent.id == descr.id:
        yield Issue(loc=("parent", "id"), message=f"expected another model, found this one's id {descr.id!r}")


def _tensors(descr: ModelFields) -> Iterator[tuple[str, int, Any]]:
    for index, tensor in enumerate(descr.inputs):
        yield "inputs", index, tensor
    for index, output in enumerate(descr.outputs):
        yield "outputs", index, output


ALL = (
    unique_tensor_ids,
    size_references,
    reference_tensors,
    weights_parents,
    reproducibility_tolerances,
    timestamp_present,
    parent_is_another,
    run_modes_are_rare,
)
"""Every rule."""
