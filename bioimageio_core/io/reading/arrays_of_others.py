"""Arrays of PyTorch and pictures of Pillow as numpy arrays; neither package is imported."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError
from ...typing import AxisId, FrozenMapping

__all__ = ["CHANNELS_OF_PICTURES", "picture_as_array", "tensor_as_array"]

COLOURS = ("red", "green", "blue")

CHANNELS_OF_PICTURES: Mapping[str, tuple[str, ...]] = FrozenMapping({"LA": ("grey", "alpha"), "RGB": COLOURS, "RGBA": (*COLOURS, "alpha")})
"""Names of channels by Pillow's name of the kind of pixels; other kinds have no axis of channels."""

PLAIN_KINDS = frozenset({"1", "L", "I", "F", "I;16", *CHANNELS_OF_PICTURES})
"""Kinds of pixels whose numbers are intensities, rather than numbers of a palette."""


def tensor_as_array(source: Any) -> NDArray[Any] | None:
    """Return a tensor of PyTorch, on any device, as numpy; None for anything else.

    The memory is shared where it is that of this machine. bfloat16, which numpy lacks, becomes float32.

    Raises:
        SourceError: The tensor is sparse, or has no data.

    """
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(source, torch.Tensor):
        return None
    try:
        tensor = source.detach().cpu().resolve_conj().resolve_neg()
        array: NDArray[Any] = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    except (RuntimeError, TypeError, NotImplementedError) as error:
        kind = f"a tensor of PyTorch (dtype {source.dtype}, layout {source.layout}, device {source.device})"
        raise SourceError(f"{kind} cannot become a numpy array: expected a dense tensor with data") from error
    return array


def picture_as_array(source: Any) -> tuple[NDArray[Any], tuple[AxisId, ...], tuple[str, ...] | None] | None:
    """Return a picture of Pillow as numpy, with its axes and the names of its channels; None for anything else.

    Palettes become colours.

    Raises:
        SourceError: Its colours are not red, green and blue.

    """
    pillow = sys.modules.get("PIL.Image")
    if pillow is None or not isinstance(source, pillow.Image):
        return None
    if source.mode in ("P", "PA"):
        source = source.convert("RGBA" if source.mode == "PA" or "transparency" in source.info else "RGB")
    if source.mode not in PLAIN_KINDS:
        raise SourceError(
            f"a picture of Pillow has the mode {source.mode!r}: expected grey or red, green and blue; convert('RGB') makes it"
        )
    names = CHANNELS_OF_PICTURES.get(source.mode)
    return np.asarray(source), ("y", "x", *(("channel",) if names else ())), names
