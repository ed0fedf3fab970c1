"""The op ``flat_field``: even out the lighting with an image of an evenly lit field, which comes with the model."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Literal

import attrs

from bioimageio_core.errors import InputError
from bioimageio_core.registry import Needs, OpContext, ProcessingOp, ProcessingOpEntry, hookimpl
from bioimageio_core.spec.fields import suffix
from bioimageio_core.spec.files import FileDescr
from bioimageio_core.spec.node import Node, node


@node
class FlatFieldKwargs(Node):
    field: FileDescr = attrs.field(validator=suffix(".npy"))


@node
class FlatFieldDescr(Node):
    id: Literal["flat_field"] = "flat_field"
    kwargs: FlatFieldKwargs


def needs(kwargs: FlatFieldKwargs, axes: tuple[str, ...]) -> Needs:
    return Needs(whole_axes=("y", "x"), dtype="float32")  # along which the field varies


def correct(field: Any, tensor: Any, measured: Any) -> Any:
    if any(size not in (1, given) for size, given in zip(field.shape, tensor.shape, strict=True)):
        raise InputError(f"the flat field has the shape {field.shape}: expected the size of the image, {tensor.shape}, along y and x")
    return tensor.astype("float32") * (field.mean() / field)


def make(kwargs: FlatFieldKwargs, axes: tuple[str, ...], context: OpContext) -> ProcessingOp:
    import numpy as np

    try:
        field = np.load(context.files["field"], allow_pickle=False).astype("float32")
        return partial(correct, np.expand_dims(field, [n for n, axis in enumerate(axes) if axis not in ("y", "x")]))
    except ValueError as error:
        raise InputError(f"{kwargs.field.source} cannot be read as an image along y and x: {error}") from error


@hookimpl
def bioimageio_processing_ops() -> Iterator[ProcessingOpEntry]:
    yield ProcessingOpEntry(name="flat_field", descr={"0.5": FlatFieldDescr}, load=lambda: make, requirements=needs)
