"""Files of a package by names that a part of its description gives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .package import Package

__all__ = ["NamedFiles"]


class NamedFiles(Mapping[str, str]):
    """Local paths of files; each is fetched and verified when it is asked for, so that files that nothing uses are not fetched.

    A pickled copy finds the files where it arrives, as workers find the weights.

    Raises:
        SourceError: On access: the file is missing.
        HashMismatchError: On access: its SHA-256 is not the described one.

    """

    def __init__(self, named: Mapping[str, tuple[str, str | None]], package: Package) -> None:
        """Keep the names.

        Args:
            named: Source of each file and its SHA-256, if there is one, by name.
            package: The package that holds the files.

        """
        self._named, self._package = named, package

    def __getitem__(self, name: str) -> str:
        source, sha256 = self._named[name]
        return str(self._package.local(source, sha256=sha256))

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of each file by name.

        Raises:
            SourceError: A file is missing.
            HashMismatchError: The SHA-256 of a file is not the described one.

        """
        found = {}
        for name, (source, sha256) in self._named.items():
            self._package.local(source, sha256=sha256)
            found[name] = sha256 or self._package.sha256_of(source)
        return found
