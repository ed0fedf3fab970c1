"""The values of a tensor in words."""

from __future__ import annotations

import math
from typing import Any

from ...spec.model.v0_5.data import NominalOrOrdinalDataDescr

__all__ = ["values_in_words"]

_MANY = 8
"""If there are more values than this, some are left out."""


def values_in_words(descr: Any) -> str:
    """Return the values that a tensor may have, such as ``0 to 255``; empty if the description gives none.

    Args:
        descr: A tensor of format 0.4 or 0.5; if its channels differ, each kind of data is named once.

    """
    if hasattr(descr, "data_range"):
        return _range(*descr.data_range) if descr.data_range is not None else ""
    data = descr.data if isinstance(descr.data, tuple) else (descr.data,)
    return "; ".join(dict.fromkeys(words for one in data if (words := _data(one))))


def _data(data: Any) -> str:
    unit = "" if data.unit in (None, "arbitrary unit") else f" {data.unit}"
    if isinstance(data, NominalOrOrdinalDataDescr):
        values = [str(v) for v in data.values]
        return f"one of {', '.join(values if len(values) <= _MANY else [*values[: _MANY - 2], '...', values[-1]])}{unit}"
    words = _range(*data.range)
    return f"{words}{unit}" if words else unit.strip()


def _range(low: float | None, high: float | None) -> str:
    """Return two bounds in words; None and infinity are no bound."""
    least = None if low is None or math.isinf(low) else f"{low:g}"
    most = None if high is None or math.isinf(high) else f"{high:g}"
    if least is None:
        return "" if most is None else f"at most {most}"
    return f"at least {least}" if most is None else f"{least} to {most}"
