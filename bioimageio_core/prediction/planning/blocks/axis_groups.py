"""Finds which axes of inputs and outputs are cut together, from the model and the sizes of the images."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from typing import Literal, TypeAlias

import attrs

from ....blocks import AxisGroup, FixedSize, SteppedSize, TiedAxis
from ....errors import BlockError, InputError
from ....typing import AxisId
from ...data.bind_inputs import BoundInput
from ...model.tensor_spec import AxisIO, ModelIO, ReferencedSize, TensorIO
from ...options import PlanOptions
from .fixed_output_sizes import followed_size

__all__ = ["Cutting", "SizedGroup", "axis_groups"]

Cutting: TypeAlias = Literal["per_item", "whole", "one_call", "fixed", "free", "if_needed"]
"""How a group is cut.

per_item
    Each position is predicted separately: batch, and axes that the model lacks.
whole
    Never cut: channel and index axes, and axes that the run mode keeps whole.
one_call
    The image is exactly the one block that the network takes: a single call without padding and without a halo, like that of the test
    tensors.
fixed
    Cut into blocks of the one size that the network takes.
free
    Cut into blocks of a chosen size: the halo is known, or the axis is concatenable.
if_needed
    Cut only when the memory budget requires it, since no halo is described.
"""

CUTTABLE: tuple[Cutting, ...] = ("fixed", "free", "if_needed")
"""Axes whose blocks may have a halo."""

Key: TypeAlias = tuple[str, AxisId]
Tie: TypeAlias = tuple[Key, Fraction, int]
"""The base axis, the ratio to its pixels, and the offset."""


@attrs.frozen(kw_only=True)
class SizedGroup:
    """An axis group, the size of the image along its base axis, and how it is cut."""

    group: AxisGroup
    image_size: int
    cutting: Cutting


def axis_groups(
    model: ModelIO, inputs: tuple[BoundInput, ...], options: PlanOptions, whole_axes: Collection[AxisId] = ()
) -> tuple[SizedGroup, ...]:
    """Return all axis groups: axes that the model lacks first, then groups in the order of the axes of the inputs.

    Args:
        model: Inputs and outputs of the model.
        inputs: The images.
        options: `halo` and `network_stride` are used.
        whole_axes: Axes that must not be cut.

    Raises:
        InputError: Sizes of images do not agree, an image is too small, or an option names an unknown axis.

    """
    _check_axis_options(model, options, _extra_axes(inputs))
    sizes = {(b.tensor.id, axis): size for b in inputs for axis, size in zip(b.axes, b.shape, strict=True)}
    ties = _input_ties(inputs, sizes)
    groups = [_extra_group(axis, model, inputs, sizes) for axis in _extra_axes(inputs)]
    bases: dict[Key, list[TiedAxis]] = {}
    for (tensor, axis), (base, ratio, offset) in ties.items():
        bases.setdefault(base, []).append(TiedAxis(tensor=tensor, axis=axis, ratio=ratio, offset=offset))
    outputs: dict[Key, list[TiedAxis]] = {base: [] for base in bases}
    for output in model.outputs:
        for output_axis in output.axes:
            tie = _output_tie(output_axis, model, ties)
            if tie is not None:
                base, ratio, offset = tie
                halo = options.halos.get(output_axis.id, output_axis.halo)
                outputs[base].append(TiedAxis(tensor=output.id, axis=output_axis.id, ratio=ratio, offset=offset, halo=halo))
    for base, tied in bases.items():
        group = _group(model, base, tuple(tied), tuple(outputs[base]), sizes, options)
        groups.append(attrs.evolve(group, cutting="whole") if {t.axis for t in tied} & set(whole_axes) else group)
    return tuple(_in_one_call(groups))


def _check_axis_options(model: ModelIO, options: PlanOptions, extra: tuple[AxisId, ...]) -> None:
    """Refuse options that name axes which neither the model nor the images have: they are misspelt."""
    inputs = {a.id for t in model.inputs for a in t.axes}
    outputs = {a.id for t in model.outputs for a in t.axes}
    for name, given, known in (
        ("block", options.block, inputs),
        ("pixel_size", options.pixel_size, inputs),
        ("roi", options.roi, inputs | set(extra)),
        ("network_stride", options.network_stride, inputs),
        ("halo", options.halos, outputs),
        ("chunks", options.chunks, outputs | set(extra)),
        ("shards", options.shards, outputs | set(extra)),
    ):
        for axis in given:
            if axis not in known:
                raise InputError(f"{name} names the axis {axis!r}, which the model lacks: expected some of {', '.join(sorted(known))}")


def _extra_axes(inputs: tuple[BoundInput, ...]) -> tuple[AxisId, ...]:
    return tuple(dict.fromkeys(axis for b in inputs for axis in b.extra_axes))


def _extra_group(axis: AxisId, model: ModelIO, inputs: tuple[BoundInput, ...], sizes: dict[Key, int]) -> SizedGroup:
    """Return the group of an axis that the model lacks; inputs without the axis are reused for each of its positions."""
    holders = [b.tensor.id for b in inputs if axis in b.extra_axes]
    found = {sizes[(t, axis)] for t in holders}
    if len(found) > 1:
        listed = ", ".join(f"{t}: {sizes[(t, axis)]}" for t in holders)
        raise InputError(
            f"images differ in size along axis {axis!r}, which is predicted position by position: expected equal sizes, found {listed}"
        )
    return SizedGroup(
        group=AxisGroup(
            size=FixedSize(1),
            inputs=tuple(TiedAxis(tensor=t, axis=axis) for t in holders),
            outputs=tuple(TiedAxis(tensor=t.id, axis=axis) for t in model.outputs),
        ),
        image_size=found.pop(),
        cutting="per_item",
    )


def _input_ties(inputs: tuple[BoundInput, ...], sizes: dict[Key, int]) -> dict[Key, Tie]:
    """Tie every input axis to a base axis.

    Size references determine the tie. Unreferenced axes with equal ids and equal described sizes are tied if the images agree in size,
    since networks with several inputs take them at the same positions.
    """
    ties: dict[Key, Tie] = {}
    first: dict[tuple[AxisId, object, int], Key] = {}
    for bound in inputs:
        for axis in bound.tensor.axes:
            key = (bound.tensor.id, axis.id)
            if not isinstance(axis.size, ReferencedSize):
                base = first.setdefault((axis.id, axis.size, sizes[key]), key)
                ties[key] = (base, Fraction(1), 0)
    for bound in inputs:
        for axis in bound.tensor.axes:
            if isinstance(axis.size, ReferencedSize):
                reference = ties.get((axis.size.tensor, axis.size.axis))
                if reference is None:
                    raise InputError(
                        f"axis {axis.id!r} of input {bound.tensor.id!r} follows axis {axis.size.axis!r} of {axis.size.tensor!r}, "
                        "for which there is no image: give an image for that input too"
                    )
                ties[(bound.tensor.id, axis.id)] = (reference[0], axis.size.ratio * reference[1], axis.size.offset)
    return ties


def _output_tie(axis: AxisIO, model: ModelIO, ties: dict[Key, Tie]) -> Tie | None:
    """Return the tie of an output axis; None if its size does not depend on the inputs."""
    if axis.kind == "batch":
        return next((tie for (_, a), tie in ties.items() if a == axis.id), None)
    if isinstance(axis.size, FixedSize):
        return _fixed_output_tie(axis, model, ties)
    if not isinstance(axis.size, ReferencedSize):
        return None
    key = (axis.size.tensor, axis.size.axis)
    if key in ties:
        base, ratio, offset = ties[key]
        return base, ratio * axis.size.ratio, axis.size.offset + int(offset * axis.size.ratio)
    try:
        referenced = model.tensor(key[0]).axis(key[1])
    except KeyError:
        return None
    if referenced is None or referenced is axis:
        return None
    tie = _output_tie(referenced, model, ties)
    return None if tie is None else (tie[0], tie[1] * axis.size.ratio, axis.size.offset + int(tie[2] * axis.size.ratio))


def _fixed_output_tie(axis: AxisIO, model: ModelIO, ties: dict[Key, Tie]) -> Tie | None:
    """Return the tie to the input axis of the same id and size, else to the first one whose size it follows."""
    found: list[tuple[bool, Tie]] = []
    for tensor in model.inputs:
        same = tensor.axis(axis.id)
        followed = None if same is None or (tensor.id, axis.id) not in ties else followed_size(axis, same)
        if same is not None and followed is not None:
            base, ratio, offset = ties[(tensor.id, axis.id)]
            found.append((same.size != axis.size, (base, ratio * followed.ratio, followed.offset + int(offset * followed.ratio))))
    return min(found, key=lambda f: f[0], default=(True, None))[1]


def _group(
    model: ModelIO, base: Key, inputs: tuple[TiedAxis, ...], outputs: tuple[TiedAxis, ...], sizes: dict[Key, int], options: PlanOptions
) -> SizedGroup:
    size = sizes[base]
    for tied in inputs:
        found = sizes[(tied.tensor, tied.axis)]
        if found != tied.size(size):
            raise InputError(
                f"the image for input {tied.tensor!r} has {found} pixels along axis {tied.axis!r}: expected {tied.size(size)}, "
                f"since input {base[0]!r} has {size} pixels along axis {base[1]!r}"
            )
    tensor: TensorIO = model.tensor(base[0])
    axis = tensor.axis(base[1])
    assert axis is not None
    assert isinstance(axis.size, FixedSize | SteppedSize)
    group = AxisGroup(
        size=axis.size,
        inputs=tuple(sorted(inputs, key=lambda t: (t.tensor, t.axis) != base)),
        outputs=outputs,
        may_cut=axis.kind in ("space", "time", "batch") or axis.concatenable,
        concatenable=axis.concatenable,
        network_stride=options.network_stride.get(axis.id, axis.stride),
    )
    try:
        group.check(size)
    except BlockError as error:
        raise InputError(str(error)) from None
    return SizedGroup(group=group, image_size=size, cutting=_cutting(axis, group))


def _in_one_call(groups: list[SizedGroup]) -> list[SizedGroup]:
    """Return the groups without halos if the image is exactly the one block that the network takes, else as they are."""
    cut = [g for g in groups if g.cutting in CUTTABLE]
    if not cut or any(g.group.size != FixedSize(g.image_size) for g in cut):
        return groups
    return [_without_halo(g) if g in cut else g for g in groups]


def _without_halo(sized: SizedGroup) -> SizedGroup:
    outputs = tuple(attrs.evolve(o, halo=0) for o in sized.group.outputs)
    # The only valid origin is 0, so that a region of interest is a part of the same call.
    group = attrs.evolve(sized.group, outputs=outputs, network_stride=sized.image_size)
    return attrs.evolve(sized, group=group, cutting="one_call")


def _cutting(axis: AxisIO, group: AxisGroup) -> Cutting:
    if axis.kind == "batch":
        return "per_item"
    if not group.may_cut:
        return "whole"
    if isinstance(group.size, FixedSize):
        return "fixed"
    if group.concatenable or any(o.halo for o in group.outputs):
        return "free"
    return "if_needed"
