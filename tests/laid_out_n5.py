"""N5 folders by TensorStore, and by hand as their specification has them."""

from __future__ import annotations

import gzip
import itertools
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["describe", "save", "save_by_hand"]


def save(path: Path, volume: np.ndarray, *, blocks: tuple[int, ...] = (3, 2, 2), **attributes: Any) -> Path:
    """Write a dataset (z, y, x) with TensorStore, which has the axes of N5: x, y, z."""
    import tensorstore as ts

    spec = {
        "driver": "n5",
        "kvstore": {"driver": "file", "path": f"{path}/"},
        "metadata": {"blockSize": list(blocks), "compression": {"type": "gzip"}},
    }
    stored = ts.open(spec, create=True, shape=volume.T.shape, dtype=volume.dtype).result()
    stored.write(volume.T).result()
    describe(path, **attributes)
    return path


def describe(path: Path, **attributes: Any) -> None:
    """Add attributes to a folder."""
    path.mkdir(parents=True, exist_ok=True)
    file = path / "attributes.json"
    found = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps({**found, **attributes}))


def save_by_hand(path: Path, volume: np.ndarray, blocks: tuple[int, ...]) -> None:
    """Write a dataset as the specification of N5 has it: blocks with a header, values with the highest byte first, x fastest."""
    sizes = volume.shape[::-1]
    describe(path, dimensions=list(sizes), blockSize=list(blocks), dataType=volume.dtype.name, compression={"type": "gzip"})
    for position in itertools.product(*(range(-(-size // block)) for size, block in zip(sizes, blocks, strict=True))):
        index = tuple(slice(n * block, (n + 1) * block) for n, block in zip(position, blocks, strict=True))
        part = volume[index[::-1]]
        header = struct.pack(">HH", 0, len(sizes)) + b"".join(struct.pack(">I", size) for size in part.shape[::-1])
        place = path.joinpath(*map(str, position))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(header + gzip.compress(part.astype(part.dtype.newbyteorder(">")).tobytes()))
