"""What is known of arrays that are joined along an axis."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..typing import AxisId, FrozenMapping
from .agreement import agreed
from .axis_metadata import AxisMetadata

__all__ = ["joined_labels"]


def joined_labels(arrays: Sequence[AxisMetadata | None], axes: tuple[AxisId, ...], axis: AxisId) -> AxisMetadata:
    """Return the labels of arrays after they are joined; positions along the axis begin with those of the first array.

    Args:
        arrays: Labels in the order of the arrays; None for one without labels.
        axes: Axes of the result.
        axis: The axis along which they are joined.

    Raises:
        ChannelError: They have different channels, and are not joined along these.
        AxesError: Sizes of pixels differ, or positions along the other axes.

    """
    known = [one for one in arrays if one is not None]
    across = agreed([one.without([axis]) for one in known])
    sizes = agreed([attrs.evolve(one, channel_names=None, position=FrozenMapping()) for one in known]).pixel_size
    names = [() if one is None else one.channel_names or () for one in arrays]
    joined = tuple(name for some in names for name in some) if all(names) else None
    first = arrays[0]
    begins = {axis: first.position[axis]} if first is not None and axis in first.position else {}
    return AxisMetadata(
        axes=axes,
        channel_names=joined if axis == "channel" else across.channel_names,
        pixel_size=sizes,
        position=FrozenMapping({**across.position, **begins}),
    )
