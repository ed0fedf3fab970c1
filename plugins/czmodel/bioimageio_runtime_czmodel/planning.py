"""Plans the content of a file, and the processing that becomes part of the network, before anything is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from bioimageio_core.blocks import FixedSize, SteppedSize
from bioimageio_core.errors import DescriptionError
from bioimageio_core.prediction.model.tensor_spec import AxisIO, ModelIO, OpCall, ReferencedSize, TensorIO
from bioimageio_core.registry import plugin_hint

from .describing import CONFIG
from .graphs.steps import KNOWN_OPS, measures_of
from .options import Options
from .probabilities import Classes, channel_of, decide_classes

__all__ = ["Plan", "axes_of", "config_of", "plan_export"]

SPACE = ("z", "y", "x")
USUAL_SIZE, USUAL_SIZE_3D = 512, 64
"""Pixels of a block along each axis, where any size is taken."""

COLORS = (("red", "green", "blue"), ("r", "g", "b"))
FLOATS = ("float32", "float64")
RANGE_FREE = ("zero_mean_unit_variance", "scale_range")
"""Ops after which it does not matter by what the image was multiplied."""


@attrs.frozen(kw_only=True)
class Plan:
    """What is exported."""

    input: TensorIO
    output: TensorIO
    output_number: int
    sizes: dict[str, int]
    """Of a block, along the axes in space, in the order z, y, x."""

    channels: int
    channel_order: tuple[int, ...] | None
    preprocessing: tuple[OpCall, ...]
    postprocessing: tuple[OpCall, ...]
    classes: Classes
    border: tuple[int, ...]
    """Along the axes in space."""

    lost: tuple[str, ...]


def config_of(descr: Any) -> Mapping[str, Any]:
    """Return what was recorded of the file from which the model was imported, if it was."""
    found = dict(descr.config or {}).get(CONFIG)
    return found if isinstance(found, Mapping) else {}


def axes_of(tensor: TensorIO) -> tuple[str, ...]:
    """Return the axes of a tensor by what they are: those of batch and channels may have other ids."""
    return tuple(axis.kind if axis.kind in ("batch", "channel") else axis.id for axis in tensor.axes)


def plan_export(descr: Any, io: ModelIO, options: Options) -> Plan:
    """Decide what is exported.

    Raises:
        ValueError: The format cannot hold the model; all that it cannot hold is listed.

    """
    problems: list[str] = []
    lost: list[str] = []
    config = config_of(descr)
    tensor = _input(io, problems)
    number, output = _output(io, options, problems, lost)
    problems += _problems(io, tensor, output, options)
    sizes: dict[str, int] = {}
    classes = Classes()
    try:
        sizes = _block(tensor, options, config)
    except ValueError as error:
        problems.append(str(error))
    try:
        classes = decide_classes(descr, output, number, options, config)
    except ValueError as error:
        problems.append(str(error))
    if problems:
        raise ValueError("; ".join(problems))
    channel = channel_of(tensor)
    channels = channel.size.value if channel is not None and isinstance(channel.size, FixedSize) else 1
    preprocessing = _without_first_cast(tensor)
    lost += [*classes.notes, *_differences(tensor, output, preprocessing, options)]
    order = _channel_order(channel, channels, options, lost)
    return Plan(
        input=tensor,
        output=output,
        output_number=number,
        sizes=sizes,
        channels=channels,
        channel_order=order,
        preprocessing=preprocessing,
        postprocessing=_without_last_cast(output),
        classes=classes,
        border=tuple(_border(axis, tensor, output, options, config, number) for number, axis in enumerate(sizes)),
        lost=tuple(lost),
    )


def _input(io: ModelIO, problems: list[str]) -> TensorIO:
    required = [tensor for tensor in io.inputs if not tensor.optional] or list(io.inputs)
    if len(required) != 1:
        problems.append(f"there are {len(required)} inputs ({', '.join(t.id for t in required)}): expected one")
    return required[0]


def _problems(io: ModelIO, tensor: TensorIO, output: TensorIO, options: Options) -> Iterator[str]:
    """Yield what cannot be held, of run mode, axes and ops."""
    if io.run_mode is not None:
        yield f"the run mode {io.run_mode!r} cannot be part of a network"
    yield from _axis_problems(tensor, options, is_input=True)
    yield from _axis_problems(output, options, is_input=False)
    for one in (*io.inputs, *(io.outputs if options.output is None else [output])):
        yield from _op_problems(one, options)
    if any(
        op.kwargs.reference_tensor not in (None, tensor.id) for op in (*tensor.ops, *output.ops) if hasattr(op.kwargs, "reference_tensor")
    ):
        yield f"an op of {tensor.id!r} or {output.id!r} refers to another tensor than {tensor.id!r}"


def _differences(tensor: TensorIO, output: TensorIO, preprocessing: Sequence[OpCall], options: Options) -> Iterator[str]:
    """Yield in what ZEN's results may differ from those of the model."""
    if options.statistics == "block" and any(_looks_around(op, t) for t in (tensor, output) for op in t.ops):
        yield "Statistics are those of each block, not of the complete image, so results differ on images larger than a block."
    scaled = options.input_maximum is not None or {op.name for op in preprocessing} & {*RANGE_FREE}
    if tensor.dtype != "float32" and options.version.container == "czann" and not scaled:
        yield (
            f"The network is made for the values of {tensor.dtype} images; ZEN may give images in the range from 0 to 1 "
            "(the option input_maximum gives the value of 1)."
        )


def _output(io: ModelIO, options: Options, problems: list[str], lost: list[str]) -> tuple[int, TensorIO]:
    ids = [tensor.id for tensor in io.outputs]
    if options.output is not None and options.output not in ids:
        problems.append(f"there is no output {options.output!r}: expected one of {', '.join(ids)}")
    elif options.output is None and len(ids) != 1:
        problems.append(f"there are {len(ids)} outputs ({', '.join(ids)}): expected one, which the option output names")
    number = ids.index(options.output) if options.output in ids else 0
    others = [name for name in ids if name != ids[number]]
    if others:
        lost.append(f"Outputs other than {ids[number]} are not written: {', '.join(others)}.")
    return number, io.outputs[number]


def _axis_problems(tensor: TensorIO, options: Options, *, is_input: bool) -> Iterator[str]:
    for axis in tensor.axes:
        known = axis.kind in ("batch", "channel") or (axis.kind == "space" and axis.id in SPACE)
        single = isinstance(axis.size, FixedSize) and axis.size.value == 1
        if not known and not single:
            yield f"the axis {axis.id!r} of {tensor.id!r} is not an axis of ZEN: expected batch, channel, z, y, x, or a size of 1"
    if is_input and not {"y", "x"} <= {*tensor.axis_ids}:
        yield f"{tensor.id!r} has the axes {', '.join(tensor.axis_ids)}: expected y and x among them"
    if is_input and options.version.container == "czmodel" and len(_spatial(tensor)) > 2:
        yield f"{tensor.id!r} has three axes in space: expected two in a czmodel file (czann files can have three)"


def _op_problems(tensor: TensorIO, options: Options) -> Iterator[str]:
    for op in tensor.ops:
        if op.name not in KNOWN_OPS:
            yield f"the op {op.name!r} of {tensor.id!r}{plugin_hint('processing_ops', op.name)} cannot be part of a network"
            continue
        try:
            whole = options.statistics is None and _looks_around(op, tensor)
        except DescriptionError as error:
            yield f"the op {op.name!r} of {tensor.id!r} is malformed: {error}"
            continue
        if whole:
            over = ", ".join(dict.fromkeys(axis for m in measures_of(op, tensor.axis_ids) for axis in m.axes))
            yield (
                f"the op {op.name!r} of {tensor.id!r} needs statistics of the complete image (over {over}), while the network gets a block "
                "(the option statistics=block takes those of the block instead)"
            )


def _looks_around(op: OpCall, tensor: TensorIO) -> bool:
    """Return whether an op takes statistics along an axis that ZEN cuts into blocks, or over several images."""
    along = {axis.id for axis in tensor.axes if axis.kind in ("channel", "index")}
    return any(axis not in along for m in measures_of(op, tensor.axis_ids) for axis in m.axes)


def _spatial(tensor: TensorIO) -> list[AxisIO]:
    """Return the axes in space, in the order z, y, x; a z of one plane is left out."""
    axes = [axis for name in SPACE if (axis := tensor.axis(name)) is not None]
    return [axis for axis in axes if axis.id != "z" or axis.size != FixedSize(1)]


def _block(tensor: TensorIO, options: Options, config: Mapping[str, Any]) -> dict[str, int]:
    """Return the size of a block: the requested one, that of the imported file, or the largest accepted one that is not unusually large."""
    axes = _spatial(tensor)
    asked = options.spatial_dims
    if asked is not None and len(asked) != len(axes):
        raise ValueError(f"spatial_dims has {len(asked)} sizes: expected {len(axes)} ({', '.join(a.id for a in axes)})")
    recorded = config.get("input_shape")
    before = tuple(recorded[:-1]) if isinstance(recorded, Sequence) and len(recorded) == len(axes) + 1 else None
    sizes: dict[str, int] = {}
    for number, axis in enumerate(axes):
        if isinstance(axis.size, ReferencedSize):
            continue
        assert isinstance(axis.size, FixedSize | SteppedSize)
        if asked is not None:
            sizes[axis.id] = _accepted(axis.size, asked[number], axis.id)
        elif before is not None and axis.size.smallest(before[number]) == before[number]:
            sizes[axis.id] = before[number]
        else:
            usual = USUAL_SIZE if len(axes) == 2 else USUAL_SIZE_3D
            sizes[axis.id] = axis.size.largest(usual) or axis.size.smallest(1) or usual
    for number, axis in enumerate(axes):
        if isinstance(axis.size, ReferencedSize):
            if axis.size.tensor != tensor.id or axis.size.axis not in sizes:
                raise ValueError(f"the size of axis {axis.id!r} of {tensor.id!r} follows from something that is not exported")
            found = int(sizes[axis.size.axis] * axis.size.ratio) + axis.size.offset
            if asked is not None and asked[number] != found:
                raise ValueError(
                    f"spatial_dims: expected {found} along {axis.id}, which follows from {axis.size.axis}, found {asked[number]}"
                )
            sizes[axis.id] = found
    return {axis.id: sizes[axis.id] for axis in axes}


def _accepted(size: FixedSize | SteppedSize, asked: int, axis: str) -> int:
    if size.smallest(asked) != asked:
        raise ValueError(f"spatial_dims: the network takes {size} along {axis}, found {asked}")
    return asked


def _border(axis: str, tensor: TensorIO, output: TensorIO, options: Options, config: Mapping[str, Any], number: int) -> int:
    """Return the pixels of context that a block has along an axis, in those of the input."""
    if options.border is not None:
        return options.border
    own = output.axis(axis)
    ratio = own.size.ratio if own is not None and isinstance(own.size, ReferencedSize) and own.size.tensor == tensor.id else 1
    halo = -int(-(own.halo if own is not None else 0) // ratio)
    overlap = config.get("min_overlap")
    recorded = config.get("border_size")
    if isinstance(overlap, Sequence) and overlap:
        recorded = -(-int(overlap[number if len(overlap) > number else 0]) // 2)
    # A border for which there was no room in a block came as no halo.
    return int(recorded) if isinstance(recorded, int) and halo in (0, recorded) else halo


def _channel_order(channel: AxisIO | None, count: int, options: Options, lost: list[str]) -> tuple[int, ...] | None:
    """Return which channel of ZEN each of the network is, where they are in another order."""
    names = tuple(name.lower() for name in (channel.channel_names or ())) if channel is not None else ()
    flip = options.rgb_to_bgr
    if flip is None:
        flip = names[:3] in COLORS
        if count == 3 and not flip and names[:3] not in (tuple(reversed(color)) for color in COLORS):
            lost.append(
                "ZEN gives colors in the order blue, green, red, and the channels are taken to be in it "
                "(the option rgb_to_bgr=true is for networks that take red, green, blue)."
            )
    if not flip:
        return None
    if count not in (3, 4):
        raise ValueError(f"rgb_to_bgr is for 3 or 4 channels, the network takes {count}")
    return (2, 1, 0, 3)[:count]


def _without_first_cast(tensor: TensorIO) -> tuple[OpCall, ...]:
    """Return the preprocessing without the casts to the data type of the image: ZEN gives floats, which they would cut off.

    Those to floats go, too, since they change nothing.
    """
    ops = list(tensor.ops)
    while ops and ops[0].name == "ensure_dtype" and ops[0].kwargs.dtype in (tensor.dtype, *FLOATS):
        ops.pop(0)
    return tuple(op for op in ops if not _to_floats(op))


def _without_last_cast(tensor: TensorIO) -> tuple[OpCall, ...]:
    """Return the postprocessing without casts to floats, which change nothing."""
    return tuple(op for op in tensor.ops if not _to_floats(op))


def _to_floats(op: OpCall) -> bool:
    return op.name == "ensure_dtype" and op.kwargs.dtype in FLOATS
