"""The labels of objects in windows, stored side by side between the pass that labels and those that join and write."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...planning.outputs.label_windows import LabelWindows
from ..sinks import ReadableSink

__all__ = ["StoredWindows"]


@attrs.frozen(kw_only=True, eq=False)
class StoredWindows:
    """Labels of windows: 0 where there is no object, and 1 to the number of objects in a window."""

    windows: LabelWindows
    sink: ReadableSink

    @property
    def is_picklable(self) -> bool:
        """Whether other processes can read and write them."""
        return self.sink.is_picklable

    def write(self, number: int, labels: NDArray[Any]) -> None:
        """Write the labels of a window."""
        after = [(0, t - n) for t, n in zip(self.windows.tile, labels.shape, strict=True)]
        self.sink.write(self.windows.place(number), np.pad(labels, after))

    def read(self, number: int) -> NDArray[Any]:
        """Return the labels of a window."""
        start, stop = self.windows.window(number)
        place = self.windows.place(number)
        return self.sink.read(place, [p + b - a for p, a, b in zip(place, start, stop, strict=True)])

    def core(self, number: int) -> tuple[slice, ...]:
        """Return the part of a window that is its box."""
        start, _ = self.windows.window(number)
        return tuple(slice(a - low, b - low) for a, b, low in zip(*self.windows.boxes.box(number), start, strict=True))
