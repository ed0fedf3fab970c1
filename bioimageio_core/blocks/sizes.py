"""Sizes that a network accepts along an axis."""

from __future__ import annotations

from typing import TypeAlias

import attrs

__all__ = ["FixedSize", "Size", "SteppedSize"]


@attrs.frozen
class FixedSize:
    """Exactly one size, in pixels."""

    value: int

    @property
    def step(self) -> int:
        """Fixed sizes have no step: 1."""
        return 1

    def smallest(self, at_least: int) -> int | None:
        """Return the smallest accepted size that is not below ``at_least``, or None."""
        return self.value if self.value >= at_least else None

    def largest(self, at_most: int) -> int | None:
        """Return the largest accepted size that is not above ``at_most``, or None."""
        return self.value if self.value <= at_most else None

    def __str__(self) -> str:
        return str(self.value)


@attrs.frozen
class SteppedSize:
    """``min + n * step`` for n = 0, 1, 2, ..."""

    min: int
    step: int

    def smallest(self, at_least: int) -> int:
        """Return the smallest accepted size that is not below ``at_least``."""
        return self.min + -(-max(0, at_least - self.min) // self.step) * self.step

    def largest(self, at_most: int) -> int | None:
        """Return the largest accepted size that is not above ``at_most``, or None."""
        return None if at_most < self.min else self.min + (at_most - self.min) // self.step * self.step

    def __str__(self) -> str:
        return "any" if (self.min, self.step) == (1, 1) else f"{self.min} + n * {self.step}"


Size: TypeAlias = FixedSize | SteppedSize
