"""Data of labelled arrays in a form that computes: numpy in memory, else dask, which reads when a result is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["computing", "is_in_memory"]


def is_in_memory(data: Any) -> bool:
    """Return whether all values are in memory, as numpy."""
    return isinstance(data, np.ndarray | np.generic)


def computing(data: Any) -> Any:
    """Return data as they are if they are numpy or dask, else as a dask array over what is in storage, in blocks of complete chunks."""
    if is_in_memory(data) or hasattr(data, "dask"):
        return data
    import dask.array as da

    return da.from_array(data, chunks="auto")
