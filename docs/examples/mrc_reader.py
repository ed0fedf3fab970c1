"""The image format MRC of electron microscopy: 1024 bytes of header, which may be extended, then pixels along z, y and x."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bioimageio_core.registry import ImageReaderEntry, hookimpl

DTYPES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}


def header(location: str) -> tuple[dict[str, Any], dict[str, Any]]:
    import numpy as np  # imported when a file is opened

    with Path(location).open("rb") as file:
        head = file.read(1024)
    if len(head) < 1024 or head[208:212] != b"MAP ":
        raise ValueError("expected a header of 1024 bytes with 'MAP ' at byte 208")
    order = ">" if head[212] == 0x11 else "<"
    words, lengths = (np.frombuffer(head, f"{order}{kind}4").tolist() for kind in "if")
    if words[3] not in DTYPES or words[16:19] != [1, 2, 3]:
        raise ValueError(f"expected mode 0, 1, 2, 6 or 12 and axes 1, 2, 3, found mode {words[3]} and axes {words[16:19]}")
    pixel_size = {axis: (length / max(1, n), "angstrom") for axis, length, n in zip("xyz", lengths[10:13], words[7:10], strict=True)}
    return {"dtype": order + DTYPES[words[3]], "offset": 1024 + words[23], "shape": tuple(words[2::-1])}, pixel_size


def open_mrc(location: str) -> Any:
    import numpy as np

    return np.memmap(location, mode="r", **header(location)[0])


class MrcReader:
    def sniff(self, location: str) -> bool:
        try:
            return bool(header(location))
        except (OSError, ValueError):
            return False

    def scenes(self, location: str) -> Sequence[Any]:
        from bioimageio_core.io import Scene

        return (Scene(number=0),)

    def open(self, location: str, scene: Any, level: int | None) -> Any:
        from bioimageio_core.io import check_single, lazy_image

        check_single(scene, level, location)
        return lazy_image(open_mrc, location, axes="zyx", pixel_size=header(location)[1])


@hookimpl
def bioimageio_image_readers() -> Iterator[ImageReaderEntry]:
    yield ImageReaderEntry(name="mrc", suffixes=(".mrc",), load=MrcReader, urls=False, summary="volumes of electron microscopy")
