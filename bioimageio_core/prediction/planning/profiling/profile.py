"""How fast a network is and how much memory it takes, by the size of its blocks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from math import exp, log
from typing import Any

import attrs

__all__ = ["UNMEASURED", "UNMEASURED_ON_GPU", "Profile", "ProfilePoint"]


@attrs.frozen(kw_only=True)
class ProfilePoint:
    """Calls of one size."""

    pixels: int
    """Of one call: pixels of the base axes, channels not counted, items of a batch counted."""

    seconds: float
    """Of one call, as many others running beside it as will."""

    bytes: int
    """Memory of one call beside what the loaded network takes."""


@attrs.frozen(kw_only=True)
class Profile:
    """Time and memory of calls of a network, measured at some sizes, interpolated between them.

    Beyond the measured sizes both grow as the number of pixels.
    """

    base: int
    """Memory in bytes of the interpreter, the framework and the loaded network."""

    points: tuple[ProfilePoint, ...]
    """By rising size."""

    calls: int = 1
    """Calls at once while measuring."""

    threads: int = 1
    """Threads of each call."""

    measured: bool = True
    """Whether the numbers were measured; else they are those of a common network."""

    failed_at: int | None = None
    """The least number of pixels for which memory did not suffice, where that was seen."""

    def seconds(self, pixels: int) -> float:
        """Return the time of a call of so many pixels."""
        return self._interpolated(pixels, [p.seconds for p in self.points])

    def bytes(self, pixels: int) -> int:
        """Return the memory of a call of so many pixels."""
        return int(self._interpolated(pixels, [max(1, p.bytes) for p in self.points]))

    def _interpolated(self, pixels: int, values: list[float] | list[int]) -> float:
        sizes = [p.pixels for p in self.points]
        at = bisect_left(sizes, pixels)
        if at < len(sizes) and sizes[at] == pixels:
            return values[at]
        if at == 0 or at == len(sizes):
            nearest = 0 if at == 0 else -1
            return values[nearest] * pixels / sizes[nearest]
        part = log(pixels / sizes[at - 1]) / log(sizes[at] / sizes[at - 1])
        return exp(log(values[at - 1]) * (1 - part) + log(values[at]) * part)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return attrs.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Profile:
        """Return what `as_dict` was made of.

        Raises:
            KeyError, TypeError, ValueError: It was made of something else.

        """
        points = tuple(ProfilePoint(pixels=int(p["pixels"]), seconds=float(p["seconds"]), bytes=int(p["bytes"])) for p in data["points"])
        if not points or list(points) != sorted(points, key=lambda p: p.pixels):
            raise ValueError("no profile without points of rising size")
        return cls(**{**data, "points": points})


UNMEASURED = Profile(
    base=200 * 2**20,
    points=(
        ProfilePoint(pixels=2**20, seconds=0.5, bytes=512 * 2**20),
        ProfilePoint(pixels=2**22, seconds=2.3, bytes=512 * 2**22),
        ProfilePoint(pixels=2**25, seconds=30.0, bytes=512 * 2**25),
    ),
    measured=False,
)
"""A U-Net with 32 features at full resolution holds about four float32 maps of that many features at its peak, 4 * 32 * 4 bytes per pixel,
and computes two million pixels per second on a core, somewhat fewer where blocks are so large that nothing stays in caches."""

UNMEASURED_ON_GPU = attrs.evolve(UNMEASURED, points=tuple(attrs.evolve(p, seconds=p.seconds / 50) for p in UNMEASURED.points))
"""A hundred million pixels per second: slow for a GPU, so that the cost of waiting for large blocks is seen."""
