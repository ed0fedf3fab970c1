"""Objects of an array labelled in boxes, joined and numbered as the passes of a run do it, in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from bioimageio_core.objects import Numbering
from bioimageio_core.testing import label_boxes
from bioimageio_core.testing.label_boxes import Box, grid

__all__ = ["Box", "grid", "label_in_boxes"]


def label_in_boxes(
    image: NDArray[Any], label: Callable[[NDArray[Any]], NDArray[Any]], boxes: list[Box], **options: Any
) -> tuple[NDArray[Any], Numbering]:
    """Return the final labels of an array whose boxes are labelled one by one, in the order given, and their numbering."""
    return label_boxes.label_in_boxes(image.shape, lambda box: label(image[box.window]), boxes, **options)
