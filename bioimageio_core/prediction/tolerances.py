"""How much an output may differ from its test tensor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

__all__ = ["Tolerance", "tolerance_for"]


@attrs.frozen(kw_only=True)
class Tolerance:
    """An element differs where ``|actual - expected| > absolute + relative * |expected|``."""

    relative: float
    absolute: float
    mismatched_per_million: float
    """So many elements may differ."""


CONTINUOUS = Tolerance(relative=1e-3, absolute=1e-3, mismatched_per_million=100)
"""Defaults of format 0.5.14 for floating point outputs."""

DISCRETE = Tolerance(relative=0.0, absolute=0.0, mismatched_per_million=1000)
"""Defaults of format 0.5.14 for integer and boolean outputs."""


def tolerance_for(descr: Any, *, output_id: str, dtype: str, weights_format: str) -> Tolerance:
    """Return the tolerance of an output: the first entry of ``config.bioimageio.reproducibility_tolerance`` that concerns it.

    An entry concerns an output by its id, or by its kind (``any_continuous_output``, ``any_discrete_output``), or all of them
    where it names none; and all weights formats where it names none.
    What an entry leaves out takes the default of the output's kind.
    """
    discrete = not dtype.startswith("float")
    default = DISCRETE if discrete else CONTINUOUS
    for entry in _entries(descr):
        formats = entry.get("weights_formats") or ()
        if formats and weights_format not in formats:
            continue
        ids = entry.get("output_ids") or ()
        kind = "any_discrete_output" if discrete else "any_continuous_output"
        if ids and ids != kind and (isinstance(ids, str) or output_id not in ids):
            continue
        return Tolerance(
            relative=float(entry.get("relative_tolerance", default.relative)),
            absolute=float(entry.get("absolute_tolerance", default.absolute)),
            mismatched_per_million=float(entry.get("mismatched_elements_per_million", default.mismatched_per_million)),
        )
    return default


def _entries(descr: Any) -> tuple[Mapping[str, Any], ...]:
    found: Any = descr.config
    for key in ("bioimageio", "reproducibility_tolerance"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return tuple(e for e in found if isinstance(e, Mapping)) if isinstance(found, list | tuple) else ()
