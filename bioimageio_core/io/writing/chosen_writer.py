"""Which format an output is written in: the ending of its name decides; and calls of the writer of that format."""

from __future__ import annotations

import re
from pathlib import Path

from ...errors import OutputError, PluginError
from ...file_kinds import FILE_KINDS, ZARR, ending
from ...registry import ImageWriterEntry, Registry, blamed, default_registry
from ..format_entries import check_requirements, entries_of_name
from ..locations import local_path
from .image_writer import ImageLayout, ImageWriter, ReadRegion

EACH = "{output}"
"""The part of the name of a file that stands for the id of the output, where a model has several."""

ENDING = re.compile(r"(?<=.)\.[A-Za-z][A-Za-z0-9]{0,7}$")
"""What looks like the ending of the name of a file: ``v1.5`` and ``2024.05.01_s1`` have none."""

__all__ = ["EACH", "check_layout", "check_output_name", "loaded_writer", "write_file", "writer_of"]


def check_output_name(location: str, chosen: str | None = None) -> None:
    """Refuse the name of an output that has no ending of a format that is written, or is on a web server; see `writer_of`."""
    writer_of(location, chosen)


def writer_of(location: str, chosen: str | None = None) -> ImageWriterEntry | None:
    """Return the entry of the writer of an output; None for zarr, which runs write directly.

    Args:
        location: Path or URL of the output, also a template.
        chosen: Name of the writer, where several write files with this ending.

    Raises:
        OutputError: The ending is that of no format that is written, or the chosen writer has another one;
            the output is on a web server; or it is a file that is not on a disk of this machine.

    """
    _check_place(location)
    if _is_zarr(location):
        if EACH in location:
            raise OutputError(f"output {location} is a zarr folder, which holds all outputs of a model: leave out {EACH}")
        if chosen is not None:
            raise OutputError(
                f"output {location} is a zarr folder: expected the name of a file for output_format= (--output-format) {chosen}"
            )
        return None
    registry = default_registry()
    found = entries_of_name(location.replace("\\", "/").rpartition("/")[2], registry.image_writers.values())
    if chosen is not None:
        found = [entry for entry in found if entry.name == chosen]
        if not found:
            known = {entry.name: ", ".join(entry.suffixes) for entry in registry.image_writers.values()}
            if chosen not in known:
                raise OutputError(f"output_format= (--output-format) is {chosen!r}: expected one of {', '.join(sorted(known))}")
            raise OutputError(f"output {location} does not end as files of the format {chosen!r} do: expected {known[chosen]}")
    if not found:
        raise _unknown(location, registry)
    if local_path(location) is None:
        raise OutputError(
            f"output {location} is a file in a remote store: expected a path of this machine, or the name of a zarr folder, such as "
            f"{_without_ending(location)}.zarr"
        )
    return found[0]


def loaded_writer(entry: ImageWriterEntry, location: str) -> ImageWriter:
    """Return the writer of an entry.

    Raises:
        MissingRequirementError: A package that it needs is not installed.

    """
    check_requirements(entry, f"output {location}", "written")
    writer: ImageWriter = entry.load()
    return writer


def check_layout(writer: ImageWriter, layout: ImageLayout, place: str | Path) -> None:
    """Refuse an image that a format cannot hold.

    Raises:
        OutputError: The writer says so.

    """
    try:
        writer.check(layout)
    except ValueError as error:
        raise OutputError(f"output {place} cannot be written: {error}") from None


def write_file(writer: ImageWriter, name: str, layout: ImageLayout, read: ReadRegion, path: Path) -> None:
    """Write an image with the writer of this name.

    Raises:
        OSError: The file cannot be written.
        PluginError: The writer fails, or wrote no file.

    """
    with blamed(f"the image writer {name!r}", passing=(OSError,)):
        writer.write(layout, read, path)
    if not path.is_file():
        raise PluginError(f"the image writer {name!r} wrote no file: expected {path.name}")


def _check_place(location: str) -> None:
    if not location.strip():
        raise OutputError("the name of the output is empty: expected a path or URL as output= (-o), such as result.zarr")
    if location.rpartition("::")[2].lower().startswith(("http://", "https://")):
        raise OutputError(f"output {location} is on a web server, which is only read from: expected a local path, or a store such as s3://")


def _is_zarr(location: str) -> bool:
    """Return whether an output is a zarr folder, as a name without an ending is, or lies within one, as labels of an image do."""
    *folders, name = location.partition("?")[0].replace("\\", "/").rstrip("/").split("/")
    has_ending = ending(name) or ENDING.search(name)
    return not has_ending or FILE_KINDS.get(ending(name).lower()) == ZARR or any(one.lower().endswith(".zarr") for one in folders)


def _unknown(location: str, registry: Registry) -> OutputError:
    written = sorted({suffix for entry in registry.image_writers.values() for suffix in entry.suffixes})
    expected = f"expected a name that ends in .zarr, for a zarr folder, or in {', '.join(written)}"
    kind = FILE_KINDS.get(ending(location).lower())
    of = "an unknown ending" if kind is None else f"the ending of {kind} files, which are not written"
    return OutputError(f"output {location} has {of}: {expected}, such as {_without_ending(location)}.zarr")


def _without_ending(location: str) -> str:
    place = location.rstrip("/\\")
    return place[: len(place) - len(ending(location))]
