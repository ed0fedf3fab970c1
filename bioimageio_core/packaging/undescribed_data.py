"""Data of ONNX graphs that lie beside the weights while no description names them, so that packages would lack them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from ..onnx_locations import external_locations
from .references import FileReference

__all__ = ["REMEDY", "undescribed_data"]

REMEDY = "Name it as external_data of the weights, with its SHA-256 (format 0.4: among their attachments)."


def undescribed_data(reference: FileReference, path: Path, references: Sequence[FileReference]) -> tuple[str, ...]:
    """Return the names of files in which ONNX weights keep tensors, and which a description does not name.

    Args:
        reference: A file of the description; only ONNX weights have such data.
        path: Its local path.
        references: All files of the description.

    """
    if reference.loc != ("weights", "onnx", "source"):
        return ()
    try:
        wanted = sorted(external_locations(path))
    except (ValueError, OSError):  # what is broken is reported elsewhere
        return ()
    if len(wanted) == 1 and any(r.loc == ("weights", "onnx", "external_data", "source") for r in references):
        return ()
    named = {PurePosixPath(r.source.replace("\\", "/")).name for r in references if {"attachments", "external_data"} & {*r.loc}}
    return tuple(name for name in wanted if PurePosixPath(name).name not in named)
