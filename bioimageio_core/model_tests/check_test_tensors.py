"""Checks that test tensors have the described axes, sizes and dtypes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import floor
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from ..blocks import SteppedSize
from ..errors import InvalidDescriptionError
from ..prediction.model.from_v0_4 import model_io_v0_4
from ..prediction.model.from_v0_5 import model_io_v0_5
from ..prediction.model.tensor_spec import AxisIO, DataDependentSize, ModelIO, ReferencedSize, TensorIO
from ..spec.model import v0_4, v0_5
from ..spec.node import Issue, Loc, Node
from ..text import in_brief
from ..typing import Severity

__all__ = ["tensor_problems"]


@attrs.frozen(kw_only=True)
class _Header:
    """The header of a ``.npy`` file."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def tensor_problems(descr: Node, paths: Mapping[str, Path]) -> Iterator[Issue]:
    """Yield the problems of the test tensors of a model; nothing for other resources.

    Sizes of outputs may include their halo or not.
    In format 0.4, which specifies test tensors less strictly, other dtypes and sizes than described are warnings.

    Args:
        descr: A description.
        paths: Local paths of its files, by source; missing files are skipped.

    """
    if not isinstance(descr, v0_4.ModelDescr | v0_5.ModelDescr):
        return
    try:
        io = model_io_v0_4(descr) if isinstance(descr, v0_4.ModelDescr) else model_io_v0_5(descr)
    except InvalidDescriptionError:  # axes and shape differ in number, which validation reports
        return
    headers: dict[str, _Header] = {}
    for tensor, loc in _with_locs(io):
        path = paths.get(tensor.test_tensor.source) if tensor.test_tensor is not None else None
        if path is not None:
            try:
                headers[tensor.id] = _header(path)
            except (ValueError, TypeError, OSError, EOFError, OverflowError) as error:
                yield Issue(loc=loc, message=f"expected a complete .npy file, found {in_brief(error)}")
    severity: Severity = "warning" if io.format == "0.4" else "error"
    for tensor, loc in _with_locs(io):
        if tensor.id in headers:
            yield from _compared(tensor, headers, io, loc, severity)


def _with_locs(io: ModelIO) -> Iterator[tuple[TensorIO, Loc]]:
    """Yield every tensor, and the location of its test tensor in the description."""
    for key, tensors in (("inputs", io.inputs), ("outputs", io.outputs)):
        for index, tensor in enumerate(tensors):
            yield tensor, ((f"test_{key}", index) if io.format == "0.4" else (key, index, "test_tensor", "source"))


def _header(path: Path) -> _Header:
    """Read the header of a ``.npy`` file, and check the length of the file by mapping it, which reads no values."""
    array = np.lib.format.open_memmap(path, mode="r")
    return _Header(shape=array.shape, dtype=array.dtype)


def _compared(tensor: TensorIO, headers: Mapping[str, _Header], io: ModelIO, loc: Loc, severity: Severity) -> Iterator[Issue]:
    header = headers[tensor.id]
    if not _is_accepted(header.dtype, np.dtype(tensor.dtype)):
        yield Issue(loc=loc, message=f"expected the dtype of tensor {tensor.id!r}, {tensor.dtype}, found {header.dtype}", severity=severity)
    if len(header.shape) != len(tensor.axes):
        axes = ", ".join(tensor.axis_ids)
        message = f"expected {len(tensor.axes)} axes ({axes}) as tensor {tensor.id!r} has, found {len(header.shape)}: shape {header.shape}"
        yield Issue(loc=loc, message=message)
        return
    for axis, size in zip(tensor.axes, header.shape, strict=True):
        wrong = _wrong_size(axis, size, headers, io)
        if wrong:
            message = f"expected {wrong} along axis {axis.id!r} of tensor {tensor.id!r}, found {size}: shape {header.shape}"
            yield Issue(loc=loc, message=message, severity=severity)


def _is_accepted(found: np.dtype[Any], described: np.dtype[Any]) -> bool:
    """Return whether a file may hold this dtype: any numbers for floats, else the described dtype in either byte order."""
    return found.kind in "fiu" if described.kind == "f" else found.newbyteorder("=") == described


def _wrong_size(axis: AxisIO, size: int, headers: Mapping[str, _Header], io: ModelIO) -> str:
    """Return the expected size if a size does not fit; empty if it fits, or if the expected size is not known."""
    allowed = axis.size
    if isinstance(allowed, DataDependentSize):
        above = allowed.max is not None and size > allowed.max
        bounds = f"at least {allowed.min}" + ("" if allowed.max is None else f" and at most {allowed.max}")
        return bounds if size < allowed.min or above else ""
    if isinstance(allowed, SteppedSize):
        fits = any(s >= allowed.min and (s - allowed.min) % allowed.step == 0 for s in (size, size + 2 * axis.halo))
        words = "at least 1" if (allowed.min, allowed.step) == (1, 1) else f"{allowed.min} + n * {allowed.step}"
        return "" if fits else words
    if isinstance(allowed, ReferencedSize):
        expected = _referenced(allowed, headers, io)
        if expected is None:
            return ""
        words = f"{expected} (from {allowed.tensor}.{allowed.axis})"
    else:
        expected, words = allowed.value, str(allowed.value)
        if axis.kind == "channel":
            names = f" ({', '.join(axis.channel_names)})" if axis.channel_names else ""
            words = f"{allowed.value} channel{'s' * (allowed.value != 1)}{names}"
    if size in (expected, expected - 2 * axis.halo):
        return ""
    return words + (f" or, without halo, {expected - 2 * axis.halo}" if axis.halo else "")


def _referenced(size: ReferencedSize, headers: Mapping[str, _Header], io: ModelIO) -> int | None:
    """Return the size that follows from the test tensor that is referred to; None where it cannot be read."""
    header = headers.get(size.tensor)
    if header is None:
        return None
    ids = io.tensor(size.tensor).axis_ids
    if size.axis not in ids or len(ids) != len(header.shape):
        return None
    return floor(header.shape[ids.index(size.axis)] * size.ratio) + size.offset
