"""Paths that lead into a file or folder that holds images, as in ``stack.h5:/raw`` and ``stack.h5/raw``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...io.locations import local_path

__all__ = ["path_within"]


def path_within(location: str, suffixes: Sequence[str], *, folders: bool) -> tuple[str, str]:
    """Return the path or URL of the container that a location leads into, and the path within it, which is empty for the container.

    Args:
        location: Path or URL.
        suffixes: Endings of names of containers, in lower case.
        folders: Whether containers are folders; otherwise local folders with such names are passed by.

    """
    parts = location.rstrip("/").split("/")
    for n, part in enumerate(parts, start=1):
        name = part.removesuffix(":")
        if not name.lower().endswith(tuple(suffixes)):
            continue
        container = "/".join([*parts[: n - 1], name])
        local = local_path(container)
        if local is not None and not folders and Path(local).is_dir():
            continue
        return container, "/".join(one for one in parts[n:] if one)
    return location, ""
