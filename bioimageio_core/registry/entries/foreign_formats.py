"""Entries of the hook ``bioimageio_foreign_formats``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import attrs

from ...typing import FrozenMapping
from .base import EntryBase, called_with, names

__all__ = ["ForeignFormat", "ForeignFormatEntry", "ForeignFormatWriter"]


@runtime_checkable
class ForeignFormat(Protocol):
    """Reads models that others describe in their own way."""

    def sniff(self, path: Path) -> bool:
        """Return whether a file (or folder) whose name fits is of this format; looks at its first bytes, not at all of it."""
        ...

    def read(self, path: Path, folder: Path) -> Mapping[str, Any]:
        """Return a model description as a tree of mappings, lists and scalars.

        A reader whose entry names options takes each of them by name, too, and has a default for it.

        Args:
            path: The file or folder.
            folder: An empty folder for the files that the description names: weights, test tensors, documentation.

        Raises:
            ValueError: The file is broken, or says something that no model description can say; one sentence.

        """
        ...


ForeignFormatWriter: TypeAlias = Callable[..., tuple[str, ...]]
"""``(description, folder of its files, path to write, **options) -> what could not be said there, each as a sentence``."""


def _words_by_name(given: Mapping[str, str]) -> FrozenMapping[str, str]:
    return FrozenMapping(given)


@attrs.frozen(kw_only=True)
class ForeignFormatEntry(EntryBase):
    """A format of models other than bioimage.io's."""

    patterns: tuple[str, ...] = attrs.field(validator=names)
    """Names of files or folders that may be of the format, as in ``*.czann``; matched without regard to case."""

    load: Callable[[], ForeignFormat] = attrs.field(validator=called_with())
    reader_options: Mapping[str, str] = attrs.field(default=FrozenMapping(), converter=_words_by_name)
    """Names of the arguments that `read` takes beside those two, and what each is for, in a few words."""

    load_writer: Callable[[], ForeignFormatWriter] | None = attrs.field(default=None, validator=attrs.validators.optional(called_with()))
    """Imports what writes the format; None where it is only read."""

    writer_options: Mapping[str, str] = attrs.field(default=FrozenMapping(), converter=_words_by_name)
    """Names of the arguments that the writer takes beside those three, and what each is for, in a few words."""
