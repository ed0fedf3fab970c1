"""Which datasets of an HDF5 file are images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import SourceError

if TYPE_CHECKING:
    import h5py

__all__ = ["image_paths", "is_image"]

MOST_NODES = 100_000
"""Number of groups and datasets that are looked at in search of images."""


def image_paths(file: h5py.File, path: str, location: str) -> tuple[str, ...]:
    """Return the sorted paths of the images at a path in a file: of all in a group, or of one dataset.

    Args:
        file: The open file.
        path: Path in the file, without a slash at its ends; empty for the root.
        location: Path or URL of the file, for messages.

    Raises:
        SourceError: There is nothing at this path, it is no image, or the group has more members than are searched.

    """
    import h5py

    node = file if not path else file.get(path)
    if node is None:
        there = ", ".join(list(file)[:12])
        raise SourceError(f"{location} holds nothing at {path}: expected a path such as one that begins with {there or 'nothing'}")
    if isinstance(node, h5py.Dataset):
        if not is_image(node):
            kind = "numbers along fewer than two axes" if node.dtype.kind in "buif" else f"values of the kind {node.dtype}"
            raise SourceError(f"{path} of {location} is no image but {kind}: expected numbers along at least two axes")
        return (path,)
    found: list[str] = []
    seen = 0

    def look(name: str, one: Any) -> None:
        nonlocal seen
        seen += 1
        if seen > MOST_NODES:
            raise SourceError(f"{location} holds more than {MOST_NODES:,} groups and datasets: give the path of one, as in {location}:/raw")
        if isinstance(one, h5py.Dataset) and is_image(one):
            found.append(f"{path}/{name}".strip("/"))

    node.visititems(look)
    return tuple(sorted(found))


def is_image(dataset: h5py.Dataset) -> bool:
    """Return whether a dataset holds real numbers along at least two axes."""
    try:
        return dataset.ndim >= 2 and dataset.size is not None and dataset.dtype.kind in "buif"
    except TypeError:  # of types that numpy lacks
        return False
