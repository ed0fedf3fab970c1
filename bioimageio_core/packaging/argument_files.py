"""Files of a package that arguments of plugins name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..sources import Package
from .references import FileReference, file_references, names_files

__all__ = ["ArgumentFiles"]


class ArgumentFiles(Mapping[str, str]):
    """Local paths of the files that arguments name; each is fetched and verified when it is asked for.

    The key of a file is its path in the arguments, such as ``flat_field`` or ``tables.0``.
    A pickled copy finds the files where it arrives, as workers find the weights.

    Raises:
        SourceError: On access: the file is missing.
        HashMismatchError: On access: its SHA-256 is not the described one.

    """

    def __init__(self, arguments: Any, package: Package) -> None:
        self._package = package
        self._named = {_key(reference): (reference.source, reference.sha256) for reference in file_references(arguments)}

    @classmethod
    def of(cls, arguments: Any, package: Package) -> ArgumentFiles | None:
        """Return the files of arguments; None if their class has no field for any."""
        return cls(arguments, package) if names_files(type(arguments)) else None

    def __getitem__(self, name: str) -> str:
        source, sha256 = self._named[name]
        return str(self._package.local(source, sha256=sha256))

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of each file.

        Raises:
            SourceError: A file is missing.
            HashMismatchError: The SHA-256 of a file is not the described one.

        """
        found = {}
        for name, (source, sha256) in self._named.items():
            self._package.local(source, sha256=sha256)
            found[name] = sha256 or self._package.sha256_of(source)
        return found


def _key(reference: FileReference) -> str:
    """Return the path of a file in the arguments, without the key ``source`` of a `FileDescr`."""
    *above, last = map(str, reference.loc)
    return ".".join(above if above and reference.sha256_key is not None else [*above, last])
