"""Metadata of zarr groups, written in one step: a group appears with all of its attributes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ...atomic_files import atomic_file
from ..locations import local_path, zarr_store

__all__ = ["write_group"]


def write_group(location: str, attributes: Mapping[str, Any], zarr_format: Literal[2, 3]) -> None:
    """Make a folder a zarr group with these attributes, in place of those of a group that is there.

    On a local disk, the files that the format defines are written as they are, and are on the disk when this returns.
    zarr takes several times as long, which counts for many small outputs.

    Args:
        location: Path or fsspec URL of the folder.
        attributes: JSON values.
        zarr_format: Version of zarr.

    Raises:
        OSError: It cannot be written.

    """
    local = local_path(location)
    if local is None:
        import zarr

        group = zarr.open_group(zarr_store(location, read_only=False), mode="a", zarr_format=zarr_format, attributes=dict(attributes))
        if group.attrs.asdict() != attributes:  # the group was there
            group.attrs.put(dict(attributes))
        return
    files: dict[str, Any]
    if zarr_format == 3:
        files = {"zarr.json": {"zarr_format": 3, "node_type": "group", "attributes": attributes}}
    else:
        files = {".zattrs": attributes, ".zgroup": {"zarr_format": 2}}  # the last one makes it a group
    Path(local).mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        with atomic_file(Path(local) / name) as file:
            file.write(json.dumps(content, indent=2).encode())
