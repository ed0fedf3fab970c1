"""PNG pictures for reports: an image beside its predictions."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "GAP",
    "css_colours",
    "in_a_row",
    "label_palette",
    "overlay",
    "ramp",
    "side_by_side",
    "subsampled",
    "to_colours",
    "to_grey",
    "to_png",
]

GAP = 6
"""White pixels between panels."""

# Colours from dark violet to bright yellow, whose lightness grows evenly, in grey and for the colour blind, too.
_RAMP = np.array([[8, 4, 32], [66, 16, 104], [140, 34, 106], [211, 70, 66], [249, 140, 22], [250, 250, 170]], np.float32)

# Hues far apart, for labels that touch.
_LABELS = np.array(
    [[255, 176, 0], [100, 143, 255], [220, 38, 127], [80, 220, 160], [254, 97, 0], [120, 94, 240], [190, 230, 80], [90, 200, 250]],
    np.float32,
)


def side_by_side(images: Sequence[NDArray[Any]], path: str | Path, *, max_pixels: int = 1024) -> None:
    """Write images side by side into a PNG file.

    The first image is grey, stretched between percentiles.
    Among the others, integers and bools are labels drawn over the first.
    Floats are colours from 0 to 1, or from their least to their greatest value.
    Images larger than `max_pixels` along the longer side are subsampled.

    Args:
        images: With axes y, x, or more axes in front. Of these the first item is shown; of more than 4, the middle one.
        path: File to write.
        max_pixels: Longest side of each panel.

    """
    planes = [_plane(np.asarray(image)) for image in images]
    grey = to_grey(subsampled(planes[0], max_pixels))
    panels = [np.repeat(grey[..., None], 3, axis=2)]
    for plane in planes[1:]:
        thin = subsampled(plane, max_pixels)
        if thin.dtype.kind in "bui" and thin.shape == grey.shape:
            panels.append(overlay(grey, thin))
        else:
            panels.append(_colours(thin))
    Path(path).write_bytes(to_png(in_a_row(panels)))


def in_a_row(panels: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return colour panels (y, x, rgb) beside each other, on white."""
    height = max(len(panel) for panel in panels)
    columns: list[NDArray[np.uint8]] = []
    for number, panel in enumerate(panels):
        if number:
            columns.append(np.full((height, GAP, 3), 255, np.uint8))
        columns.append(np.pad(panel, ((0, height - len(panel)), (0, 0), (0, 0)), constant_values=255))
    return np.concatenate(columns, axis=1)


def to_grey(plane: NDArray[Any], low: float = 0.5, high: float = 99.7) -> NDArray[np.uint8]:
    """Return a plane (y, x) as grey values, the given percentiles stretched to black and white; NaN is black."""
    values = np.asarray(plane, np.float32)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return np.zeros(values.shape, np.uint8)
    bottom, top = np.percentile(finite, [low, high])
    scaled = (np.nan_to_num(values, nan=bottom, posinf=top, neginf=bottom) - bottom) / max(top - bottom, 1e-12)
    # The exponent brightens dark pixels, which the eye sees better than a camera.
    return np.asarray(np.clip(scaled, 0, 1) ** 0.7 * 255, np.uint8)


def overlay(grey: NDArray[np.uint8], labels: NDArray[Any], strength: float = 0.35) -> NDArray[np.uint8]:
    """Return the grey plane in colour, with each label (0 is background) tinted and outlined; axes y, x, rgb."""
    labels = labels.astype(np.int64)
    colour = _LABELS[(labels - 1) % len(_LABELS)]
    edge = np.zeros(labels.shape, bool)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    base = np.repeat(grey[..., None].astype(np.float32), 3, axis=2)
    tinted = np.where((labels != 0)[..., None], base * (1 - strength) + colour * strength, base)
    outlined = np.where(((labels != 0) & edge)[..., None], colour, tinted)
    return np.asarray(np.clip(outlined, 0, 255), np.uint8)


def to_png(pixels: NDArray[np.uint8], palette: NDArray[np.uint8] | None = None) -> bytes:
    """Return a PNG file of 8-bit pixels with axes y, x (grey, or numbers of a palette) or y, x, rgb.

    The format: https://www.w3.org/TR/png-3/

    Args:
        pixels: The pixels.
        palette: Colours by number, with axes number, rgb; None: grey values.

    """
    pixels = np.ascontiguousarray(pixels, np.uint8)
    height, width = pixels.shape[:2]
    lines = pixels.reshape(height, -1)
    # Filter type 2 (up) in front of every line: differences to the line above compress better than values.
    filtered = np.concatenate([np.full((height, 1), 2, np.uint8), np.diff(lines, axis=0, prepend=np.zeros_like(lines[:1]))], axis=1)
    colours = 2 if pixels.ndim == 3 else 0 if palette is None else 3
    header = struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0)
    listed = [] if palette is None else [(b"PLTE", palette.astype(np.uint8).tobytes())]
    chunks = [(b"IHDR", header), *listed, (b"IDAT", zlib.compress(filtered.tobytes(), 9)), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


def _plane(image: NDArray[Any]) -> NDArray[Any]:
    if image.ndim < 2:
        raise ValueError(f"A picture needs axes y and x, got an array of shape {image.shape}.")
    while image.ndim > 3:
        image = image[0]
    # A long leading axis is more likely depth than channels, and its middle shows more than its border.
    return image if image.ndim == 2 else image[len(image) // 2 if len(image) > 4 else 0]


def subsampled(plane: NDArray[Any], limit: int) -> NDArray[Any]:
    """Return every n-th pixel of a plane (y, x), so that neither side is longer than ``limit``."""
    step = max(1, -(-max(plane.shape) // limit))
    return plane[::step, ::step]


def ramp() -> NDArray[np.uint8]:
    """Return 256 colours from dark violet to bright yellow; axes number, rgb."""
    colours: NDArray[np.uint8] = to_colours(np.linspace(0, 1, 256)[None], 0.0, 1.0)[0]
    return colours


def label_palette() -> NDArray[np.uint8]:
    """Return black for the background, and colours that objects take by turns; axes number, rgb."""
    return np.concatenate([np.zeros((1, 3)), _LABELS]).astype(np.uint8)


def _colours(plane: NDArray[Any]) -> NDArray[np.uint8]:
    values = np.nan_to_num(np.asarray(plane, np.float32))
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    # A probability keeps its meaning: the same colour in every picture.
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    return to_colours(values, low, high)


def css_colours() -> str:
    """Return the colours of `to_colours` from low to high, as the stops of a gradient in CSS."""
    return ", ".join("rgb({:.0f} {:.0f} {:.0f})".format(*colour) for colour in _RAMP)


def to_colours(plane: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Return a plane (y, x) as colours from dark violet at ``low`` to bright yellow at ``high``; axes y, x, rgb. NaN counts as 0."""
    values = np.nan_to_num(np.asarray(plane, np.float32))
    position = np.clip((values - low) / max(high - low, 1e-12), 0, 1) * (len(_RAMP) - 1)
    below = np.minimum(position.astype(np.intp), len(_RAMP) - 2)
    part = (position - below)[..., None]
    return np.asarray(_RAMP[below] * (1 - part) + _RAMP[below + 1] * part, np.uint8)
