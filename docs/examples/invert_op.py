"""The op ``invert``: bright becomes dark."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Literal

import attrs

from bioimageio_core.registry import Needs, ProcessingOp, ProcessingOpEntry, hookimpl
from bioimageio_core.spec.node import Node, node


@node
class InvertKwargs(Node):
    maximum: float = attrs.field(default=255.0, validator=attrs.validators.gt(0))
    """The value that becomes zero."""


@node
class InvertDescr(Node):
    """Subtract every pixel from a maximum."""

    id: Literal["invert"] = "invert"
    kwargs: InvertKwargs = InvertKwargs()


def needs(kwargs: InvertKwargs, axes: tuple[str, ...]) -> Needs:
    return Needs(dtype="float32")  # every pixel on its own: nothing else is needed


def invert(kwargs: InvertKwargs, tensor: Any, measured: Any) -> Any:
    return kwargs.maximum - tensor.astype("float32")


def make(kwargs: InvertKwargs, axes: tuple[str, ...]) -> ProcessingOp:
    return partial(invert, kwargs)  # unlike a lambda, it can be sent to other processes


def load() -> Any:
    return make


@hookimpl
def bioimageio_processing_ops() -> Iterator[ProcessingOpEntry]:
    yield ProcessingOpEntry(name="invert", descr={"0.5": InvertDescr}, load=load, requirements=needs, summary="bright becomes dark")
