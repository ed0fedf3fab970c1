"""Time and memory of a network by block size."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from math import exp, log
from typing import Any

import attrs

__all__ = ["UNMEASURED", "UNMEASURED_ON_GPU", "Profile", "ProfilePoint"]


@attrs.frozen(kw_only=True)
class ProfilePoint:
    """Measurement of calls of one size."""

    pixels: int
    """Pixels of one call along the base axes, without channels, times the items of a batch."""

    seconds: float
    """Time of one call while the usual number of calls run concurrently."""

    bytes: int
    """Memory of one call, in addition to the loaded network."""


@attrs.frozen(kw_only=True)
class Profile:
    """Time and memory of calls of a network, measured at some sizes, interpolated between them.

    Beyond the measured sizes both are proportional to the number of pixels.
    """

    base: int
    """Memory in bytes of the interpreter, the framework and the loaded network."""

    points: tuple[ProfilePoint, ...]
    """Measurements by increasing size."""

    calls: int = 1
    """Concurrent calls during the measurement."""

    threads: int = 1
    """Threads per call."""

    measured: bool = True
    """Whether the numbers were measured; else they describe a typical network."""

    failed_at: int | None = None
    """Pixels of the smallest call that ran out of memory; None if none did."""

    batches: bool = False
    """Whether a call with two items gave the same as two calls."""

    def seconds(self, pixels: int) -> float:
        """Return the time in seconds of a call with this many pixels."""
        return self._interpolated(pixels, [p.seconds for p in self.points])

    def bytes(self, pixels: int) -> int:
        """Return the memory in bytes of a call with this many pixels."""
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
        """Return the profile from the data of `as_dict`.

        Raises:
            KeyError, TypeError, ValueError: The data are something else.

        """
        points = tuple(ProfilePoint(pixels=int(p["pixels"]), seconds=float(p["seconds"]), bytes=int(p["bytes"])) for p in data["points"])
        if not points or list(points) != sorted(points, key=lambda p: p.pixels):
            raise ValueError("a profile needs points of increasing size")
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
and computes two million pixels per second on a core, somewhat fewer if blocks are too large for the caches of the processor."""

UNMEASURED_ON_GPU = attrs.evolve(UNMEASURED, points=tuple(attrs.evolve(p, seconds=p.seconds / 50) for p in UNMEASURED.points))
"""A hundred million pixels per second: slow for a GPU, so that estimates include the cost of waiting for large blocks."""
