"""The demonstration: an image larger than its memory budget, predicted zarr to zarr."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ..api import default_registry, predict
from ..errors import OutputError
from ..prediction.output.result import Prediction
from ..progress import Progress
from ..report.pictures.side_by_side import side_by_side
from .synthetic import nuclei_block, nuclei_centres

__all__ = ["DemoResult", "model_folder", "run_demo"]

FIELD = 1536
"""Pixels of the synthetic field that is mirrored to fill the image; computing every pixel would take minutes."""

CHUNK = 512
PICTURE = 512
MARGIN = 100


COUNTING_OP = "connected_components"
"""The op that counts nuclei, of the plugin bioimageio-runtime-labels."""

COUNTING = f"{COUNTING_OP}:threshold=0.5,min_size=20"


@attrs.frozen(kw_only=True)
class NucleiCount:
    """The nuclei of one field."""

    drawn: int
    found: int
    """Those of the drawn ones that an object covers."""

    objects: int
    """Objects; nuclei that touch are one."""

    labels: Path
    table: Path


@attrs.frozen(kw_only=True)
class DemoResult:
    """The results of the demonstration."""

    image: Path
    output: Path
    picture: Path
    image_bytes: int
    memory: str
    prediction: Prediction
    overlap: float
    """Intersection over union of the predicted and the drawn nuclei, within one field."""

    count: NucleiCount | None
    """None if the plugin that counts is not installed."""

    seconds: float


def model_folder() -> Path:
    """Return the folder of the model of the demonstration."""
    return Path(__file__).parent / "model"


def run_demo(
    folder: Path,
    *,
    size: int,
    memory: str,
    overwrite: bool,
    progress: Progress | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> DemoResult:
    """Write an image, predict it, and draw input beside output.

    Args:
        folder: Where to put image, result and picture.
        size: Pixels along each side of the image.
        memory: Budget of the prediction.
        overwrite: Replace the results of an earlier demonstration.
        progress: Progress callback for every stage; None disables it.
        say: Called with a line about the next step.

    Raises:
        OutputError: The folder exists and holds something.

    """
    begin = time.perf_counter()
    if folder.exists() and any(folder.iterdir()) and not overwrite:
        raise OutputError(f"{folder} exists and is not empty: give overwrite=True (--overwrite) or another folder")
    folder.mkdir(parents=True, exist_ok=True)
    image, output, picture = folder / "image.zarr", folder / "result.zarr", folder / "picture.png"
    say(f"drawing nuclei: {image}, {size} x {size} pixels of uint16, {2 * size * size / 2**20:.0f} MiB")
    drawn = _write_image(image, size, progress)
    say(f"predicting: {output}, within {memory}")
    prediction = predict(model_folder(), image, output, memory=memory, overwrite=True, progress=progress)
    found = prediction["probability"]
    field = min(FIELD, size)
    inner = np.s_[MARGIN : field - MARGIN, MARGIN : field - MARGIN] if field > 3 * MARGIN else np.s_[:field, :field]
    mask = np.asarray(found.data[0, 0, :field, :field])[inner] > 0.5
    truth = drawn[1][:field, :field][inner]
    count = _count_nuclei(folder, image, field, memory, say)
    shown = min(PICTURE, size)
    side_by_side([drawn[0][:shown, :shown], np.asarray(found.data[0, 0, :shown, :shown])], picture)
    return DemoResult(
        image=image,
        output=output,
        picture=picture,
        image_bytes=2 * size * size,
        memory=memory,
        prediction=prediction,
        overlap=float((mask & truth).sum() / max(1, (mask | truth).sum())),
        count=count,
        seconds=time.perf_counter() - begin,
    )


def _count_nuclei(folder: Path, image: Path, field: int, memory: str, say: Callable[[str], None]) -> NucleiCount | None:
    """Label and measure the nuclei of one field, as far as the plugin for it is installed."""
    if COUNTING_OP not in default_registry().processing_ops:
        return None
    labels, table = folder / "nuclei.zarr", folder / "nuclei.csv"
    say(f"counting: {labels}, {table}, in {field} x {field} pixels")
    part = {"y": (0, field), "x": (0, field)}
    counted = predict(model_folder(), image, labels, postprocessing=COUNTING, table=table, roi=part, memory=memory, overwrite=True)
    centres = nuclei_centres(0, 0, 0, field, field)
    found = np.asarray(counted["probability"].data[0, 0])[centres[:, 0], centres[:, 1]] > 0
    objects = counted.objects["probability"].count
    return NucleiCount(drawn=len(centres), found=int(found.sum()), objects=objects, labels=labels, table=table)


def _write_image(path: Path, size: int, progress: Progress | None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Write an image by rows of chunks; return its first field, and the mask of nuclei there."""
    import zarr

    rows = range(0, FIELD, CHUNK)
    strips = []
    for n, y in enumerate(rows):
        strips.append(nuclei_block(0, y, 0, CHUNK, FIELD))
        if progress is not None:
            progress("draw", n + 1, len(rows))
    field, drawn = (np.concatenate([s[k] for s in strips]) for k in (0, 1))
    array = zarr.create_array(
        str(path), shape=(size, size), chunks=(CHUNK, CHUNK), dtype="uint16", dimension_names=("y", "x"), overwrite=True
    )
    mirrored = _mirrored(size)
    for n, y in enumerate(range(0, size, CHUNK)):
        if progress is not None:
            progress("write image", n + 1, -(-size // CHUNK))
        array[y : y + CHUNK] = field[mirrored[y : y + CHUNK]][:, mirrored]
    return field, drawn


def _mirrored(size: int) -> NDArray[np.intp]:
    """Return the row (or column) of the field for each position of the image."""
    at = np.arange(size) % (2 * FIELD)
    return np.where(at < FIELD, at, 2 * FIELD - 1 - at).astype(np.intp)
