"""The maps of a tensor, item by item of its batch, whatever the order of its axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioimageio_core.errors import DescriptionError
from bioimageio_core.typing import AxisId

__all__ = ["channel_of", "label_items"]

LEADING = ("batch", "channel")


def label_items(tensor: NDArray[Any], axes: tuple[AxisId, ...], label: Callable[[NDArray[Any]], NDArray[np.uint32]]) -> NDArray[np.uint32]:
    """Label each item of the batch on its own.

    Args:
        tensor: Maps, with 2 or 3 axes of space.
        axes: Its axes, in any order, with or without ``batch`` and ``channel``.
        label: From maps of shape (channel, *space), with the axes of space in the order of the tensor, to labels of shape (*space).

    Returns:
        Labels with the axes of the tensor, and one channel where it has channels. No two items share a label.

    """
    space = tuple(axis for axis in axes if axis not in LEADING)
    order = [axes.index(axis) for axis in (*LEADING, *space) if axis in axes]
    missing = tuple(n for n, axis in enumerate(LEADING) if axis not in axes)
    maps = np.expand_dims(tensor.transpose(order), missing)
    labels = np.zeros((len(maps), 1, *maps.shape[2:]), np.uint32)
    count = np.uint32(0)
    for item, result in zip(maps, labels, strict=True):
        found = label(item)
        np.add(found, count, out=result[0], where=found > 0)
        count += found.max()
    return labels.squeeze(missing).transpose(np.argsort(order))


def channel_of(maps: NDArray[Any], channel: int, op: str, name: str) -> NDArray[Any]:
    """Return the map of a channel.

    Args:
        maps: Maps of shape (channel, *space).
        channel: Number of the channel.
        op: Name of the op, for the error.
        name: Name of its argument.

    Raises:
        DescriptionError: There is no such channel.

    """
    if channel >= len(maps):
        raise DescriptionError(f"{op}: expected {name} to name a channel of the tensor, 0 to {len(maps) - 1}, found {channel}")
    found: NDArray[Any] = maps[channel]
    return found
