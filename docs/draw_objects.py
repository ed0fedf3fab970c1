"""Draw the pictures of objects.md: nuclei of a synthetic image are predicted, labelled and measured: ``python docs/draw_objects.py``.

The build of the documentation draws them each time. That needs ONNX Runtime and the plugin bioimageio-runtime-labels.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

import bioimageio_core as bc
from bioimageio_core.io.writing.label_metadata import label_colour
from bioimageio_core.report.pictures.side_by_side import to_grey, to_png

FOLDER = Path(__file__).parent / "_build" / "pictures"
POST = "connected_components:threshold=0.5,min_size=20"
FIELD, PIXEL = 1024, 0.5
"""Pixels along each side of the image, and micrometres of one."""

CORNER, SHOWN, SIDE, GAP = 300, 240, 370, 20
"""First pixel along both axes of the part that is shown, its pixels along each side, and the lengths of a side and between two panels."""

BAR, WIDTH, BIN = 20, 760, 10
BLUE, INK, PALE = "#2f6f9f", "#333", "#e3e8ec"


def count(folder: Path) -> tuple[NDArray[np.uint16], NDArray[np.uint32], Any]:
    """Return an image of nuclei, their labels, both with axes y, x, and the table of them."""
    path = bc.example_image(folder / "cells.ome.zarr", (FIELD, FIELD))
    output = path / "labels" / "nuclei"
    found = bc.predict(bc.example_model(), path, output, postprocessing=POST, table=folder / "nuclei.csv")
    image = zarr.open_array(str(path / "0"), mode="r")[...]
    return np.asarray(image), np.asarray(found["probability"])[0, 0], found.objects["probability"]


def labelled(grey: NDArray[np.uint8], labels: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Return a grey image (y, x) in colour, with each object tinted and outlined in the colour that viewers show; axes y, x, rgb."""
    colours = np.array([(0, 0, 0), *(label_colour(n)[:3] for n in range(1, int(labels.max()) + 1))], np.float32)[labels]
    inside = labels > 0
    edge = np.zeros_like(inside)
    for axis in (0, 1):
        for step in (-1, 1):
            edge |= inside & (np.roll(labels, step, axis) != labels)
    share = np.where(edge, 1.0, 0.4)[..., None] * inside[..., None]
    return np.asarray(grey[..., None] * (1 - share) + colours * share, np.uint8)


def word(x: float, y: float, text: str, *, colour: str = INK, anchor: str = "middle", size: int = 14) -> str:
    """Return a text, its baseline at y."""
    return f'<text x="{x:g}" y="{y:g}" fill="{colour}" text-anchor="{anchor}" font-size="{size}">{text}</text>'


def picture(height: float, parts: Iterator[str]) -> str:
    """Return an SVG picture on white."""
    frame = f'<rect width="{WIDTH}" height="{height:g}" fill="#fff"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" font-family="sans-serif">'
    return "\n".join([head, frame, *parts, "</svg>\n"])


def panels(image: NDArray[np.uint16], labels: NDArray[np.uint32]) -> str:
    """Return a part of the image beside the objects in it, with a scale bar."""
    grey = to_grey(image)[CORNER : CORNER + SHOWN, CORNER : CORNER + SHOWN]
    part = labels[CORNER : CORNER + SHOWN, CORNER : CORNER + SHOWN]
    objects = np.count_nonzero(np.unique(part))
    bar = BAR / PIXEL * SIDE / SHOWN

    def parts() -> Iterator[str]:
        for n, pixels in enumerate((np.repeat(grey[..., None], 3, axis=2), labelled(grey, part))):
            data = base64.b64encode(to_png(pixels)).decode()
            yield f'<image x="{n * (SIDE + GAP)}" width="{SIDE}" height="{SIDE}" href="data:image/png;base64,{data}"/>'
        yield f'<rect x="{SIDE - 16 - bar:g}" y="{SIDE - 20}" width="{bar:g}" height="5" fill="#fff"/>'
        yield word(SIDE - 16 - bar / 2, SIDE - 28, f"{BAR} µm", colour="#fff")
        yield word(SIDE / 2, SIDE + 24, "fluorescence of nuclei")
        yield word(SIDE + GAP + SIDE / 2, SIDE + 24, f"{objects} objects, each with a colour and a number")

    return picture(SIDE + 36, parts())


def histogram(areas: NDArray[np.float64]) -> str:
    """Return the distribution of the areas of objects, in square micrometres."""
    left, right, top, bottom = 56.0, WIDTH - 20.0, 36.0, 276.0
    most = int(np.ceil(np.percentile(areas, 99.5) / 50)) * 50
    counts, edges = np.histogram(areas, bins=most // BIN, range=(0, most))
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500) if counts.max() <= 5 * step)
    tallest = -(-int(counts.max()) // step) * step
    median = float(np.median(areas))

    def x(area: float) -> float:
        return round(left + area / most * (right - left), 1)

    def y(number: float) -> float:
        return round(bottom - number / tallest * (bottom - top), 1)

    def parts() -> Iterator[str]:
        for number in range(0, tallest + 1, step):
            yield f'<path d="M{left} {y(number)}H{right}" stroke="{PALE}"/>' + word(left - 8, y(number) + 5, str(number), anchor="end")
        for number, low, high in zip(counts.tolist(), edges.tolist(), edges.tolist()[1:], strict=False):
            size = f'width="{x(high) - x(low) - 2:.1f}" height="{bottom - y(number):.1f}"'
            yield f'<rect x="{x(low) + 1:g}" y="{y(number)}" {size} fill="{BLUE}"/>'
        yield f'<path d="M{left} {bottom}H{right}" stroke="{INK}"/>'
        for area in range(0, most + 1, 50):
            yield word(x(area), bottom + 20, str(area))
        yield f'<path d="M{x(median)} {top - 8}V{bottom}" stroke="{INK}" stroke-dasharray="5 4"/>'
        yield word(x(median) + 8, top + 24, f"median {median:.0f} µm²", anchor="start")
        yield word((left + right) / 2, bottom + 44, "area of an object in µm²")
        yield word(left, top - 16, "number of objects", anchor="start")

    return picture(bottom + 56, parts())


def main(folder: Path = FOLDER) -> None:
    """Write the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        image, labels, objects = count(Path(work))
        (folder / "objects.svg").write_text(panels(image, labels), encoding="utf-8")
        (folder / "objects_areas.svg").write_text(histogram(objects["area-micrometer2"]), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
