"""The op ``subtract_median``: subtracts the median of the complete sample."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import attrs

from bioimageio_core.errors import DescriptionError
from bioimageio_core.registry import Measure, Needs, ProcessingOpEntry, ProcessingOpFactory, hookimpl
from bioimageio_core.spec.fields import AxisId, all_of, matches, non_empty, unique
from bioimageio_core.spec.node import Node, node

__all__ = ["SubtractMedianDescr", "SubtractMedianDescrV04", "SubtractMedianKwargs", "SubtractMedianKwargsV04", "bioimageio_processing_ops"]


@node
class SubtractMedianKwargs(Node):
    """Arguments of `SubtractMedianDescr`."""

    axes: tuple[AxisId, ...] | None = attrs.field(default=None, validator=all_of(non_empty, unique))
    """Axes that the median is taken over: all but ``batch`` and ``channel`` by default, so that every channel has a median of its own.

    With ``batch`` it is the median of the dataset."""


@node
class SubtractMedianDescr(Node):
    """Subtract the median of the sample."""

    id: Literal["subtract_median"] = "subtract_median"
    kwargs: SubtractMedianKwargs = SubtractMedianKwargs()


@node
class SubtractMedianKwargsV04(Node):
    """Arguments of `SubtractMedianDescrV04`."""

    axes: str | None = attrs.field(default=None, validator=all_of(matches(r"[czyx]+", "axes of the letters c, z, y, x"), unique))
    """Axes that the median is taken over, as in ``yx``: all but ``b`` and ``c`` by default."""


@node
class SubtractMedianDescrV04(Node):
    """Subtract the median of the sample, in descriptions of format 0.4."""

    name: Literal["subtract_median"] = "subtract_median"
    kwargs: SubtractMedianKwargsV04 = SubtractMedianKwargsV04()


def median(kwargs: Any, axes: tuple[AxisId, ...]) -> Measure:
    """Return the statistic that is subtracted: the exact median, between the two middle values where their number is even.

    Raises:
        DescriptionError: The tensor lacks an axis that the median is to be taken over, or has none to take it over.

    """
    written = None if kwargs is None else kwargs.axes
    if written is None:
        over = tuple(a for a in axes if a not in ("batch", "channel"))
    else:
        over = tuple("channel" if a == "c" else a for a in written)
    missing = [a for a in over if a not in axes]
    if missing or not over:
        wrong = f"found {missing[0]!r}" if missing else "found none beside batch and channel"
        raise DescriptionError(f"subtract_median: expected axes to be some of the tensor's axes {', '.join(axes)}, {wrong}")
    return Measure(kind="percentile", axes=tuple(a for a in axes if a in over), q=50.0)


def needs(kwargs: Any, axes: tuple[AxisId, ...]) -> Needs:
    """Return that the op wants the median."""
    return Needs(measures=(median(kwargs, axes),), dtype="float32")


def _load() -> ProcessingOpFactory:
    from .op import make_subtract_median

    return make_subtract_median


@hookimpl
def bioimageio_processing_ops() -> Iterator[ProcessingOpEntry]:
    """Yield the op."""
    yield ProcessingOpEntry(
        name="subtract_median",
        descr={"0.4": SubtractMedianDescrV04, "0.5": SubtractMedianDescr},
        load=_load,
        requirements=needs,
        summary="subtract the median of the sample",
    )
