"""The cache of files from URLs: each is fetched once and shared by all processes.

::

    content/ab/abcd...     a complete file, named by its SHA-256
    urls/1234....json      the hash of what a URL held when it was fetched
    locks/1234....lock     held while a URL is fetched
    parts/                 downloads in progress
    measured/1234....json  results about networks, see `bioimageio_core.sources.remembered_results`

Files are moved into ``content`` in one step, so that every file there is complete.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import attrs

from ..atomic_files import atomic_file, leftovers, temporary_file
from ..env import is_switched_on
from ..errors import SourceError
from ..text import without_secrets
from .cache_folder import default_cache_folder
from .downloads import download
from .hashes import sha256_of
from .locks import file_lock
from .urls import file_system, protocol_of, url_errors

__all__ = ["Cache", "CacheSize", "cache_from_environment", "is_cached"]

REMOTE = frozenset(["abfs", "abfss", "adl", "az", "ftp", "gcs", "gs", "hf", "http", "https", "s3", "s3a", "sftp", "zenodo"])
"""Protocols of the URLs that are cached: other protocols lead to files of this machine, or differ between processes."""

VALIDATORS = (
    *("ETag", "etag", "Content-MD5", "Digest", "Last-Modified", "LastModified", "last_modified", "mtime", "updated", "generation"),
    "blob_id",  # of the Hugging Face Hub
)
"""Keys of file information that change with the content of a file, in the words of various file systems."""


def is_cached(url: str) -> bool:
    """Return whether the content of a URL goes through the cache."""
    return protocol_of(url) in REMOTE


@attrs.frozen(kw_only=True)
class CacheSize:
    """Number and total size of the files in a cache."""

    files: int
    bytes: int


@attrs.frozen
class _Entry:
    """The content of a URL when it was fetched."""

    sha256: str
    token: str
    """Version of the file by the server's information; empty where the server gives none."""


@attrs.frozen(kw_only=True)
class Cache:
    """A folder of cached files, for any number of processes at once."""

    folder: Path
    offline: bool = False
    """Use cached files only, and contact no server."""

    def fetch(self, url: str, *, sha256: str | None = None) -> Path:
        """Return the local path of the content of a URL, after fetching it if it is not in the cache; the file must not be changed.

        With a hash, a cached file is returned without contacting the server. Without one, the server is asked whether the file has changed.

        Args:
            url: A URL that fsspec opens.
            sha256: Hash of the expected file, in lower case; what is fetched is not compared with it.

        Raises:
            SourceError: The file cannot be fetched or stored, or it is not in the cache and the cache is offline.

        """
        kept = self._kept(sha256)
        if kept is not None:
            return kept
        key = hashlib.sha256(url.encode()).hexdigest()
        if self.offline:
            return self._offline(url, key, sha256)
        try:
            for name in ("content", "urls", "locks", "parts"):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
            with file_lock(self.folder / "locks" / f"{key}.lock") as locked:
                if locked:
                    for part in leftovers(self.folder / "parts", key):  # by processes that were killed
                        part.unlink(missing_ok=True)
                return self._fetch_locked(url, key, sha256)
        except SourceError:
            raise
        except OSError as error:
            raise SourceError(
                f"{url} cannot be stored in the cache {self.folder}: {error.strerror or error}; "
                "the environment variable BMZ_CACHE names another folder"
            ) from None

    def size(self) -> CacheSize:
        """Return the number and the total size of the cached files."""
        sizes = [path.stat().st_size for path in (self.folder / "content").glob("??/*")]
        return CacheSize(files=len(sizes), bytes=sum(sizes))

    def clear(self) -> CacheSize:
        """Remove everything but the locks, which another process may hold; return the size before.

        Raises:
            SourceError: Something cannot be removed.

        """
        size = self.size()
        for name in ("urls", "content", "parts", "measured"):
            try:
                if (self.folder / name).is_dir():
                    shutil.rmtree(self.folder / name)
            except OSError as error:
                raise SourceError(f"{self.folder / name} cannot be removed: {error.strerror or error}") from None
        return size

    def _fetch_locked(self, url: str, key: str, sha256: str | None) -> Path:
        kept = self._kept(sha256)  # by the process that held the lock before
        if kept is not None:
            return kept
        entry = self._entry(key)
        held = self._kept(entry.sha256) if entry is not None and sha256 is None else None
        with url_errors(url):
            files, path = file_system(url)
            files.invalidate_cache(path)  # an earlier list of the folder may be outdated
            token = _token(files, path)
        if entry is not None and held is not None and token and token == entry.token:
            return held
        return self._download(url, files, path, key, token)

    def _offline(self, url: str, key: str, sha256: str | None) -> Path:
        """Return the cached file of a URL; the folder may be read-only."""
        entry = self._entry(key) if sha256 is None else None
        held = self._kept(entry.sha256) if entry is not None else None
        if held is None:
            raise SourceError(
                f"{url} is not in the cache {self.folder}, and nothing is fetched while the environment variable BMZ_OFFLINE is set: "
                "unset it, or set BMZ_CACHE to the folder that has the file"
            )
        return held

    def _download(self, url: str, files: Any, path: str, key: str, token: str) -> Path:
        with temporary_file(self.folder / "parts", key) as part:
            with url_errors(url):
                download(files, path, part, url)
            sha256 = sha256_of(part)
            target = self._content(sha256)
            target.parent.mkdir(parents=True, exist_ok=True)
            part.replace(target)
        self._remember(key, url, _Entry(sha256, token))
        return target

    def _content(self, sha256: str) -> Path:
        return self.folder / "content" / sha256[:2] / sha256

    def _kept(self, sha256: str | None) -> Path | None:
        """Return the cached file of a hash, after checking its content, which disks may damage; None where there is none."""
        if sha256 is None or not sha256.isalnum():
            return None
        path = self._content(sha256)
        try:
            if sha256_of(path) == sha256:
                return path
            if not self.offline:
                path.unlink(missing_ok=True)
        except OSError:
            pass
        return None

    def _entry(self, key: str) -> _Entry | None:
        try:
            found = json.loads((self.folder / "urls" / f"{key}.json").read_text(encoding="utf-8"))
            return _Entry(str(found["sha256"]), str(found["token"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _remember(self, key: str, url: str, entry: _Entry) -> None:
        content = json.dumps({"url": without_secrets(url).partition("?")[0], "sha256": entry.sha256, "token": entry.token})
        with atomic_file(self.folder / "urls" / f"{key}.json") as file:
            file.write(content.encode())


def _token(files: Any, path: str) -> str:
    """Return the version of a remote file as text; empty where the server gives none, so that the file is fetched every time."""
    info = files.info(path)
    known = {key: str(info[key]) for key in VALIDATORS if info.get(key) is not None}
    return json.dumps({**known, "size": info.get("size")}, sort_keys=True) if known else ""


def cache_from_environment() -> Cache:
    """Return the cache that the environment variables configure: BMZ_CACHE names the folder, BMZ_OFFLINE forbids fetching.

    Raises:
        SourceError: No folder is named, and the user has none of its own.

    """
    named = os.environ.get("BMZ_CACHE")
    return Cache(
        folder=Path(named).expanduser() if named else default_cache_folder(),
        offline=is_switched_on("BMZ_OFFLINE"),
    )
