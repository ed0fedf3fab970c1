"""Coordinates in zarr groups, as xarray writes them: arrays beside an image that label its axes, and are no images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...errors import SourceError
from ..locations import opening_errors, parent, zarr_store

if TYPE_CHECKING:
    import zarr

__all__ = ["coordinates_beside", "dimension_names", "without_coordinates"]


def dimension_names(array: zarr.Array[Any]) -> tuple[str | None, ...]:
    """Return the names of the dimensions of an array; none where they do not fit its rank."""
    names = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    if not isinstance(names, list | tuple) or len(names) != array.ndim:
        return ()
    return tuple(None if name is None else str(name) for name in names)


def without_coordinates(group: zarr.Group, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return the members of a group that are no coordinates.

    A coordinate has one dimension with its own name (a coordinate variable of the CF conventions), or is listed in the attribute
    ``coordinates`` of the group or of another member. Where nothing else is left, all are returned.

    Args:
        group: The group.
        paths: Names of its members.

    """
    import zarr

    members = {path: group[path] for path in paths}
    listed = {name for node in (group, *members.values()) for name in str(node.attrs.get("coordinates", "")).split()}
    coordinates = {p for p, node in members.items() if p in listed or (isinstance(node, zarr.Array) and dimension_names(node) == (p,))}
    return tuple(path for path in paths if path not in coordinates) or paths


def coordinates_beside(location: str, dimensions: tuple[str | None, ...]) -> Mapping[str, zarr.Array[Any]]:
    """Return the coordinates of an array by dimension: arrays in the same group with the name of a dimension as their only one.

    Args:
        location: Path or URL of the array.
        dimensions: Names of its dimensions.

    """
    import zarr

    folder = parent(location)
    if folder is None or not any(dimensions):
        return {}
    try:
        with opening_errors(folder, "a zarr group"):
            group = zarr.open(store=zarr_store(folder, read_only=True), mode="r")
    except (SourceError, FileNotFoundError):  # an array may lie in any folder
        return {}
    if not isinstance(group, zarr.Group):
        return {}
    beside = {name: group.get(name) for name in dimensions if name}
    return {name: node for name, node in beside.items() if isinstance(node, zarr.Array) and dimension_names(node) == (name,)}
