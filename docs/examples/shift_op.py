"""The op ``shift``: pixels move along an axis, by a share of its size. The share is of a type of its own."""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import Any, Literal

from cattrs import Converter

from bioimageio_core.registry import Needs, ProcessingOpEntry, hookimpl
from bioimageio_core.spec.constraints import json_schema
from bioimageio_core.spec.node import Node, node


@json_schema({"type": "string", "pattern": "^-?[0-9]+(/[0-9]+)?$"})
class Share(Fraction):
    """A share of the size of an axis; a string such as ``1/4`` in documents."""


@node
class ShiftKwargs(Node):
    shares: dict[str, Share]


@node
class ShiftDescr(Node):
    """Move every pixel by a share of the size of some axes."""

    id: Literal["shift"] = "shift"
    kwargs: ShiftKwargs


def configure(converter: Converter) -> None:
    converter.register_structure_hook(Share, lambda value, _: Share(str(value)))  # raises ValueError for "much"
    converter.register_unstructure_hook(Share, str)


def shift(shares: dict[str, Share], axes: tuple[str, ...], x: Any, measured: Any) -> Any:
    import numpy as np

    return np.roll(x, [int(s * x.shape[axes.index(axis)]) for axis, s in shares.items()], [axes.index(axis) for axis in shares])


def load() -> Any:
    return lambda kwargs, axes: partial(shift, kwargs.shares, axes)  # unlike a lambda, a partial can be sent to other processes


@hookimpl
def bioimageio_processing_ops() -> Iterator[ProcessingOpEntry]:
    def needs(kwargs: ShiftKwargs, axes: tuple[str, ...]) -> Needs:
        return Needs(whole_axes=tuple(kwargs.shares))  # where a pixel moves to depends on the size of the axis

    yield ProcessingOpEntry(name="shift", descr={"0.5": ShiftDescr}, load=load, requirements=needs, configure=configure)
