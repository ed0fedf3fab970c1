"""What the values of a tensor mean, in model format 0.5."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Annotated, Literal, TypeAlias

import attrs

from ....structuring.format_value import format_value
from ....structuring.scalars import NonFinite
from ...constraints import anchored, json_schema
from ...fields import DType, non_empty
from ...node import Issue, Node, node

__all__ = ["Data", "IntervalOrRatioDataDescr", "NominalOrOrdinalDataDescr", "SiUnit"]

_UNIT = r"(?:Q|R|Y|Z|E|P|T|G|M|k|h|da|d|c|m|µ|n|p|f|a|z|y|r|q)?(?:Wb|lm|lx|Bq|Gy|Sv|kat|mol|cd|Hz|Pa|m|g|s|A|K|N|J|W|C|V|F|Ω|S|T|H|l|L)"
_POWER = r"(?:\^[+-]?[1-9][0-9]*)?"
_UNSIGNED_POWER = r"(?:\^\+?[1-9][0-9]*)*"


def _units(times: str) -> str:
    return rf"{_UNIT}{_POWER}(?:{times}{_UNIT}{_POWER}|/{_UNIT}{_UNSIGNED_POWER})*"


_SI_UNIT = re.compile(_units("·"))


@json_schema({"pattern": anchored(_units("[·×* ]"))})
def _si_unit(value: str) -> str:
    normal = re.sub(r"[×* ]", "·", value)
    if _SI_UNIT.fullmatch(normal) is None:
        raise ValueError(f"expected an SI unit such as µm or kg·m^2/s, found {format_value(value)}")
    return normal


SiUnit: TypeAlias = Annotated[str, _si_unit]
"""Units with prefixes and powers, joined by ``·`` or ``/``; ``*``, ``×`` and spaces become ``·``."""

_Bound: TypeAlias = Annotated[float, NonFinite()] | None

_LIMITS = {
    f"{sign}int{bits}": (0, 2**bits - 1) if sign else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    for sign in ("u", "")
    for bits in (8, 16, 32, 64)
}
_LIMITS["float32"] = (-3.4028234663852886e38, 3.4028234663852886e38)


@node
class NominalOrOrdinalDataDescr(Node):
    """Values from a list, such as labels of classes."""

    values: tuple[bool | int | float | str, ...] = attrs.field(validator=non_empty)
    type: DType = "uint8"
    unit: Literal["arbitrary unit"] | SiUnit | None = None

    def problems(self) -> Iterator[Issue]:
        """Yield values that the dtype cannot hold."""
        if any(isinstance(v, str) for v in self.values):
            if not all(isinstance(v, str) for v in self.values):
                yield Issue(loc=("values",), message=f"expected values of one kind, found {format_value(self.values)}")
            elif not self.type.startswith("uint"):
                yield Issue(loc=("type",), message=f"expected an unsigned integer type for names as values, found {self.type!r}")
            return
        for index, value in enumerate(self.values):
            if self.type == "bool":
                fits = isinstance(value, bool)
            elif self.type.startswith("float"):
                fits = True
            else:
                fits = isinstance(value, int)
            if not fits or not _within(value, self.type):
                yield Issue(loc=("values", index), message=f"expected a value that {self.type} can hold, found {format_value(value)}")


def _within(value: bool | int | float | str, dtype: str) -> bool:
    low, high = _LIMITS.get(dtype, (-math.inf, math.inf))
    return not isinstance(value, (int, float)) or low <= value <= high


@node
class IntervalOrRatioDataDescr(Node):
    """Values on a scale."""

    type: Literal["float32", "float64", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"] = "float32"
    range: tuple[_Bound, _Bound] = (None, None)
    """Least and greatest value; null and infinity both mean that there is no bound."""

    unit: Literal["arbitrary unit"] | SiUnit = "arbitrary unit"
    scale: float = 1.0
    offset: float | None = None

    def problems(self) -> Iterator[Issue]:
        """Yield bounds that are no numbers."""
        for index, bound in enumerate(self.range):
            if bound is not None and math.isnan(bound):
                yield Issue(loc=("range", index), message="expected a number or null, found NaN")
            elif bound is not None and math.isinf(bound):
                yield Issue(loc=("range", index), message=f"expected null where there is no bound, found {bound}", severity="warning")


Data: TypeAlias = NominalOrOrdinalDataDescr | IntervalOrRatioDataDescr
