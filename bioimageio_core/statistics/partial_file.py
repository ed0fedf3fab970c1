"""Accumulators as bytes, for processes that share a pass; plain arrays, since a pickle from a shared folder could run code."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from .partial import GroupPartial, Partial

__all__ = ["partial_from_bytes", "partial_to_bytes"]


def partial_to_bytes(partial: Partial) -> bytes:
    """Return an accumulator as the bytes of an ``.npz`` file."""
    arrays: dict[str, NDArray[Any]] = {"seen": np.array([partial.pass_index, partial.seen, partial.nan_count], np.int64)}
    for number, part in enumerate(partial.parts):
        arrays |= {f"{number}.{name}": array for name, array in _arrays(part).items()}
    file = BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def partial_from_bytes(data: bytes, empty: Partial) -> Partial:
    """Return the accumulator that was made bytes of.

    Args:
        data: What `partial_to_bytes` returned.
        empty: A new accumulator of the same pass, which is filled.

    Raises:
        ValueError: The bytes are not an accumulator of this pass.

    """
    try:
        return _read(data, empty)
    except (KeyError, OSError, EOFError, BadZipFile) as error:
        raise ValueError(f"expected an accumulator, found {len(data)} other bytes ({type(error).__name__})") from error


def _read(data: bytes, empty: Partial) -> Partial:
    with np.load(BytesIO(data), allow_pickle=False) as arrays:
        pass_index, seen, nan_count = (int(n) for n in arrays["seen"])
        if pass_index != empty.pass_index:
            raise ValueError(f"expected an accumulator of pass {empty.pass_index + 1}, found one of pass {pass_index + 1}")
        empty.seen, empty.nan_count = seen, nan_count
        for number, part in enumerate(empty.parts):
            prefix = f"{number}."
            _fill(part, {name.removeprefix(prefix): arrays[name] for name in arrays.files if name.startswith(prefix)})
    return empty


def _arrays(part: GroupPartial) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {"n": part.n}
    if part.moments is not None:
        arrays |= {"count": part.moments.n, "mean": part.moments.mean, "squares": part.moments.squares}
    if part.extremes is not None:
        arrays |= {"low": part.extremes.low, "high": part.extremes.high}
    arrays |= {f"own{number}": own.state for number, own in enumerate(part.own)}
    arrays |= {f"bins{number}": bins.counts for number, bins in enumerate(part.bin_counts)}
    if part.histogram is not None:
        arrays["keys"], arrays["counts"] = part.histogram.pairs()
    return arrays


def _fill(part: GroupPartial, arrays: dict[str, NDArray[Any]]) -> None:
    part.n[:] = arrays["n"]
    if part.moments is not None:
        part.moments.n[:], part.moments.mean[:], part.moments.squares[:] = arrays["count"], arrays["mean"], arrays["squares"]
    if part.extremes is not None:
        part.extremes.low[:], part.extremes.high[:] = arrays["low"], arrays["high"]
    for number, own in enumerate(part.own):
        own.state[:] = arrays[f"own{number}"]
    for number, bins in enumerate(part.bin_counts):
        bins.counts[:] = arrays[f"bins{number}"]
    if part.histogram is not None:
        part.histogram.add_counts(arrays["keys"], arrays["counts"])
