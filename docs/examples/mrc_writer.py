"""Writes the image format MRC: volumes of electron microscopy, a header of 1024 bytes and then pixels along z, y and x."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bioimageio_core.registry import ImageWriterEntry, hookimpl

MODES = {"int8": 0, "int16": 1, "float32": 2, "uint16": 6, "float16": 12}


class MrcWriter:
    def check(self, image: Any) -> None:
        others = [axis for axis in image.axes if axis not in ("z", "y", "x") and image.size(axis) > 1]
        if str(image.dtype) not in MODES or others or "y" not in image.axes or "x" not in image.axes:
            raise ValueError(f"MRC holds {', '.join(MODES)} along z, y and x, found {image.dtype} along {', '.join(image.axes)}")

    def write(self, image: Any, read: Any, path: Path) -> None:
        import numpy as np  # imported when a file is written

        head, lengths = np.zeros(256, "<i4"), np.zeros(3, "<f4")
        head[0:3] = head[7:10] = [image.size(axis) for axis in "xyz"]
        head[3], head[16:19], head[22], head[27] = MODES[str(image.dtype)], [1, 2, 3], 1, 20140
        lengths[:] = [image.size(axis) * angstroms(*image.pixel_size.get(axis, (0, None))) for axis in "xyz"]
        head[10:13] = lengths.view("<i4")
        head[19:22] = np.array([0, -1, -2], "<f4").view("<i4")  # a maximum below the minimum: not known
        head[52:55] = np.frombuffer(b"MAP DD\0\0" + np.float32(-1).tobytes(), "<i4")
        rows = image.levels[0].chunks[image.axes.index("y")]
        with path.open("wb") as file:
            file.write(head.tobytes())
            for z in range(image.size("z")):
                for y in range(0, image.size("y"), rows):
                    part = {"z": slice(z, z + 1), "y": slice(y, min(y + rows, image.size("y"))), "x": slice(0, image.size("x"))}
                    index = tuple(part.get(axis, slice(0, 1)) for axis in image.axes)
                    file.write(read(index, 0).astype(image.dtype.newbyteorder("<")).tobytes())


def angstroms(size: float, unit: str | None) -> float:
    from bioimageio_core.units import METRES

    return size * METRES.get(unit or "", 0) / METRES["angstrom"]


@hookimpl
def bioimageio_image_writers() -> Iterator[ImageWriterEntry]:
    yield ImageWriterEntry(name="mrc", suffixes=(".mrc",), load=MrcWriter, summary="volumes of electron microscopy")
