"""A table of objects as neuroglancer takes it: the properties of segments.

The format: https://github.com/google/neuroglancer/blob/master/src/datasource/precomputed/segment_properties.md
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import PredictionWarning

__all__ = ["MOST_ROWS", "segment_properties"]

MOST_ROWS = 300_000
"""Rows that a browser gets; with the columns of a prediction they take some 50 MB."""

FORMAT = "neuroglancer_segment_properties"


def segment_properties(table: Mapping[str, NDArray[Any]], name: str) -> dict[str, Any]:
    """Return the properties of segments, as plain data for JSON.

    Args:
        table: Columns by name, with ``id``.
        name: Name of the labels, for the warning.

    Warns:
        PredictionWarning: There are more rows than browsers take, so that only the first are shown.

    """
    count = len(table["id"])
    if count > MOST_ROWS:
        message = f"the table of {name} has {count} rows, of which the viewer lists the first {MOST_ROWS}"
        warnings.warn(message, PredictionWarning, stacklevel=2)
    ids = [str(number) for number in table["id"][:MOST_ROWS].tolist()]
    properties = [_property(column, np.asarray(table[column])[:MOST_ROWS]) for column in table if column != "id"]
    first_text = next((one for one in properties if one["type"] == "string"), None)
    if first_text is not None:
        first_text["type"] = "label"  # which is listed beside the number; there is one at most
    return {"@type": FORMAT, "inline": {"ids": ids, "properties": properties}}


def _property(name: str, values: NDArray[Any]) -> dict[str, Any]:
    if values.dtype.kind not in "buif":
        return {"id": name, "type": "string", "values": [str(value) for value in values.tolist()]}
    dtype = _dtype(values)
    numbers = values.astype(dtype).tolist()
    # JSON has no NaN, and browsers read null as 0, but this text as NaN.
    written = [n if np.isfinite(n) else "NaN" for n in numbers] if dtype == np.float32 else numbers
    return {"id": name, "type": "number", "data_type": np.dtype(dtype).name, "values": written}


def _dtype(values: NDArray[Any]) -> type[np.generic]:
    """Return the dtype of a column: integers of at most 32 bits where they hold it."""
    if values.dtype.kind == "b":
        return np.uint8
    if values.dtype.kind in "ui" and values.size:
        for dtype in (np.uint32, np.int32):
            limits = np.iinfo(dtype)
            if limits.min <= values.min() and values.max() <= limits.max:
                return dtype
    return np.float32
