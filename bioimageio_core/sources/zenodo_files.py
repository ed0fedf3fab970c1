"""Records of Zenodo as folders of a file system, whose files are compared with the checksums of the record."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

from fsspec import AbstractFileSystem

from ..errors import HashMismatchError, SourceError
from .zenodo import LARGEST_RECORD, PROTOCOL, RecordFile, read_record, url_of_record

__all__ = ["RecordFiles"]


class RecordFiles(AbstractFileSystem):  # type: ignore[misc] # fsspec has no types
    """Files by ``RECORD/NAME``, each read from the address that the record names.

    Args:
        web: The file system that reads HTTP.
        seconds: Time limit for reading a record.

    """

    protocol = PROTOCOL
    cachable = False

    def __init__(self, web: Any, seconds: float) -> None:
        super().__init__()
        self._web, self._seconds = web, seconds
        self._known: dict[str, tuple[RecordFile, ...]] = {}

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """Return the files of a record."""
        number = path.strip("/")
        found = [self._info(number, file) for file in self._record(number)]
        return found if detail else [file["name"] for file in found]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Return the entry of a file in the record; its checksum serves as version."""
        number, _mark, name = path.strip("/").partition("/")
        return self._info(number, self._file(path)) if name else {"name": number, "type": "directory", "size": 0}

    def get_file(self, rpath: str, lpath: str, callback: Any = None, **_: Any) -> None:
        """Write a file to a local one, and compare it with its checksum."""
        file = self._file(rpath)
        self._web.get_file(file.url, lpath, callback=callback)
        _check(Path(lpath), file, rpath)

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        return self._web.open(self._file(path).url, mode, **options)

    def _file(self, path: str) -> RecordFile:
        number, _, name = path.strip("/").partition("/")
        files = self._record(number)
        found = next((file for file in files if file.name == name), None)
        if found is None:
            names = ", ".join(file.name for file in files[:10])
            raise FileNotFoundError(f"the record has no file {name!r}, but {names}{', ...' if len(files) > 10 else ''}")
        return found

    def _record(self, number: str) -> tuple[RecordFile, ...]:
        if number not in self._known:
            url = url_of_record(number)
            self._known[number] = read_record(self._content(url), url)
        return self._known[number]

    def _content(self, url: str) -> bytes:
        content, until = b"", time.monotonic() + self._seconds
        with self._web.open(url, "rb", block_size=0) as file:
            while piece := file.read(LARGEST_RECORD):  # as much as has arrived
                content += piece
                if len(content) > LARGEST_RECORD:
                    raise SourceError(f"{url} is larger than {LARGEST_RECORD >> 20} MiB, which no record is")
                if time.monotonic() > until:
                    raise TimeoutError
        return content

    @staticmethod
    def _info(number: str, file: RecordFile) -> dict[str, Any]:
        return {"name": f"{number}/{file.name}", "type": "file", "size": file.size, "ETag": file.checksum or None}


def _check(path: Path, file: RecordFile, name: str) -> None:
    """Raise HashMismatchError where a file does not have its checksum.

    Algorithms that Python lacks, and those whose digests have no length of their own, such as ``shake_128``, are not compared.
    """
    algorithm, _, expected = file.checksum.partition(":")
    if not expected or algorithm not in hashlib.algorithms_available or not hashlib.new(algorithm, usedforsecurity=False).digest_size:
        return
    with path.open("rb") as opened:
        found = hashlib.file_digest(opened, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()
    if found != expected:
        raise HashMismatchError(
            f"{name} is not the file that its record at Zenodo lists: expected {file.checksum}, found {algorithm}:{found}; fetch it again"
        )
