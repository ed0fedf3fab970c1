"""ONNX graphs with tensors in a second file, placed beside each other, as ONNX Runtime requires."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from ..atomic_files import link_or_copy
from ..errors import ModelRunError
from ..onnx_locations import external_locations
from ..registry import AdapterContext
from ..sources.scratch import Scratch

__all__ = ["graph_beside_its_data"]


def graph_beside_its_data(context: AdapterContext, scratch: Scratch) -> str:
    """Return the path of the graph, with its data beside it under the name that the graph has for them.

    If they are elsewhere, as in the cache or in some packages, the graph and its data are linked or copied into a temporary folder.

    Args:
        context: The context of the adapter.
        scratch: The temporary folder, to be kept as long as the graph is used.

    Raises:
        ModelRunError: The graph names a file that is not described, is missing, or is not beside it.

    """
    graph = Path(context.path)
    try:
        locations = sorted(external_locations(graph))
    except ValueError as error:
        raise ModelRunError(f"onnxruntime cannot load {graph.name}: it is not an ONNX graph, {error}") from None
    for location in locations:
        if not _is_beside(location):
            raise ModelRunError(
                f"{graph.name} wants tensors from {location!r}: expected a file beside it; it is not loaded, since it could read any file"
            )
    described = {location: _described(context, location, len(locations)) for location in locations}
    if all(file is None or _is_at(file, graph.parent / location) for location, file in described.items()):
        missing = [location for location in locations if not (graph.parent / location).is_file()]
        if missing:
            raise ModelRunError(
                f"{graph.name} wants tensors from {missing[0]!r}, which does not lie beside it: "
                "expected the file to be described as external_data (format 0.5) or among the attachments of the weights (0.4)"
            )
        return str(graph)
    folder = scratch.folder()
    for location, file in described.items():
        place = folder / location
        place.parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(graph.parent / location if file is None else file, place)
    place = folder / "graph.onnx"
    while place.exists():
        place = place.with_name(f"_{place.name}")
    link_or_copy(graph, place)
    return str(place)


def _is_beside(location: str) -> bool:
    """Return whether a name stays in the folder, on any system; to ONNX Runtime, names with asterisks are places in memory."""
    posix, windows = PurePosixPath(location), PureWindowsPath(location)
    strange = not location.isprintable() or "*" in location or ".." in {*posix.parts, *windows.parts}
    return bool(posix.name) and not (strange or posix.is_absolute() or windows.drive or windows.root)


def _described(context: AdapterContext, location: str, count: int) -> Path | None:
    """Return the verified local path of the data; None where the description does not name them."""
    attached = [key for key in context.files if key.startswith("attachments/") and PurePosixPath(key).name == PurePosixPath(location).name]
    if f"attachments/{location}" in attached:
        return Path(context.files[f"attachments/{location}"])
    external = context.files.get("external_data")
    if external is not None:
        if count > 1:
            raise ModelRunError(f"{Path(context.path).name} wants tensors from {count} files: expected one, which external_data describes")
        return Path(external)
    return Path(context.files[attached[0]]) if attached else None


def _is_at(file: Path, place: Path) -> bool:
    """Return whether a file is in its place, and not a link, which ONNX Runtime does not follow."""
    return file.resolve() == place.parent.resolve() / place.name
