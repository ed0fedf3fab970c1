"""Describes tensors by the analysis of their network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from ..axis_names import SPACE
from ..blocks import FixedSize, SteppedSize
from ..prediction.geometry.network_geometry import AnalysedAxis, AnalysedOutputAxis, NetworkAnalysis
from ..typing import AxisId
from .find_tensors import FoundTensors

__all__ = ["DraftedAxes", "draft_axes", "input_tree", "output_tree"]

LARGEST_GUESS = 32
"""Largest stride that planning assumes for a network of fixed size; the core of a block must have at least this many pixels."""


@attrs.frozen(kw_only=True)
class DraftedAxes:
    """The sizes and halos to describe."""

    measured: NetworkAnalysis
    sizes: tuple[FixedSize | SteppedSize, ...]
    """Sizes of the analysed axes, in their order; the smallest leaves at least a pixel without halo."""

    halos: tuple[tuple[int, ...], ...]
    """Halos of the output axes that follow each analysed axis."""

    notes: tuple[str, ...]


def draft_axes(measured: NetworkAnalysis) -> DraftedAxes:
    """Return the sizes and halos to describe: halos are multiples of the stride, and at most as large as a core allows."""
    sizes, halos, notes = [], [], []
    for axis in measured.axes:
        chosen = []
        for output in axis.outputs:
            halo, note = _halo(axis, output)
            chosen.append(halo)
            notes += [note] if note else []
        size = axis.size
        if isinstance(size, SteppedSize):
            least = size.min
            while any(_kept(least, o, h) < 1 for o, h in zip(axis.outputs, chosen, strict=True)):
                least += size.step
            if least > size.min:
                notes.append(
                    f"the network takes {size.min} pixels along {axis.axis!r}; the smallest size described is {least}, "
                    "since at least a pixel must remain without the halo"
                )
            size = SteppedSize(least, size.step)
        if axis.stride is None and axis.outputs:
            notes.append(f"no stride was found along {axis.axis!r}: blocks may differ from one prediction of the image")
        sizes.append(size)
        halos.append(tuple(chosen))
    return DraftedAxes(measured=measured, sizes=tuple(sizes), halos=tuple(halos), notes=tuple(dict.fromkeys(notes)))


def _kept(size: int, output: AnalysedOutputAxis, halo: int) -> int:
    return int(size * output.ratio) + output.offset - 2 * halo


def _halo(axis: AnalysedAxis, output: AnalysedOutputAxis) -> tuple[int, str]:
    where = f"{output.axis!r} of {output.tensor!r}"
    if output.halo is None:
        everywhere = f"every pixel along {where} depends on the complete axis, so that blocks differ with any halo"
        if isinstance(axis.size, SteppedSize):
            return 0, f"{everywhere}: the halo is left out, and images are cut only where memory runs short"
        halo = _with_core(axis, output, axis.sufficient_halo(output, output.local_halo or 0))
        return halo, f"{everywhere}: since its size is fixed, the halo is {halo}, an estimate of the local effect"
    wanted = axis.sufficient_halo(output, output.halo)
    halo = _with_core(axis, output, wanted)
    if halo < wanted:
        return halo, f"the halo along {where} should be {output.halo}, which is too large for a block of fixed size: it is {halo}"
    return halo, ""


def _with_core(axis: AnalysedAxis, output: AnalysedOutputAxis, halo: int) -> int:
    """Return the halo, or a smaller one that leaves a core in blocks of fixed size."""
    if not isinstance(axis.size, FixedSize):
        return halo
    core = min(axis.size.value & -axis.size.value, LARGEST_GUESS)
    most = max(axis.size.value - core, 0) // 2 // axis.grain * axis.grain
    return min(halo, int(most * output.ratio))


def input_tree(number: int, tried: FoundTensors, drafted: DraftedAxes) -> dict[str, Any]:
    """Return an input as a tree, without its test tensor."""
    tensor = tried.signature.inputs[number]
    axes = [_input_axis(tensor.id, a, size, tried, drafted) for a, size in zip(tensor.axes, tensor.shape, strict=True)]
    return {"id": tensor.id, **_named(tensor.id, tried), "axes": axes, "data": {"type": tensor.dtype}}


def output_tree(number: int, tried: FoundTensors, drafted: DraftedAxes) -> dict[str, Any]:
    """Return an output as a tree, without its test tensor."""
    output = tried.signature.outputs[number]
    axes = [_output_axis(output.id, a, size, tried, drafted) for a, size in zip(output.axes, tried.output_shapes[number], strict=True)]
    return {"id": output.id, **_named(output.id, tried), "axes": axes, "data": {"type": tried.output_dtypes[number]}}


def _named(tensor: str, tried: FoundTensors) -> dict[str, str]:
    name = tried.original_names.get(tensor)
    return {} if name is None else {"description": f"named {name} in the weights"[:128]}


def _kind(axis: AxisId, size: int, tried: FoundTensors) -> dict[str, Any]:
    if axis == "batch":
        return {"type": "batch", **({"size": 1} if tried.one_at_a_time else {})}
    if axis == "channel":
        return {"type": "channel", "channel_names": [f"channel{n}" for n in range(size)]}
    return {"type": "time" if axis == "time" else "space" if axis in SPACE else "index", "id": axis}


def _input_axis(tensor: str, axis: AxisId, size: int, tried: FoundTensors, drafted: DraftedAxes) -> dict[str, Any]:
    tree = _kind(axis, size, tried)
    if axis in ("batch", "channel"):
        return tree
    for measured, sizes, halos in zip(drafted.measured.axes, drafted.sizes, drafted.halos, strict=True):
        ratio = dict(measured.inputs).get(tensor)
        if measured.axis != axis or ratio is None:
            continue
        first = measured.inputs[0][0]
        if tensor != first:
            scale = {} if ratio == 1 or tree["type"] == "index" else {"scale": float(1 / ratio)}
            return {**tree, "size": {"tensor_id": first, "axis_id": axis}, **scale}
        if isinstance(sizes, FixedSize):
            return {**tree, "size": sizes.value}
        free = measured.outputs and not any(halos) and all(o.halo_anywhere == 0 and o.offset == 0 for o in measured.outputs)
        concatenable = {"concatenable": True} if free and len(measured.inputs) == 1 else {}
        return {**tree, "size": {"min": sizes.min, "step": sizes.step}, **concatenable}
    return {**tree, "size": size}


def _followed(output: str, axis: AxisId, drafted: DraftedAxes) -> Iterator[tuple[AnalysedAxis, AnalysedOutputAxis, int]]:
    for measured, halos in zip(drafted.measured.axes, drafted.halos, strict=True):
        for found, halo in zip(measured.outputs, halos, strict=True):
            if (found.tensor, found.axis) == (output, axis):
                yield measured, found, halo


def _output_axis(output: str, axis: AxisId, size: int, tried: FoundTensors, drafted: DraftedAxes) -> dict[str, Any]:
    tree = _kind(axis, size, tried)
    if axis in ("batch", "channel"):
        return tree
    for measured, found, halo in _followed(output, axis, drafted):
        reference = {"tensor_id": measured.inputs[0][0], "axis_id": measured.axis, **({"offset": found.offset} if found.offset else {})}
        scale = {} if found.ratio == 1 else {"scale": float(1 / found.ratio)}
        return {**tree, "size": reference, **scale, **({"halo": halo} if halo else {})}
    return {**tree, "size": size}
