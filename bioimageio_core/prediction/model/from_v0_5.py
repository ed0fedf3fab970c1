"""The normalised inputs and outputs of a model of format 0.5."""

from __future__ import annotations

from typing import Any

from ...blocks import FixedSize, SteppedSize
from ...spec.model import v0_5
from ...typing import FrozenMapping
from .implicit_casts import call_of, with_input_casts, with_output_cast
from .tensor_spec import AxisIO, DataDependentSize, FileRef, ModelIO, OpCall, ReferencedSize, TensorIO, as_fraction

__all__ = ["model_io_v0_5"]


def model_io_v0_5(descr: v0_5.ModelDescr) -> ModelIO:
    """Normalise a description."""
    tensors: tuple[v0_5.TensorDescr, ...] = (*descr.inputs, *descr.outputs)
    scales = {(t.id, a.id): getattr(a, "scale", 1.0) for t in tensors for a in t.axes}
    return ModelIO(
        name=descr.name,
        format="0.5",
        inputs=tuple(_input(t, scales) for t in descr.inputs),
        outputs=tuple(_output(t, scales) for t in descr.outputs),
        run_mode=None if descr.run_mode is None else descr.run_mode.name,
        run_mode_kwargs=FrozenMapping() if descr.run_mode is None else descr.run_mode.kwargs,
    )


def _input(tensor: v0_5.InputTensorDescr, scales: dict[tuple[str, str], float]) -> TensorIO:
    pad = tensor.pad
    return TensorIO(
        id=tensor.id,
        axes=tuple(_axis(tensor.id, a, scales) for a in tensor.axes),
        dtype=tensor.dtype,
        ops=with_input_casts(_ops(tensor.preprocessing), described=tensor.dtype, network=tensor.dtype),
        pad_mode="symmetric" if pad is None else pad.mode,
        pad_value=0.0 if pad is None else pad.value,
        optional=tensor.optional,
        output_of=tensor.output_of,
        test_tensor=_file(tensor.test_tensor),
    )


def _output(tensor: v0_5.OutputTensorDescr, scales: dict[tuple[str, str], float]) -> TensorIO:
    return TensorIO(
        id=tensor.id,
        axes=tuple(_axis(tensor.id, a, scales) for a in tensor.axes),
        dtype=tensor.dtype,
        ops=with_output_cast(_ops(tensor.postprocessing), described=tensor.dtype),
        test_tensor=_file(tensor.test_tensor),
    )


def _ops(steps: tuple[Any, ...]) -> tuple[OpCall, ...]:
    return tuple(call_of(s, s.name if hasattr(s, "name") else s.id) for s in steps)


def _file(file: Any) -> FileRef | None:
    return None if file is None else FileRef(source=str(file.source), sha256=file.sha256)


def _axis(tensor_id: str, axis: Any, scales: dict[tuple[str, str], float]) -> AxisIO:
    return AxisIO(
        id=axis.id,
        kind=axis.type,
        size=_size(tensor_id, axis, scales),
        halo=getattr(axis, "halo", None) or 0,
        scale=getattr(axis, "scale", 1.0),
        unit=getattr(axis, "unit", None),
        concatenable=getattr(axis, "concatenable", False),
        one_at_a_time=axis.type == "batch" and axis.size == 1,
        channel_names=getattr(axis, "channel_names", None),
    )


def _size(tensor_id: str, axis: Any, scales: dict[tuple[str, str], float]) -> FixedSize | SteppedSize | ReferencedSize | DataDependentSize:
    if axis.type == "batch":
        return SteppedSize(1, 1)
    if axis.type == "channel":
        return FixedSize(len(axis.channel_names))
    size = axis.size
    if isinstance(size, int):
        return FixedSize(size)
    if isinstance(size, v0_5.ParameterizedSize):
        return SteppedSize(size.min, size.step)
    if isinstance(size, v0_5.DataDependentSize):
        return DataDependentSize(min=size.min, max=size.max)
    ratio = as_fraction(scales[(size.tensor_id, size.axis_id)], scales[(tensor_id, axis.id)])
    return ReferencedSize(tensor=size.tensor_id, axis=size.axis_id, ratio=ratio, offset=size.offset)
