"""Sizes of axes in model format 0.5."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, TypeAlias

import attrs

from ....structuring.scalars import Strict
from ...constraints import json_schema
from ...fields import AxisId, TensorId, in_range
from ...node import Issue, Node, node

__all__ = ["DataDependentSize", "FixedSize", "ParameterizedSize", "SizeReference"]


@json_schema({"minimum": 1})
def _positive(value: int) -> int:
    if value < 1:
        raise ValueError(f"expected a size of at least 1, found {value}")
    return value


FixedSize: TypeAlias = Annotated[int, _positive]


@node
class ParameterizedSize(Node):
    """All sizes ``min + n * step`` with n = 0, 1, 2, ..."""

    min: int = attrs.field(validator=in_range(1))
    step: int = attrs.field(validator=in_range(1))


@node
class SizeReference(Node):
    """A size that follows from that of another axis: ``int(size * its scale / own scale + offset)``."""

    tensor_id: TensorId
    axis_id: AxisId
    offset: Annotated[int, Strict()] = 0


@node
class DataDependentSize(Node):
    """A size that is known only once the model has run."""

    min: int = attrs.field(default=1, validator=in_range(1))
    max: int | None = attrs.field(default=None, validator=in_range(2))

    def problems(self) -> Iterator[Issue]:
        """Yield that no size is possible."""
        if self.max is not None and self.min >= self.max:
            yield Issue(loc=(), message=f"expected min < max, found min {self.min} and max {self.max}")
