"""The normalised inputs and outputs of a model of format 0.4."""

from __future__ import annotations

from typing import Any

from ...blocks import FixedSize, SteppedSize
from ...errors import InvalidDescriptionError
from ...spec.model import v0_4
from ...typing import FrozenMapping
from .implicit_casts import call_of, with_input_casts, with_output_cast
from .tensor_spec import AxisIO, AxisKind, FileRef, ModelIO, OpCall, ReferencedSize, TensorIO, as_fraction

__all__ = ["model_io_v0_4"]

AXES: dict[str, tuple[str, AxisKind]] = {
    "b": ("batch", "batch"),
    "t": ("time", "time"),
    "i": ("index", "index"),
    "c": ("channel", "channel"),
    "z": ("z", "space"),
    "y": ("y", "space"),
    "x": ("x", "space"),
}
"""Id and kind of each axis letter."""

NETWORK_DTYPE = "float32"
"""The dtype of all network inputs in format 0.4, whatever the dtype of an input tensor."""


def model_io_v0_4(descr: v0_4.ModelDescr) -> ModelIO:
    """Normalise a description.

    Raises:
        InvalidDescriptionError: The axes and the shape of a tensor differ in length.

    """
    inputs = tuple(_input(t, file) for t, file in _with_files(descr.inputs, descr.test_inputs))
    return ModelIO(
        name=descr.name,
        format="0.4",
        inputs=inputs,
        outputs=tuple(_output(t, file) for t, file in _with_files(descr.outputs, descr.test_outputs)),
        run_mode=None if descr.run_mode is None else descr.run_mode.name,
        run_mode_kwargs=FrozenMapping() if descr.run_mode is None else descr.run_mode.kwargs,
    )


def _with_files(tensors: tuple[Any, ...], files: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    """Pair tensors with their test files by position; the format does not require equally many of both."""
    padded = (*files, *(None for _ in tensors[len(files) :]))
    return list(zip(tensors, padded, strict=False))


def _check_rank(tensor: v0_4.TensorDescr, rank: int) -> None:
    """Refuse axes and a shape of different length, which the format only warns of."""
    if rank != len(tensor.axes):
        raise InvalidDescriptionError(
            f"tensor {tensor.name!r} has {len(tensor.axes)} axes ({tensor.axes}) and a shape of {rank} numbers, "
            "so they cannot be assigned to axes: expected one number per axis"
        )


def _input(tensor: v0_4.InputTensorDescr, file: object) -> TensorIO:
    _check_rank(tensor, len(tensor.shape.min if isinstance(tensor.shape, v0_4.ParameterizedInputShape) else tensor.shape))
    if isinstance(tensor.shape, v0_4.ParameterizedInputShape):
        sizes = [SteppedSize(m, s) if s else FixedSize(m) for m, s in zip(tensor.shape.min, tensor.shape.step, strict=True)]
    else:
        sizes = [FixedSize(n) for n in tensor.shape]
    axes = []
    for letter, size in zip(tensor.axes, sizes, strict=True):
        axis_id, kind = AXES[letter]
        if kind == "batch":
            axes.append(AxisIO(id=axis_id, kind=kind, size=SteppedSize(1, 1), one_at_a_time=isinstance(size, FixedSize)))
        else:
            axes.append(AxisIO(id=axis_id, kind=kind, size=size))
    ops = _ops(tensor.preprocessing)
    return TensorIO(
        id=tensor.name,
        axes=tuple(axes),
        dtype=tensor.dtype,
        ops=with_input_casts(ops, described=tensor.dtype if ops else NETWORK_DTYPE, network=NETWORK_DTYPE),
        test_tensor=_file(file),
    )


def _output(tensor: v0_4.OutputTensorDescr, file: object) -> TensorIO:
    _check_rank(tensor, len(tensor.shape.scale if isinstance(tensor.shape, v0_4.ImplicitOutputShape) else tensor.shape))
    halos = tensor.halo or (0,) * len(tensor.axes)
    return TensorIO(
        id=tensor.name,
        axes=tuple(_output_axis(tensor, n, halo) for n, halo in enumerate(halos)),
        dtype=tensor.dtype,
        ops=with_output_cast(_ops(tensor.postprocessing), described=tensor.dtype),
        test_tensor=_file(file),
    )


def _output_axis(tensor: v0_4.OutputTensorDescr, number: int, halo: int) -> AxisIO:
    """Return an output axis; ``size * scale + 2 * offset`` follows the reference tensor's axis of the same letter."""
    axis_id, kind = AXES[tensor.axes[number]]
    if kind == "batch":
        return AxisIO(id=axis_id, kind=kind, size=SteppedSize(1, 1))
    size: FixedSize | ReferencedSize
    if not isinstance(tensor.shape, v0_4.ImplicitOutputShape):
        size = FixedSize(tensor.shape[number])
    else:
        scale, offset = tensor.shape.scale[number], int(2 * tensor.shape.offset[number])
        if scale:
            size = ReferencedSize(tensor=tensor.shape.reference_tensor, axis=axis_id, ratio=as_fraction(scale), offset=offset)
        else:
            size = FixedSize(offset)
    return AxisIO(id=axis_id, kind=kind, size=size, halo=halo if kind in ("space", "time") else 0)


def _ops(steps: tuple[Any, ...]) -> tuple[OpCall, ...]:
    return tuple(call_of(s, s.name) for s in steps)


def _file(source: object) -> FileRef | None:
    return None if source is None else FileRef(source=str(source))
