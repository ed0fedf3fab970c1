"""Files of a package that arguments of plugins name."""

from __future__ import annotations

from typing import Any

from ..sources import Package
from ..sources.named_files import NamedFiles
from .references import FileReference, file_references, names_files

__all__ = ["ArgumentFiles"]


class ArgumentFiles(NamedFiles):
    """The files that arguments name; the key of a file is its path in the arguments, such as ``flat_field`` or ``tables.0``."""

    def __init__(self, arguments: Any, package: Package) -> None:
        super().__init__({_key(reference): (reference.source, reference.sha256) for reference in file_references(arguments)}, package)

    @classmethod
    def of(cls, arguments: Any, package: Package) -> ArgumentFiles | None:
        """Return the files of arguments; None if their class has no field for any."""
        return cls(arguments, package) if names_files(type(arguments)) else None


def _key(reference: FileReference) -> str:
    """Return the path of a file in the arguments, without the key ``source`` of a `FileDescr`."""
    *above, last = map(str, reference.loc)
    return ".".join(above if above and reference.sha256_key is not None else [*above, last])
