"""Images that macros run on: pixels, and a record of operations on pixels that are not yet known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from .macro_image import Histogram, Statistics
from .macro_tree import MacroError
from .macro_values import Bin, Count, DependsOnImageError, HistogramValue, Side, Statistic, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Arithmetic", "Masked", "PixelImage", "RecordedImage"]

NEAR = 3
"""Bins around one that was searched for, within which a macro may take its value."""


@attrs.frozen
class Arithmetic:
    """The same number is added to all pixels, or they are multiplied by it, and so on."""

    what: str
    value: Value


@attrs.frozen
class Masked:
    """Pixels within bounds, these included, become one number, all others another."""

    low: float
    high: float
    inside: float
    outside: float


@attrs.define
class RecordedImage:
    """Records steps; shares of pixels in histograms are taken to be reached in bins of its choice."""

    margin: int
    """Bins at both ends of histograms in which no share is taken to be reached; two runs with other margins show what depends on it."""

    steps: list[Arithmetic | Masked] = attrs.Factory(list)
    _bits: int = 32
    _searched: dict[tuple[float, bool], int] = attrs.Factory(dict)

    def arithmetic(self, what: str, value: Value) -> None:
        """Record a step."""
        if self.steps and isinstance(last := self.steps[-1], Masked):
            if not isinstance(value, int | float):
                raise DependsOnImageError("the macro computes with statistics of a mask")
            change = _scalar(what, self._bits)
            self.steps[-1] = attrs.evolve(last, inside=change(last.inside, value), outside=change(last.outside, value))
        elif self._bits != 32:
            raise DependsOnImageError("the macro computes in integers")
        else:
            self.steps.append(Arithmetic(what, value))

    def function(self, name: str) -> None:
        """Refuse."""
        raise DependsOnImageError(f"the macro applies {name} to pixels")

    def convert(self, bits: int) -> None:
        """Take note of it; integers are not followed, but for masks."""
        if bits != 32 and not (self.steps and isinstance(self.steps[-1], Masked)):
            raise DependsOnImageError("the macro converts pixels to integers, by the range that they have")
        self._bits = bits

    def mask(self, low: Value, high: Value) -> None:
        """Record a step."""
        if not isinstance(low, int | float) or not isinstance(high, int | float) or (self.steps and isinstance(self.steps[-1], Masked)):
            raise DependsOnImageError("the macro has a threshold that depends on the image")
        self.steps.append(Masked(low, high, 255.0, 0.0))
        self._bits = 8

    def statistics(self) -> Statistics:
        """Return symbols."""
        step = self._measurable()
        return Statistics(Count(1, 1), Statistic("mean", step), Statistic("min", step), Statistic("max", step), std=Statistic("std", step))

    def histogram(self, bins: int) -> Histogram:
        """Return symbols."""
        step = self._measurable()
        return Histogram(_BinStarts(self, bins, step), [Bin(n, bins) for n in range(bins)])

    def sides(self) -> tuple[Value, Value]:
        """Return symbols."""
        return Side("width"), Side("height")

    def reaches(self, count: Count, share: float, *, more: bool) -> bool:
        """Answer as if the share was reached in a certain bin."""
        if not 0 <= share <= 1:
            return share < 0
        return count.first >= self._bin_of(share, more, max(count.bins, 2)) if count.bins > 1 or count.first == 0 else True

    def _bin_of(self, share: float, more: bool, bins: int) -> int:
        if share == 0 and not more:
            return 0
        if bins == 2:  # of a count of nothing yet, in a histogram of any size
            return 1
        if bins < 4 * (self.margin + NEAR):
            raise DependsOnImageError("the macro takes a histogram of few bins")
        found = self.margin + round(share * (bins - 2 * self.margin))
        self._searched[share, more] = found
        return found

    def bin_start(self, number: int, bins: int, step: int) -> Value:
        """Return the value at which a bin begins that the macro came upon."""
        near = [(key, found) for key, found in self._searched.items() if abs(found - number) <= NEAR]
        if len(near) == 1:
            (share, more), found = near[0]
            return HistogramValue(share, more, number - found, bins, step)
        if number == 0 and not near:
            return Statistic("min", step)
        raise DependsOnImageError("the macro takes values of a histogram in a way that is not followed")

    def _measurable(self) -> int:
        if self.steps and isinstance(self.steps[-1], Masked):
            raise DependsOnImageError("the macro measures a mask")
        return len(self.steps)


class _BinStarts(list[Any]):
    """Where bins begin, as far as a macro asks."""

    def __init__(self, image: RecordedImage, bins: int, step: int) -> None:
        super().__init__([None] * bins)
        self._made = (image, bins, step)

    def __getitem__(self, number: Any) -> Any:
        image, bins, step = self._made
        return image.bin_start(int(number), bins, step)


@attrs.define
class PixelImage:
    """Pixels in float32; those of 8 and 16 bits are rounded and bounded as ImageJ does."""

    pixels: NDArray[Any]
    _bits: int = 32

    def arithmetic(self, what: str, value: Value) -> None:
        """Change all pixels."""
        import numpy as np

        assert isinstance(value, int | float)
        with np.errstate(all="ignore"):
            wide = self.pixels.astype(np.float64)
            match what:
                case "add":
                    wide += value
                case "subtract":
                    wide -= value
                case "multiply":
                    wide *= value
                case "divide":
                    wide /= value
                case "min":
                    wide = np.maximum(wide, value)
                case "max":
                    wide = np.minimum(wide, value)
            self._set(wide)

    def function(self, name: str) -> None:
        """Change all pixels."""
        import numpy as np

        if self._bits != 32:
            raise MacroError(f"the macro applies {name} to integers, which is not known here: expected 32 bits")
        with np.errstate(all="ignore"):
            self._set(getattr(np, name)(self.pixels.astype(np.float64)))

    def convert(self, bits: int) -> None:
        """Change the type: to integers by the range of the pixels, which becomes that of the type."""
        import numpy as np

        if bits < self._bits:
            low, high = float(self.pixels.min()), float(self.pixels.max())
            top = 2**bits - 1
            scaled = (self.pixels.astype(np.float64) - low) * (top / (high - low) if high > low else 1.0)
            self._bits = bits
            self._set(scaled)
        self._bits = bits

    def mask(self, low: Value, high: Value) -> None:
        """Apply a threshold."""
        import numpy as np

        inside = (self.pixels >= low) & (self.pixels <= high)
        self.pixels = np.where(inside, np.float32(255), np.float32(0))
        self._bits = 8

    def statistics(self) -> Statistics:
        """Measure, in float64."""
        import numpy as np

        wide = self.pixels.astype(np.float64)
        std = float(wide.std(ddof=1)) if wide.size > 1 else 0.0
        return Statistics(float(wide.size), float(wide.mean()), float(wide.min()), float(wide.max()), std)

    def histogram(self, bins: int) -> Histogram:
        """Count: bins of equal width from the least pixel to the greatest."""
        import numpy as np

        low, high = float(self.pixels.min()), float(self.pixels.max())
        width = (high - low) / bins
        numbers = ((self.pixels.astype(np.float64) - low) * (bins / (high - low) if high > low else 0.0)).astype(np.int64)
        counts = np.bincount(np.minimum(numbers, bins - 1).ravel(), minlength=bins)
        return Histogram([low + n * width for n in range(bins)], [float(n) for n in counts])

    def sides(self) -> tuple[Value, Value]:
        """Return width and height."""
        return float(self.pixels.shape[-1]), float(self.pixels.shape[-2])

    def reaches(self, count: Count, share: float, *, more: bool) -> bool:
        """Never asked: all is known."""
        raise MacroError("the macro compares counts that are no numbers")

    def _set(self, wide: NDArray[Any]) -> None:
        import numpy as np

        if self._bits == 32:
            self.pixels = wide.astype(np.float32)
        else:
            self.pixels = np.clip(np.floor(wide + 0.5), 0, 2**self._bits - 1).astype(np.float32)


def _scalar(what: str, bits: int) -> Any:
    """Return the result of a step for one number, in a type of this many bits."""
    import numpy as np

    def change(one: float, value: float) -> float:
        image = PixelImage(np.array([[one]], np.float32), bits)
        image.arithmetic(what, value)
        return float(image.pixels[0, 0])

    return change
