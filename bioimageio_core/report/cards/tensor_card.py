"""Cards of the inputs and outputs of a model, with their axes and ops."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import attrs

from ...blocks import FixedSize, SteppedSize
from ...prediction.model.tensor_spec import DataDependentSize, ReferencedSize
from ...typing import FrozenMapping
from .description_values import arguments_in_words

__all__ = ["AxisCard", "OpCard", "TensorCard"]


@attrs.frozen(kw_only=True)
class AxisCard:
    """An axis of a tensor."""

    id: str
    kind: str
    size: FixedSize | SteppedSize | ReferencedSize | DataDependentSize
    halo: int
    scale: float
    unit: str | None
    channel_names: tuple[str, ...]

    def size_in_words(self) -> str:
        """Return the size for people, as in ``32 + 16 n`` or ``that of raw.y``."""
        size = self.size
        if isinstance(size, SteppedSize):
            return "any" if (size.min, size.step) == (1, 1) else f"{size.min} + {'' if size.step == 1 else f'{size.step} '}n"
        if isinstance(size, DataDependentSize):
            bounds = f"at least {size.min}" + (f", at most {size.max}" if size.max is not None else "")
            return f"decided by the network ({bounds})"
        if isinstance(size, ReferencedSize):
            times = "" if size.ratio == 1 else f"{size.ratio} x "
            offset = f" {'+' if size.offset > 0 else '-'} {abs(size.offset)}" if size.offset else ""
            return f"{times}that of {size.tensor}.{size.axis}{offset}"
        return str(size.value)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data; a fixed ``size`` is a number, any other a mapping."""
        size: Any
        if isinstance(self.size, FixedSize):
            size = self.size.value
        elif isinstance(self.size, ReferencedSize):
            size = {"tensor": self.size.tensor, "axis": self.size.axis, "ratio": _plain_ratio(self.size.ratio), "offset": self.size.offset}
        elif isinstance(self.size, SteppedSize):
            size = {"min": self.size.min, "step": self.size.step}
        else:
            size = {"min": self.size.min, "max": self.size.max, "decided_by": "network"}
        return {
            "id": self.id,
            "type": self.kind,
            "size": size,
            "size_in_words": self.size_in_words(),
            "halo": self.halo,
            "scale": self.scale,
            "unit": self.unit,
            "channel_names": list(self.channel_names),
        }


@attrs.frozen(kw_only=True)
class OpCard:
    """A pre- or postprocessing op, or a run mode, as the description has it."""

    name: str
    kwargs: FrozenMapping[str, Any]
    known: bool
    """Whether an installed plugin provides the op."""

    fits: bool = True
    """Whether that plugin accepts the arguments."""

    summary: str = ""
    """What the op does, in the words of its plugin."""

    def in_words(self) -> str:
        """Return the op as a call."""
        why_not = "" if self.fits else " (the installed plugin does not take this)"
        return f"{self.name}({arguments_in_words(self.kwargs)})" + (why_not if self.known else " (no installed plugin brings it)")

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"name": self.name, "kwargs": dict(self.kwargs), "known": self.known, "fits": self.fits, "summary": self.summary}


@attrs.frozen(kw_only=True)
class TensorCard:
    """An input or output."""

    id: str
    description: str
    dtype: str
    values: str
    """Range or set of its values, in words; empty if the description gives none."""

    optional: bool
    axes: tuple[AxisCard, ...]
    ops: tuple[OpCard, ...]
    result: str = ""
    """What the ops make of the tensor, in words, where they label objects or change axes or sizes; else empty."""

    def as_dict(self, ops: str) -> dict[str, Any]:
        """Return plain data, with the ops under the key `ops`."""
        return {
            "id": self.id,
            "description": self.description,
            "dtype": self.dtype,
            "values": self.values,
            "optional": self.optional,
            "axes": [a.as_dict() for a in self.axes],
            ops: [o.as_dict() for o in self.ops],
            "result": self.result,
        }


def _plain_ratio(ratio: Fraction) -> float | int:
    return ratio.numerator if ratio.denominator == 1 else float(ratio)
