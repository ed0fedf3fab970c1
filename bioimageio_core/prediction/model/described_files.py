"""Files of a part of a description: further files of a weights entry, and those of a processing step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from ...sources import Package
from ...sources.named_files import NamedFiles
from ...sources.urls import is_url
from ...spec.fields import file_name
from ...spec.files import FileDescr
from ...spec.model.weights import split_architecture

__all__ = ["DescribedFiles"]


class DescribedFiles(NamedFiles):
    """Files of a weights entry, without the weights, or of a processing step.

    The key of a file is its field (``external_data``, ``architecture``), or field and place in the package where a field holds several
    (``attachments/code/layers.py``); of a URL, the place is the file name.
    Attachments of the model are among those of each entry and step.
    """

    def __init__(self, described: Any, package: Package, attachments: Any = (), *, with_source: bool = False) -> None:
        """Collect the names of files.

        Args:
            described: The weights entry, or the step.
            package: The package of the model.
            attachments: The field of the model's description.
            with_source: Whether the file of the part itself, if it has one, is included as ``source``; adapters get that of weights apart.

        """
        named = {**dict(_in_field("attachments", attachments)), **dict(_named(described))}
        if with_source and isinstance(described, FileDescr):
            named["source"] = (str(described.source), described.sha256)
        super().__init__(named, package)


def _named(described: Any) -> Iterator[tuple[str, tuple[str, str | None]]]:
    """Yield key, source and SHA-256 of each file."""
    for field in attrs.fields(type(described)):
        value = getattr(described, field.name)
        if isinstance(value, FileDescr):
            yield field.name, (str(value.source), value.sha256)
            continue
        if field.name == "architecture" and isinstance(value, str) and ":" in value:  # format 0.4 writes file:callable
            yield field.name, (split_architecture(value)[0], getattr(described, "architecture_sha256", None))
            continue
        yield from _in_field(field.name, value)


def _in_field(name: str, value: Any) -> Iterator[tuple[str, tuple[str, str | None]]]:
    """Yield key, source and SHA-256 of each file of a field that holds several."""
    several = getattr(value, "files", ()) if name == "attachments" and not isinstance(value, tuple) else value
    for file in several if isinstance(several, tuple) else ():
        if isinstance(file, FileDescr):
            yield f"{name}/{_place(str(file.source))}", (str(file.source), file.sha256)
        elif name == "attachments":  # format 0.4 attaches paths
            yield f"{name}/{_place(str(file))}", (str(file), None)


def _place(source: str) -> str:
    """Return the place of a file in the package; of a URL, its file name."""
    return file_name(source).rpartition("/")[2] if is_url(source) else source.replace("\\", "/").removeprefix("./")
