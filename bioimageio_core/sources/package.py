"""A package: a description and the files that it names."""

from __future__ import annotations

import io
import shutil
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from ..atomic_files import atomic_file, link_or_copy
from ..errors import SourceError, TrustError
from .cache import cache_from_environment, is_cached
from .hashes import FileHashes, sha256_of, verify_sha256
from .internal_addresses import check_named_url
from .member_names import check_name, inside
from .scratch import Scratch
from .urls import is_url, open_url, path_of_url, protocol_of, url_errors
from .zip_sizes import check_free_space, check_unpacked_size

__all__ = ["Package"]

LARGEST_COPIED = 64 * 2**20
"""Bytes of a trusted file that is copied before it is compared."""


@attrs.frozen(kw_only=True)
class Package:
    """The text or tree of a description, and the place of its files.

    Close it (or use it as a context manager) when its files are no longer needed.
    """

    name: str
    """Name of the source in messages."""

    content: bytes | Mapping[str, Any]
    """YAML text, or a tree."""

    root: str = ""
    """Folder or URL that relative paths start from; empty where there is none."""

    query: str = ""
    """Query of the URLs of relative paths, without the question mark: some servers select a version by it."""

    archive: bytes | str | None = None
    """The zip that holds the files: its bytes or local path."""

    location: str = ""
    """Path or URL of the zip, or of the file of the description; empty for bytes and mappings."""

    trusted: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """SHA-256 of files by name in the description, as the user trusted them: no other content of these is used."""

    _unpacked: Scratch = attrs.field(factory=Scratch, eq=False, repr=False)
    _hashes: FileHashes = attrs.field(factory=FileHashes, eq=False, repr=False)

    @property
    def locations(self) -> tuple[str, ...]:
        """Paths and URLs that the description and its files are read from."""
        archive = self.archive if isinstance(self.archive, str) else ""
        return tuple(dict.fromkeys(filter(None, (self.location, self.root, archive))))

    def local(self, source: str, *, sha256: str | None = None) -> Path:
        """Return the local path of a file that the description names, after fetching or unpacking it where needed.

        Args:
            source: Path relative to the description, absolute path, or URL.
            sha256: Its hash, verified if given.

        Raises:
            SourceError: The file does not exist, lies outside of the package, or cannot be unpacked for lack of space.
            HashMismatchError: It is not the file that the description names.
            TrustError: It is not the file that the user trusted.

        """
        path = self._find(source, sha256)
        if source in self.trusted:
            path = self._as_trusted(path, source)
        if sha256:
            verify_sha256(path, sha256, name=f"{source} of {self.name}")
        return path

    def sha256_of(self, source: str) -> str:
        """Return the SHA-256 of a file that the description names; it is computed once, unless the file changes.

        Raises:
            SourceError: The file does not exist, lies outside of the package, or cannot be unpacked for lack of space.
            OSError: It cannot be read.

        """
        return self._hashes.sha256_of(self.local(source))

    def size_of(self, source: str) -> int | None:
        """Return the size in bytes of a file that the description names; None where it does not exist, or is remote."""
        if is_url(source) or (self.archive is None and is_url(self.root)):
            return None
        try:
            if self.archive is not None:
                with self._open_archive() as opened:
                    return opened.getinfo(inside(source, self.name)).file_size
            return self._find(source).stat().st_size
        except (OSError, KeyError, zipfile.BadZipFile):
            return None

    def is_remote(self, source: str) -> bool:
        """Return whether a file that the description names comes over the network."""
        if is_url(source):
            return is_cached(source)
        return self.archive is None and is_cached(self.root)

    def holds(self, source: str) -> bool:
        """Return whether the path of a file stays within the package, whether the file exists or not."""
        if is_url(source):
            return False
        try:
            member = inside(source, self.name)
        except SourceError:
            return False
        if self.archive is not None or is_url(self.root):
            return True
        if not self.root:
            return False
        root = Path(self.root).resolve()
        return (root / member).resolve().is_relative_to(root)

    def close(self) -> None:
        """Remove unpacked and fetched files; they are unpacked or fetched again when they are needed again."""
        self._unpacked.remove()

    def __enter__(self) -> Package:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _find(self, source: str, sha256: str | None = None) -> Path:
        if is_url(source):
            self._check_url(source)
            return self._fetch(source, sha256)
        if self.archive is not None:
            return self._unpack(source)
        if is_url(self.root):
            query = f"?{self.query}" if self.query else ""
            return self._fetch(f"{self.root.rstrip('/')}/{inside(source, self.name)}{query}", sha256)
        check_name(source, self.name)
        path = Path(source)
        if not path.is_absolute():
            if not self.root:
                raise SourceError(f"{self.name} has no folder, so its file {source!r} cannot be found: give a path instead")
            path = Path(self.root) / path
        if not path.is_file():
            raise SourceError(f"{self.name} names the file {source!r}, which does not exist: expected it at {path}")
        return path

    def _as_trusted(self, path: Path, source: str) -> Path:
        """Return a file that the user trusted; it is copied before it is compared, so that what was compared is what runs.

        Large files are compared where they lie, and so are ONNX graphs, which run no code and may name files beside them.
        """
        is_copied = path.suffix != ".onnx" and path.stat().st_size <= LARGEST_COPIED
        if is_copied and not path.is_relative_to(self._unpacked.folder()):
            copy = self._new_path(f"trusted/{source}")
            with path.open("rb") as file, atomic_file(copy) as target:
                shutil.copyfileobj(file, target)
            path = copy
        if sha256_of(path) != self.trusted[source]:
            raise TrustError(
                f"{source} of {self.name} has another content than when you trusted it: look at it, then trust it again "
                f"with trust_model() (bmz trust {self.location or self.name}), or allow it for once with trust=True (--trust)"
            )
        return path

    def _check_url(self, url: str) -> None:
        """Refuse URLs with which a remote package would read files of this machine or of its network."""
        from_elsewhere = self.archive is not None or is_url(self.root)
        if from_elsewhere and not url.lower().startswith(("http://", "https://")) and protocol_of(url) != protocol_of(self.root):
            raise SourceError(
                f"{self.name} names the file {url!r}, which lies outside of it: expected a path within the package, or http(s)://"
            )
        if is_cached(self.location):
            check_named_url(url, self.location)

    def _fetch(self, url: str, sha256: str | None) -> Path:
        target = self._new_path(path_of_url(url))
        if not target.exists():
            if is_cached(url):
                kept = cache_from_environment().fetch(url, sha256=sha256.strip().lower() if sha256 else None)
                with url_errors(url):
                    link_or_copy(kept, target)
            else:
                with open_url(url) as file, atomic_file(target, durable=False) as copy:  # other threads may look for the target meanwhile
                    shutil.copyfileobj(file, copy)
        return target

    def _unpack(self, source: str) -> Path:
        member = inside(source, self.name)
        target = self._new_path(member)
        if not target.exists():
            try:
                with self._open_archive() as opened:
                    info = opened.getinfo(member)
                    if stat.S_ISLNK(info.external_attr >> 16):
                        raise SourceError(f"{source!r} in {self.name} is a link, which is not followed: expected a file")
                    check_unpacked_size(opened, self._packed_size(), self.name)
                    check_free_space(target.parent, info.file_size, f"{source!r} of {self.name}")
                    with opened.open(info) as file, atomic_file(target, durable=False) as copy:
                        shutil.copyfileobj(file, copy)
            except KeyError:
                raise SourceError(f"{self.name} names the file {source!r}, which is not in the zip") from None
            except SourceError:
                raise
            except Exception as error:  # zipfile passes on what its decompressors raise
                raise SourceError(f"{source!r} cannot be unpacked from {self.name}: {error}") from None
        return target

    def _packed_size(self) -> int:
        assert self.archive is not None
        return len(self.archive) if isinstance(self.archive, bytes) else Path(self.archive).stat().st_size

    def _open_archive(self) -> zipfile.ZipFile:
        assert self.archive is not None
        return zipfile.ZipFile(io.BytesIO(self.archive) if isinstance(self.archive, bytes) else self.archive)

    def _new_path(self, name: str) -> Path:
        """Return a local path for a file, with its folders, since files in different folders may share a name."""
        parts = [part for part in name.split("/") if part not in ("", ".", "..")]
        target = self._unpacked.folder().joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        return target
