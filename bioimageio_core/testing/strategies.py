"""Hypothesis strategies: tensors, and ways to cut them into blocks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise, product
from typing import Any, TypeAlias

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ..typing import AxisId, FrozenMapping

__all__ = ["SIZES", "Block", "blocks", "kit_settings", "noise", "tensors"]

Block: TypeAlias = "tuple[slice, ...]"

SIZES: Mapping[AxisId, tuple[int, int]] = FrozenMapping({"batch": (1, 2), "channel": (3, 3)})
"""Least and largest size of the axes of tensors; other axes have up to nine pixels."""


def kit_settings(examples: int) -> settings:
    """Return the settings of all laws: the same examples at every run, so that a verdict stands."""
    checks = [HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
    phases = [Phase.explicit, Phase.generate, Phase.shrink]
    return settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=checks, phases=phases)


@st.composite
def tensors(
    draw: st.DrawFn,
    axes: Sequence[AxisId],
    dtype: str,
    sizes: Mapping[AxisId, tuple[int, int]] = SIZES,
    values: tuple[float, float] = (-100.0, 100.0),
) -> NDArray[Any]:
    """Draw a tensor: noise, or the same value everywhere; without NaN.

    Args:
        draw: Of Hypothesis.
        axes: Its axes.
        dtype: Name of a real dtype or ``bool``.
        sizes: Least and largest size by axis.
        values: Least and largest value; of integers those that the dtype has.

    """
    shape = tuple(draw(st.integers(*sizes.get(axis, (1, 9)))) for axis in axes)
    array = noise(shape, dtype, draw(st.integers(0, 2**16)), values)
    return np.full_like(array, array.flat[0]) if draw(st.integers(0, 4)) == 4 else array


def noise(shape: tuple[int, ...], dtype: str, seed: int, values: tuple[float, float] = (-100.0, 100.0)) -> NDArray[Any]:
    """Return an array of random values; of integers those within ``values`` that the dtype has."""
    random = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return random.random(shape) < 0.5
    if kind.kind in "iu":
        low, high = max(values[0], np.iinfo(kind).min), min(values[1], np.iinfo(kind).max)
        return random.integers(int(low), int(high), size=shape, endpoint=True).astype(kind)
    return random.uniform(*values, size=shape).astype(kind)


@st.composite
def blocks(
    draw: st.DrawFn, axes: Sequence[AxisId], shape: Sequence[int], whole: Collection[AxisId] = (), grain: int = 1
) -> tuple[Block, ...]:
    """Draw a partition into blocks: up to three pieces along each axis that is not to stay whole.

    Args:
        draw: Of Hypothesis.
        axes: Axes of the tensor.
        shape: Its shape.
        whole: Axes that are not cut.
        grain: Pieces start at multiples of it.

    """
    pieces = []
    for axis, size in zip(axes, shape, strict=True):
        places = st.integers(0, size // grain).map(lambda n: n * grain)
        cuts = [] if axis in whole else sorted(draw(st.sets(places, max_size=2)))
        edges = sorted({0, *cuts, size})
        pieces.append([slice(a, b) for a, b in pairwise(edges)])
    return tuple(product(*pieces))
