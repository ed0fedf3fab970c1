"""Reads files of microscopes with the readers of bioio that are installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bioimageio_core.registry import ImageReaderEntry, hookimpl

if TYPE_CHECKING:
    from .reader import BioioReader

__all__ = ["bioimageio_image_readers"]

SUFFIXES = (".czi", ".dv", ".lif", ".nd2", ".oib", ".oif", ".sldy", ".vsi")


def _load() -> BioioReader:
    from .reader import BioioReader

    return BioioReader()


@hookimpl
def bioimageio_image_readers() -> Iterator[ImageReaderEntry]:
    """Yield the reader, which readers of single formats precede."""
    yield ImageReaderEntry(
        name="bioio",
        suffixes=SUFFIXES,
        load=_load,
        requires=("bioio",),
        urls=False,
        preference=-10,
        summary="files of microscopes, with the readers of bioio that are installed",
    )
