"""Opens results of predictions in napari."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bioimageio_core as bc

__all__ = ["get_reader"]


def get_reader(path: str | list[str]) -> Callable[[str | list[str]], list[Any]] | None:
    """Return what reads a path, or None if it is not a result of a prediction; napari then asks other plugins."""
    paths = [path] if isinstance(path, str) else path
    return _read if paths and all(map(_is_result, paths)) else None


def _is_result(path: str) -> bool:
    import zarr

    try:
        return "bioimageio_core" in zarr.open_group(path, mode="r").attrs
    except Exception:  # zarr raises errors of many kinds on what is no group
        return False


def _read(path: str | list[str]) -> list[Any]:
    return list(bc.layers(*([path] if isinstance(path, str) else path)))
