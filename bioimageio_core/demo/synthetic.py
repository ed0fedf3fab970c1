"""Synthetic fluorescence microscopy: nuclei on an endless plane.

Every pixel is a function of the seed and its position alone.
So any window can be computed on its own, and images of any size are written chunk by chunk without seams.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["nuclei_block", "nuclei_centres"]

_LATTICE = 24
"""Pixels between the sites of nuclei, of which about two in three are taken."""

_REACH = 50
"""No nucleus shows farther than this from its site, jitter and glow included."""

_NOISE_CELL = 128
"""Pixels along the square cells that camera noise is drawn for."""

_OFFSET = 100.0
"""What the camera reads in the dark."""


def nuclei_block(seed: int, y0: int, x0: int, height: int, width: int) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """Return a window of the plane: camera counts, and where nuclei are; both with axes y, x.

    Windows agree pixel by pixel where they overlap.

    Args:
        seed: Selects the plane.
        y0: First row, may be negative.
        x0: First column, may be negative.
        height: Rows.
        width: Columns.

    """
    light = np.zeros((height, width), np.float32)
    mask = np.zeros((height, width), np.bool_)
    for top, left, glow, inside in _nuclei(seed, y0, x0, height, width):
        ys, xs = slice(max(top, y0), min(top + len(glow), y0 + height)), slice(max(left, x0), min(left + glow.shape[1], x0 + width))
        if ys.start < ys.stop and xs.start < xs.stop:
            here = slice(ys.start - y0, ys.stop - y0), slice(xs.start - x0, xs.stop - x0)
            there = slice(ys.start - top, ys.stop - top), slice(xs.start - left, xs.stop - left)
            light[here] += glow[there]
            mask[here] |= inside[there]
    chromatin = 0.6 * _value_noise(seed + 1, y0, x0, height, width, 3) + 0.6 * _value_noise(seed + 2, y0, x0, height, width, 8)
    light *= 0.55 + chromatin
    haze = 60.0 + 160.0 * _value_noise(seed + 3, y0, x0, height, width, 400) + 40.0 * _value_noise(seed + 4, y0, x0, height, width, 60)
    illumination = 0.75 + 0.5 * _value_noise(seed + 5, y0, x0, height, width, 900)
    photons = (light + haze) * illumination
    # A normal distribution of the same variance stands for the Poisson's, at a tenth of its price.
    noisy = photons + np.sqrt(photons * 1.5 + 36.0) * _normal_noise(seed, y0, x0, height, width) + _OFFSET
    return np.clip(np.rint(noisy), 0, 65535).astype(np.uint16), mask


def nuclei_centres(seed: int, y0: int, x0: int, height: int, width: int) -> NDArray[np.intp]:
    """Return a pixel in the middle of each nucleus, shape (nuclei, 2), along y, x; those with their middle outside are left out.

    Args:
        seed: Selects the plane.
        y0: First row, may be negative.
        x0: First column, may be negative.
        height: Rows.
        width: Columns.

    """
    found = []
    for top, left, _, inside in _nuclei(seed, y0, x0, height, width):
        rows, columns = np.nonzero(inside)
        found.append((top + round(rows.mean()) - y0, left + round(columns.mean()) - x0))
    centres = np.array(found, np.intp).reshape(-1, 2)
    return centres[((centres >= 0) & (centres < (height, width))).all(axis=1)]


def _nuclei(seed: int, y0: int, x0: int, height: int, width: int) -> Iterator[tuple[int, int, NDArray[np.float32], NDArray[np.bool_]]]:
    """Yield first row, first column, light and mask of every nucleus that shows in the window.

    Each is drawn completely, also where the window cuts it off, so that all windows add up the same numbers.
    """
    rows = np.arange((y0 - _REACH) // _LATTICE, (y0 + height + _REACH) // _LATTICE + 1)
    columns = np.arange((x0 - _REACH) // _LATTICE, (x0 + width + _REACH) // _LATTICE + 1)
    # Nuclei lie denser in some regions than in others.
    density = 0.35 + 0.6 * _uniform(seed + 6, rows[:, None] // 9, columns[None, :] // 9)
    taken = _uniform(seed + 7, rows[:, None], columns[None, :]) < density
    numbers = [_uniform(seed + 10 + i, rows[:, None], columns[None, :])[taken] for i in range(9)]
    for row, column, u in zip(*(index.tolist() for index in np.nonzero(taken)), np.transpose(numbers), strict=True):
        yield _nucleus(int(rows[row]) * _LATTICE, int(columns[column]) * _LATTICE, u.tolist())


def _nucleus(site_y: int, site_x: int, u: list[float]) -> tuple[int, int, NDArray[np.float32], NDArray[np.bool_]]:
    """Draw one nucleus from nine uniform numbers."""
    # Counted from the site: far from the origin absolute coordinates have no fractions.
    y, x = _LATTICE * u[0], _LATTICE * u[1]
    radius, stretch, angle = 5.5 + 5.0 * u[2] ** 1.5, 1.0 + 0.5 * u[3], np.pi * u[4]
    brightness = 350.0 * 6.0 ** u[5]
    # Some lie out of focus: their edges are soft.
    softness = 0.12 + 0.15 * u[6] ** 3
    half = int(radius * stretch * 1.45) + 1
    top, left = int(y) - half, int(x) - half
    dy = np.arange(top, top + 2 * half + 2, dtype=np.float32)[:, None] - np.float32(y)
    dx = np.arange(left, left + 2 * half + 2, dtype=np.float32)[None, :] - np.float32(x)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along, across = (cos * dx + sin * dy) / np.float32(radius * stretch), (cos * dy - sin * dx) / np.float32(radius / stretch**0.5)
    distance = np.sqrt(along * along + across * across)
    # cos(3 t) and cos(2 t) of the polar angle t, as polynomials of its cosine: nuclei are no perfect ellipses.
    cosine = along / np.maximum(distance, np.float32(1e-6))
    bulge = np.float32(0.16 * (u[7] - 0.5)) * (4 * cosine**3 - 3 * cosine) + np.float32(0.12 * (u[8] - 0.5)) * (2 * cosine**2 - 1)
    distance = distance / (1 + bulge)
    edge = np.clip((1.0 - distance) / np.float32(2 * softness) + np.float32(0.5), 0, 1)
    glow = np.float32(brightness) * (edge * edge * (3 - 2 * edge) + np.float32(0.06) * np.clip(1.4 - distance, 0, 1))
    return site_y + top, site_x + left, glow.astype(np.float32), distance < 1


def _uniform(seed: int, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[Any]:
    """Return numbers in [0, 1) that depend on seed, row and column alone (the finalizer of SplitMix64)."""
    with np.errstate(over="ignore"):
        h: Any = np.uint64(seed * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
        for part in (rows.astype(np.uint64), columns.astype(np.uint64)):
            h = (h ^ part) * np.uint64(0xBF58476D1CE4E5B9) + np.uint64(0x9E3779B97F4A7C15)
            h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            h = h ^ (h >> np.uint64(31))
    return np.asarray((h >> np.uint64(11)).astype(np.float64) / 2.0**53)


def _value_noise(seed: int, y0: int, x0: int, height: int, width: int, period: int) -> NDArray[np.float32]:
    """Return smooth noise in [0, 1]: random values on a lattice of this period, interpolated."""
    ys, xs = np.arange(y0, y0 + height), np.arange(x0, x0 + width)
    row, column = ys // period, xs // period
    values = _uniform(seed, np.arange(row[0], row[-1] + 2)[:, None], np.arange(column[0], column[-1] + 2)[None, :]).astype(np.float32)
    fy, fx = ((ys % period) / period).astype(np.float32)[:, None], ((xs % period) / period).astype(np.float32)[None, :]
    fy, fx = fy * fy * (3 - 2 * fy), fx * fx * (3 - 2 * fx)
    at = column - column[0]
    lines = values[:, at] * (1 - fx) + values[:, at + 1] * fx
    at = row - row[0]
    return np.asarray(lines[at] * (1 - fy) + lines[at + 1] * fy, np.float32)


def _normal_noise(seed: int, y0: int, x0: int, height: int, width: int) -> NDArray[np.float32]:
    """Return standard normal noise, drawn completely for every cell that the window touches."""
    out = np.empty((height, width), np.float32)
    for top in range(y0 // _NOISE_CELL * _NOISE_CELL, y0 + height, _NOISE_CELL):
        for left in range(x0 // _NOISE_CELL * _NOISE_CELL, x0 + width, _NOISE_CELL):
            entropy = [seed, top & 0xFFFFFFFFFFFFFFFF, left & 0xFFFFFFFFFFFFFFFF]
            cell = np.random.Generator(np.random.SFC64(entropy)).standard_normal((_NOISE_CELL, _NOISE_CELL), np.float32)
            ys, xs = slice(max(top, y0), min(top + _NOISE_CELL, y0 + height)), slice(max(left, x0), min(left + _NOISE_CELL, x0 + width))
            part = cell[ys.start - top : ys.stop - top, xs.start - left : xs.stop - left]
            out[ys.start - y0 : ys.stop - y0, xs.start - x0 : xs.stop - x0] = part
    return out
