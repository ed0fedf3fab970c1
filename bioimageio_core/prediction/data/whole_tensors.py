"""Tensors that are processed before blocks read them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

from ...blocks import Window
from .bind_inputs import pad_windows
from .tensor_view import Readable, TensorView

__all__ = ["ArraySource", "PaddedSource", "ProcessedSource", "read_whole"]


class PaddedSource(Protocol):
    """The source that blocks of an input are read from."""

    def read_padded(self, windows: Sequence[Window]) -> NDArray[Any]:
        """Return the padded region that the windows describe, extra axes first."""
        ...


@attrs.frozen(kw_only=True, eq=False)
class ProcessedSource:
    """A processed tensor as a source of blocks: processed first, then padded."""

    source: Readable
    pad_value: float = 0.0

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return the region ``[start, stop)``."""
        return self.source.read(start, stop)

    def read_padded(self, windows: Sequence[Window]) -> NDArray[Any]:
        """Return the padded region that the windows describe."""
        region = self.read([w.start for w in windows], [w.stop for w in windows])
        return pad_windows(region, windows, self.pad_value)


@attrs.frozen(kw_only=True, eq=False)
class ArraySource:
    """A whole tensor in memory."""

    array: NDArray[Any]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the array."""
        return self.array.dtype

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return the region ``[start, stop)``."""
        return self.array[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]


def read_whole(view: TensorView) -> NDArray[Any]:
    """Return the whole processed tensor, computed one position of the extra axes at a time."""
    counts = view.shape[: view.extra]
    rest = view.shape[view.extra :]
    items = [view.read((*at, *(0 for _ in rest)), (*(i + 1 for i in at), *rest)) for at in product(*(range(n) for n in counts))]
    if len(items) == 1:
        return items[0]
    return np.concatenate([i.reshape((1, *i.shape[view.extra :])) for i in items]).reshape(*counts, *items[0].shape[view.extra :])
