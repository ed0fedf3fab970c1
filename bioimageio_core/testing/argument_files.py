"""Files that arguments of ops name, as a package holds them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from ..axis_names import SPACE
from ..packaging.references import file_references
from ..sources import Package
from ..typing import AxisId

__all__ = ["made_package"]


def made_package(arguments: Any, given: Mapping[str, bytes], axes: Sequence[AxisId], shape: Sequence[int]) -> Package:
    """Return a zip with each file that arguments name.

    Args:
        arguments: Arguments of an op.
        given: Contents by the source that names the file; the others are made up.
        axes: Axes of the tensor that the op is tried on.
        shape: Its shape.

    """
    plane = tuple(size for axis, size in zip(axes, shape, strict=True) if axis in SPACE)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for source in dict.fromkeys(reference.source for reference in file_references(arguments)):
            opened.writestr(source, given[source] if source in given else _made_content(source, plane))
    return Package(name="the package of the op", content={}, archive=buffer.getvalue())


def _made_content(source: str, shape: tuple[int, ...]) -> bytes:
    """Return numbers from 1 to 2, of the size of an image: as text for a name that says so, else as ``.npy``."""
    numbers = np.linspace(1, 2, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    suffix = PurePosixPath(source).suffix.lower()
    if suffix == ".json":
        return json.dumps(numbers.tolist()).encode()
    buffer = io.BytesIO()
    if suffix in (".csv", ".txt"):
        np.savetxt(buffer, numbers.reshape(-1, shape[-1] if shape else 1), delimiter=",")
    else:
        np.save(buffer, numbers)
    return buffer.getvalue()
