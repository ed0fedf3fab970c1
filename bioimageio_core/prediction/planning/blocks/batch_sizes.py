"""Chooses how many blocks each call of the network takes, together with their size."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import attrs

from ....errors import BlockError
from ...model.tensor_spec import ModelIO
from ...options import PlanOptions
from ..profiling.profile import Profile
from .block_sizes import BlockChoice

__all__ = ["choose_batch_size"]

SIZES = (2, 4, 8, 16, 32)

WORTHWHILE = 0.97
"""Estimated time, relative to that of smaller batches, above which a larger one is not worth its memory."""


def choose_batch_size(
    options: PlanOptions, model: ModelIO, profile: Profile, choose: Callable[[PlanOptions], BlockChoice]
) -> tuple[PlanOptions, BlockChoice]:
    """Return the options with the batch size that takes the least time, and the blocks for it.

    Several blocks in one call save time where a call costs more than its pixels: small blocks on a GPU, frames of a series.
    Batches are chosen only for networks that were measured with them: others may refuse a batch, or compute its items otherwise.

    Args:
        options: How to predict; a given batch size is kept.
        model: Inputs and outputs of the model.
        profile: Time and memory of the network.
        choose: Chooses the blocks for options.

    Raises:
        BlockError: No grid of blocks fits.

    """
    if options.batch_size is not None:
        return options, choose(options)
    options = attrs.evolve(options, batch_size=1)
    choice = choose(options)
    if not (profile.measured and profile.batches and _may_batch(model)):
        return options, choice
    for size in SIZES:
        larger = attrs.evolve(options, batch_size=size)
        try:
            found = choose(larger)
        except BlockError:  # the memory is too small
            break
        if prod(g.count for g in found.grids) < size or found.estimated_seconds > WORTHWHILE * choice.estimated_seconds:
            break
        options, choice = larger, found
    return options, choice


def _may_batch(model: ModelIO) -> bool:
    """Return whether every tensor has a batch axis, and none is described with a single item."""
    axes = [tensor.axis("batch") for tensor in (*model.inputs, *model.outputs)]
    return all(axis is not None and not axis.one_at_a_time for axis in axes)
