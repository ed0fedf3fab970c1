"""Many small images, and a long time series, against bare calls of the same network for blocks of the same size.

Promised: 0.8 of the rate of bare calls for images of 256 x 256, each with an output of its own; 0.9 for frames of 512 x 512 of one series,
with memory that does not grow with their number. The networks are U-Nets with 16 and with 32 features, small and four times as large;
what is spent beside a network does not depend on it. Arguments: numbers of images and of frames; 2000 and 2000 without.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np
from made_unets import save_unet
from measuring import bare_calls, camera_counts, report, script_result

from bioimageio_core.resources import large_pages

ROUNDS = 3
IMAGE, FRAME, HALO = 256, 512, 16
DIFFERENT = 16
"""Different frames of the series; the others are second names of their files."""


def write_images(folder: Path, count: int) -> Path:
    """Write images, each as a file of its own."""
    folder.mkdir()
    for number in range(count):
        np.save(folder / f"{number:06}.npy", camera_counts(number, (IMAGE, IMAGE)))
    return folder


def write_frames(path: Path, count: int) -> Path:
    """Write a series as zarr, frame by frame."""
    import zarr

    array = zarr.create_array(
        str(path), shape=(count, FRAME, FRAME), chunks=(1, FRAME, FRAME), dtype="uint16", dimension_names=("time", "y", "x")
    )
    for number in range(min(DIFFERENT, count)):
        array[number] = camera_counts(number, (FRAME, FRAME))
    for number in range(DIFFERENT, count):
        file = path / "c" / str(number) / "0" / "0"
        file.parent.mkdir(parents=True)
        file.hardlink_to(path / "c" / str(number % DIFFERENT) / "0" / "0")
    return path


def bare_rate(weights: Path, size: int, calls: int) -> float:
    """Return calls per second: the better of two calls of one thread, and one of two."""
    ways = [
        bare_calls(weights, (1, 1, size, size), at_once=at_once, threads=3 - at_once, calls=calls, variables=large_pages())
        for at_once in (1, 2)
    ]
    return calls / min(way["seconds"] for way in ways)


def main() -> None:
    """Measure and print."""
    images, frames = (int(n) for n in sys.argv[1:]) if len(sys.argv) > 1 else (2000, 2000)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        small, large = (save_unet(folder / str(features), "yx", features=features) for features in (16, 32))
        plate, series = str(write_images(folder / "images", images)), str(write_frames(folder / "frames.zarr", frames))
        cases = {
            f"{images} images, small network": ("images", small, plate, IMAGE, images),
            f"{images} images, larger network": ("images", large, plate, IMAGE, images),
            f"{frames} frames, small network": ("frames", small, series, FRAME, frames),
        }
        for name, (kind, model, source, size, count) in cases.items():
            if not count:
                continue
            ratios, rates, peaks = [], [], []
            for _ in range(ROUNDS):
                bare = bare_rate(model / "weights.onnx", size + 2 * HALO, min(count, 500))
                case = json.dumps({"kind": kind, "model": str(model), "source": source, "output": str(folder / "results")})
                found = script_result(sys.executable, Path(__file__).with_name("many_run.py"), case, variables=large_pages())
                rates.append(count / found["seconds"])
                ratios.append(rates[-1] / bare)
                peaks.append(found["peak"])
            report(name, per_second=median(rates), of_bare_calls=median(ratios), peak_MB=median(peaks) / 1e6)


if __name__ == "__main__":
    main()
