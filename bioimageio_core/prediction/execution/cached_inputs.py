"""Inputs with caches of decoded chunks, as planned."""

from __future__ import annotations

import attrs

from ...io.reading.chunk_cache import ChunkCache
from ..data.bind_inputs import BoundInput
from ..data.tensor_view import TensorView
from ..planning.plan import Plan
from ..planning.planned_tensors import PlannedInput

__all__ = ["cached", "cached_from_statistics", "input_view"]


def cached(bound: BoundInput, limit: int) -> BoundInput:
    """Return an input with a cache of up to ``limit`` bytes of decoded chunks; 0 caches none, but limits concurrent decoding."""
    image = bound.image
    if image.chunks is None or isinstance(image.reader, ChunkCache):
        return bound
    reader = ChunkCache(image.reader, shape=image.source_shape or image.shape, chunks=image.chunks, dtype=image.dtype, limit=limit)
    return attrs.evolve(bound, image=attrs.evolve(image, reader=reader))


def cached_from_statistics(plan: Plan) -> tuple[PlannedInput, ...]:
    """Return the inputs of a plan; completely cached inputs get their cache here, so that statistics passes fill it."""
    return tuple(
        attrs.evolve(i, bound=cached(i.bound, policy.limit)) if policy.whole else i
        for i, policy in zip(plan.inputs, plan.cache, strict=True)
    )


def input_view(bound: BoundInput) -> TensorView:
    """Return a view of a raw input."""
    return TensorView(
        source=bound,
        axes=bound.axes,
        shape=bound.shape,
        chunks=bound.chunks,
        extra=len(bound.extra_axes),
        cached=isinstance(bound.image.reader, ChunkCache),
    )
