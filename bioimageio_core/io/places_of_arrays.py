"""The places that images and arrays read from, whatever the arrays are wrapped in."""

from __future__ import annotations

import functools
import mmap
import os
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from io import IOBase
from types import BuiltinMethodType, CodeType, FunctionType, MemberDescriptorType, MethodType, ModuleType
from typing import Any

import attrs
import numpy as np

from ..places import LOCAL, Place, local_path, place_of
from .graph_leaves import leaves_of_graph
from .reading.image import Image

__all__ = ["location_of_zarr", "places_of", "unknown_origin"]

LIBRARIES = frozenset(
    {
        *("builtins", "functools", "itertools", "math", "operator", "_operator"),
        *("bioimageio_core", "cytoolz", "dask", "dask_image", "imageio", "numpy", "scipy", "skimage", "tifffile", "tlz", "toolz"),
        *("xarray", "zarr"),
    }
)
"""Packages whose functions and objects read pixels only from what they are given."""

READS = re.compile(
    r"open|load|read|memmap|fromfile|from_|store|path|glob|exec|eval|import|compile|url|request|fetch|get_array", re.IGNORECASE
)
"""Names of functions and attributes in code that may read pixels from elsewhere: of all libraries of images and stores, roughly."""

DIRECT = frozenset(
    {LOCAL, "local", "memory", "zip", "http", "https", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "webdav"}
)
"""Protocols of file systems that hold what they show; others, such as ``reference``, may show parts of other stores."""

HOPS = 8
"""Length of the chains of attributes that are followed into objects of other classes."""

MOST_OBJECTS = 5000
"""Number of objects behind attributes that are looked at."""


def places_of(source: Any) -> tuple[Place, ...]:
    """Return the places that a source of pixels reads from, as far as they can be found; none for arrays in memory.

    Args:
        source: A path or URL; an `Image`; an array or group of zarr, a dask array over such arrays (they are looked up in its graph,
            with the paths and URLs there), an xarray over either, also one that is not loaded; a numpy array over a file,
            a dataset of h5py, or an output of a prediction. Objects of other classes are searched for any of these.

    """
    if isinstance(source, str | os.PathLike):
        return (place_of(source),)
    return tuple(dict.fromkeys(place for found in _found_in(source) for place in found.places))


def unknown_origin(source: Any) -> str | None:
    """Return, in words, what in a source of pixels may also read from places that `places_of` cannot find; None where nothing does.

    That is an array or store of an unknown class, or a function in a dask graph whose code may read from anywhere.
    """
    return next((found.unknown for found in _found_in(source) if found.unknown), None)


@attrs.frozen(kw_only=True)
class _Found:
    """The origin of the pixels of an object."""

    places: Iterable[Place] = ()
    unknown: str | None = None
    """What may read from further places, in words."""

    parts: Iterable[Any] = ()
    """Objects that it reads from."""

    attributes: Iterable[Any] = ()
    """Objects that it may read from."""


def _found_in(source: Any) -> Iterator[_Found]:
    """Yield what a source and all that it reads from, each object once."""
    pending: deque[tuple[Any, int]] = deque([(source, 0)])
    seen: dict[int, Any] = {}  # with the objects, since ids are used again
    behind_attributes = 0
    while pending:
        value, hops = pending.popleft()
        if id(value) in seen or isinstance(value, int | float | complex | bytes | slice | None):
            continue
        seen[id(value)] = value
        found = _look_at(value)
        yield attrs.evolve(found, places=tuple(found.places))
        pending.extend((part, hops) for part in found.parts)
        inner = [(attribute, hops + 1) for attribute in found.attributes]
        behind_attributes += len(inner)
        if inner and (hops == HOPS or behind_attributes > MOST_OBJECTS):
            yield _Found(unknown=f"{_class(value)}, which holds many objects")
        else:
            pending.extend(inner)


def _look_at(value: Any) -> _Found:
    kind = next((kind for classes, kind in _BY_CLASS if isinstance(value, classes)), None)
    if kind is not None:
        return kind(value)
    package = type(value).__module__.partition(".")[0]
    if package in _BY_PACKAGE:
        return _BY_PACKAGE[package](value)
    # Asked of the class: objects that stand for remote ones have every attribute.
    graph = value.__dask_graph__() if hasattr(type(value), "__dask_graph__") else None
    if graph is not None:
        return _Found(parts=leaves_of_graph(graph))
    known = package in LIBRARIES | sys.stdlib_module_names and not isinstance(value, IOBase | mmap.mmap)
    return _Found(unknown=None if known else _class(value), attributes=_attributes(value))


def _class(value: Any) -> str:
    return f"an object of the class {type(value).__module__}.{type(value).__qualname__}"


def _of_text(text: str | os.PathLike[str]) -> _Found:
    """Return the place that a text names, if it is a URL or the path of something that exists."""
    location = os.fsdecode(text)
    if not location or location.isspace() or "\n" in location:
        return _Found()
    local = local_path(location)
    try:
        named = "://" in location if local is None else os.path.exists(local)  # noqa: PTH110  (of any text)
        return _Found(places=[place_of(location)] if named else ())
    except ValueError:  # no path or URL
        return _Found()


def _of_image(image: Image) -> _Found:
    places = [place_of(location) for location in (image.location, *image.arrays) if location is not None]
    # Of images that are resampled, and of arrays in memory.
    inner = [value for name in ("image", "array") if (value := getattr(image.reader, name, None)) is not None]
    inner += getattr(image.reader, "sources", ())  # of images that are computed from others
    return _Found(places=places, parts=inner or ([] if places else [image.reader]))


def _of_numpy(array: np.ndarray[Any, Any]) -> _Found:
    if isinstance(array, np.memmap) and array.filename is not None:
        return _Found(places=[place_of(array.filename)])
    base = array.base.obj if isinstance(array.base, memoryview) else array.base
    return _Found(parts=[base] if isinstance(base, np.ndarray | mmap.mmap) else ())


def _of_xarray(source: Any) -> _Found:
    # What is not loaded lies behind a chain of adapters without public names; `data` would load it.
    names = ("variable", "_data", "array", "_array")
    inner = [value for name in names if (value := getattr(source, name, None)) is not None][:1]
    filename = getattr(getattr(source, "datastore", None), "_filename", None)
    places = [place_of(filename)] if isinstance(filename, str) else []
    reads = hasattr(source, "shape") and not (inner or places)
    return _Found(places=places, parts=inner, unknown=_class(source) if reads else None)


def _of_function(function: Any) -> _Found:
    """Return what a function is bound to and refers to; one that is not of a library may read from anywhere, unless its code does not."""
    if isinstance(function, functools.partial):
        return _Found(parts=[function.func, *function.args, *function.keywords.values()])
    if isinstance(function, MethodType):
        return _Found(parts=[function.__self__, function.__func__])
    if isinstance(function, BuiltinMethodType):
        owner = function.__self__
        return _Found(parts=() if owner is None or isinstance(owner, ModuleType) else [owner])
    if str(function.__module__).partition(".")[0] in LIBRARIES:
        return _Found(parts=_bound_to(function))
    if isinstance(function, FunctionType):
        used = {name for code in _codes(function.__code__) for name in code.co_names}
        referred = [function.__globals__[name] for name in used if name in function.__globals__]
        modules = [m for m in referred if isinstance(m, ModuleType) and m.__name__.partition(".")[0] not in LIBRARIES | {"math"}]
        may_read = bool(modules) or any(READS.search(name) for name in used)
        unknown = f"the function {function.__qualname__}" if may_read else None
        return _Found(unknown=unknown, parts=referred, attributes=_bound_to(function))
    return _Found(unknown=f"the class {function.__qualname__}", attributes=_bound_to(function))


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of a function, and that of functions within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _bound_to(function: Any) -> Iterator[Any]:
    yield from getattr(function, "__defaults__", None) or ()
    for cell in getattr(function, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not yet filled
            continue


def _attributes(value: Any) -> Iterator[Any]:
    """Yield the values of the attributes of an object; no property is called."""
    yield from list(getattr(value, "__dict__", {}).values())
    for one in type(value).__mro__:
        for member in vars(one).values():
            if isinstance(member, MemberDescriptorType):  # of __slots__
                try:
                    yield member.__get__(value)
                except AttributeError:  # not yet set
                    continue


def _of_h5py(value: Any) -> _Found:
    filename = value.file.filename if hasattr(value, "file") else value.filename
    return _Found(places=[place_of(f"{LOCAL}://{os.path.abspath(filename)}")])  # noqa: PTH100  (text in, text out)


def location_of_zarr(node: Any) -> str | None:
    """Return the path or URL of an open zarr array or group; None where its store has none, such as one in memory."""
    from zarr.storage import FsspecStore, LocalStore, WrapperStore, ZipStore

    store, path = node.store_path.store, node.store_path.path
    while isinstance(store, WrapperStore):
        store = store._store
    if isinstance(store, LocalStore):
        return str(store.root / path)
    if isinstance(store, ZipStore):
        return f"zip://{path}::{store.path}"
    return _fsspec_location(store.fs, f"{store.path.rstrip('/')}/{path}") if isinstance(store, FsspecStore) else None


def _of_zarr(value: Any) -> _Found:
    from zarr.storage import MemoryStore

    if not hasattr(value, "store_path"):  # a store by itself
        return _Found(attributes=_attributes(value))
    location = location_of_zarr(value)
    if location is None:
        store = value.store_path.store
        return _Found(unknown=None if isinstance(store, MemoryStore) else _class(store), attributes=_attributes(store))
    scheme = location.partition("://")[0] if "://" in location else LOCAL
    return _Found(places=[place_of(location)], unknown=None if scheme in DIRECT else f"the file system {scheme}")


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


_BY_CLASS: tuple[tuple[Any, Callable[[Any], _Found]], ...] = (
    (str | os.PathLike, _of_text),
    (Image, _of_image),
    (np.ndarray, _of_numpy),
    (list | tuple | set | frozenset, lambda value: _Found(parts=value)),
    (dict, lambda value: _Found(parts=value.values())),
    (ModuleType | np.ufunc, lambda value: _Found()),
    (type | FunctionType | MethodType | BuiltinMethodType | functools.partial, _of_function),
)

_BY_PACKAGE: dict[str, Callable[[Any], _Found]] = {
    "distributed": lambda value: _Found(unknown="results on a cluster, which lost workers compute again"),
    "h5py": _of_h5py,
    "xarray": _of_xarray,
    "zarr": _of_zarr,
}
