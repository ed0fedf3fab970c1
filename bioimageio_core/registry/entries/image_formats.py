"""Entries of the hooks ``bioimageio_image_readers`` and ``bioimageio_image_writers``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import attrs

from .base import EntryBase, called_with, is_a, names

__all__ = ["ImageReaderEntry", "ImageWriterEntry"]


def are_suffixes(instance: Any, attribute: Any, value: Any) -> None:
    """Accept a tuple of one or more endings of names, such as ``.czi``."""
    names(instance, attribute, value)
    if not value or not all(re.fullmatch(r"(\.[a-z0-9_\-]+)+", suffix) for suffix in value):
        raise ValueError(f"{attribute.name}: expected endings of names in lower case, such as '.czi', found {value!r}")


@attrs.frozen(kw_only=True)
class ImageReaderEntry(EntryBase):
    """A format of image files (or folders) that is read."""

    suffixes: tuple[str, ...] = attrs.field(validator=are_suffixes)
    """Endings of names, in lower case, as in ``.ome.tif``; the longest that fits decides."""

    load: Callable[[], Any] = attrs.field(validator=called_with())
    """Imports and returns the reader, a `bioimageio_core.io.ImageReader`."""

    requires: tuple[str, ...] = attrs.field(default=(), validator=names)
    """Importable names that the reader needs."""

    install: str = attrs.field(default="", validator=is_a(str, "a string"))
    """What to install for these, as in ``'bioimageio-runtime[images]'``; empty where the plugin depends on them."""

    paths_within: bool = attrs.field(default=False, validator=is_a(bool, "true or false"))
    """Whether paths may lead into the file or folder, as in ``image.zarr/labels`` and ``stack.h5:/raw``."""

    urls: bool = attrs.field(default=True, validator=is_a(bool, "true or false"))
    """Whether URLs are read; otherwise files have to be local."""

    preference: int = attrs.field(default=0, validator=is_a(int, "a whole number"))
    """Where several readers have a suffix: those with a higher number are asked first. A reader that can much has a low one."""


@attrs.frozen(kw_only=True)
class ImageWriterEntry(EntryBase):
    """A format of image files that results are written in."""

    suffixes: tuple[str, ...] = attrs.field(validator=are_suffixes)
    """Endings of names, in lower case, as in ``.ome.tif``; the longest that fits decides."""

    load: Callable[[], Any] = attrs.field(validator=called_with())
    """Imports and returns the writer, a `bioimageio_core.io.ImageWriter`."""

    requires: tuple[str, ...] = attrs.field(default=(), validator=names)
    """Importable names that the writer needs."""

    install: str = attrs.field(default="", validator=is_a(str, "a string"))
    """What to install for these, as in ``'bioimageio-runtime[images]'``; empty where the plugin depends on them."""

    levels: bool = attrs.field(default=False, validator=is_a(bool, "true or false"))
    """Whether the format holds coarser levels of an image, which are then made for it."""

    preference: int = attrs.field(default=0, validator=is_a(int, "a whole number"))
    """Where several writers have a suffix, the one with the highest number writes, unless another is chosen by its name."""
