"""The places that images and arrays read from, whatever the arrays are wrapped in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..places import LOCAL, Place, place_of
from .reading.image import Image

__all__ = ["places_of"]


def places_of(source: Any) -> tuple[Place, ...]:
    """Return the places that a source of pixels reads from; none for arrays in memory, and for kinds of arrays that are not known here.

    Args:
        source: A path or URL; an `Image`; an array or group of zarr, a dask array over such arrays (they are looked up in its graph),
            an xarray over either, also one that is not loaded; a numpy array over a file, a dataset of h5py,
            or an output of a prediction.

    """
    return tuple(dict.fromkeys(_places(source)))


def _places(source: Any) -> Iterator[Place]:
    if isinstance(source, str | os.PathLike):
        yield place_of(source)
    elif isinstance(source, Image):
        yield from _of_image(source)
    elif isinstance(source, np.ndarray):
        yield from _of_numpy(source)
    elif hasattr(source, "store_path"):
        yield from _of_zarr(source.store_path.store, source.store_path.path)
    elif hasattr(source, "dask"):
        for value in _values(source.dask):
            yield from _places(value)
    elif type(source).__module__.partition(".")[0] == "xarray":
        yield from _of_xarray(source)
    elif hasattr(source, "axes") and hasattr(source, "data"):  # an output of an earlier prediction
        yield from _places(source.data)
    elif type(source).__module__.partition(".")[0] == "h5py":
        yield place_of(f"{LOCAL}://{os.path.abspath(source.file.filename)}")  # noqa: PTH100  (text in, text out)


def _of_image(image: Image) -> Iterator[Place]:
    for location in (image.location, *image.arrays):
        if location is not None:
            yield place_of(location)
    for inner in ("image", "array"):  # of images that are resampled, and of arrays in memory
        value = getattr(image.reader, inner, None)
        if value is not None:
            yield from _places(value)


def _of_numpy(array: np.ndarray[Any, Any] | None) -> Iterator[Place]:
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap) and array.filename is not None:
            yield place_of(array.filename)
            return
        array = array.base


def _of_xarray(source: Any) -> Iterator[Place]:
    # What is not loaded lies behind a chain of adapters without public names; `data` would load it.
    names = ("variable", "_data", "array", "_array")
    inner = next((value for name in names if (value := getattr(source, name, None)) is not None), None)
    if inner is not None:
        yield from _places(inner)
    filename = getattr(getattr(source, "datastore", None), "_filename", None)
    if isinstance(filename, str):
        yield place_of(filename)


def _of_zarr(store: Any, path: str) -> Iterator[Place]:
    from zarr.storage import FsspecStore, LocalStore, WrapperStore, ZipStore

    while isinstance(store, WrapperStore):
        store = store._store
    if isinstance(store, LocalStore):
        yield place_of(store.root / path)
    elif isinstance(store, ZipStore):
        yield place_of(f"zip://{path}::{store.path}")
    elif isinstance(store, FsspecStore):
        yield place_of(_fsspec_location(store.fs, f"{store.path.rstrip('/')}/{path}"))


def _fsspec_location(files: Any, path: str) -> str:
    """Return the URL of a path of an fsspec file system, without caches."""
    from fsspec.implementations.cached import CachingFileSystem
    from fsspec.implementations.dirfs import DirFileSystem

    files = getattr(files, "sync_fs", files)  # what zarr wraps where a file system is not asynchronous
    if isinstance(files, CachingFileSystem):
        return _fsspec_location(files.fs, path)
    if isinstance(files, DirFileSystem):
        return _fsspec_location(files.fs, f"{files.path.rstrip('/')}/{path}")
    archive: Any = getattr(files, "of", None)  # the open file of an archive
    if hasattr(archive, "fs") and hasattr(archive, "path"):
        return f"zip://{path}::{_fsspec_location(archive.fs, archive.path)}"
    return str(files.unstrip_protocol(path))


def _values(graph: Mapping[Any, Any]) -> Iterator[Any]:
    """Yield each object within the tasks of a dask graph once; of blockwise layers without making their tasks."""
    seen: set[int] = set()
    for layer in getattr(graph, "layers", {"": graph}).values():
        for value in _values_of_layer(layer):
            for leaf in _leaves(value):
                if id(leaf) not in seen:
                    seen.add(id(leaf))
                    yield leaf


def _values_of_layer(layer: Mapping[Any, Any]) -> Iterator[Any]:
    from dask.blockwise import Blockwise

    if isinstance(layer, Blockwise):
        yield from (value for value, index in layer.indices if index is None)
        yield getattr(layer, "task", None)  # since dask 2024.12
    else:
        yield from layer.values()


def _leaves(value: Any) -> Iterator[Any]:
    """Yield what is within a task: arguments of calls, also in nested ones, and constants."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, Mapping):
        yield from _leaves(list(value.values()))
    elif type(value).__module__.startswith("dask."):
        for name in ("args", "kwargs", "value", "dsk"):  # of tasks, constants and fused tasks
            yield from _leaves(getattr(value, name, ()))
    elif hasattr(value, "shape"):
        yield value
