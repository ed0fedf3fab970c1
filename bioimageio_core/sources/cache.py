"""Files from URLs, kept between processes and fetched once.

::

    content/ab/abcd...   a whole file, named by its SHA-256
    urls/1234....json    what a URL held when it was fetched
    locks/1234....lock   held while a URL is fetched
    parts/               downloads under way
    measured/1234....json  what was measured of networks, see `bioimageio_core.sources.remembered_results`

A file appears in ``content`` by renaming, so that whatever is there is whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import attrs

from ..atomic_files import atomic_file, leftovers, temporary_file
from ..errors import SourceError
from .hashes import sha256_of
from .locks import file_lock
from .urls import file_system, protocol_of, url_errors

__all__ = ["Cache", "CacheSize", "cache_from_environment", "is_cached"]

REMOTE = frozenset(["abfs", "abfss", "adl", "az", "ftp", "gcs", "gs", "hf", "http", "https", "s3", "s3a", "sftp"])
"""Protocols of which files are kept: what others give is on this machine, or means something else to each process."""

VALIDATORS = ("ETag", "etag", "Content-MD5", "Digest", "Last-Modified", "LastModified", "last_modified", "mtime", "updated", "generation")
"""What file systems tell of a file that changes with its content."""


def is_cached(url: str) -> bool:
    """Return whether the content of a URL is kept."""
    return protocol_of(url) in REMOTE


@attrs.frozen(kw_only=True)
class CacheSize:
    """How much is kept."""

    files: int
    bytes: int


@attrs.frozen
class _Entry:
    """What a URL held when it was fetched."""

    sha256: str
    token: str
    """What the server said of its version; empty where it said nothing."""


@attrs.frozen(kw_only=True)
class Cache:
    """A folder that any number of processes may use at once."""

    folder: Path
    offline: bool = False
    """Nothing is fetched, nor is a server asked for anything."""

    def fetch(self, url: str, *, sha256: str | None = None) -> Path:
        """Return the local path of the content of a URL, fetched if it is not kept; the file must not be changed.

        With a hash no server is asked for what is kept; without one it is asked whether its file has changed.

        Args:
            url: Whatever fsspec opens.
            sha256: That of the file that is wanted, in lower case; what is fetched is not compared with it.

        Raises:
            SourceError: It cannot be fetched or kept, or is not kept and nothing is to be fetched.

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
                    for part in leftovers(self.folder / "parts", key):  # of a process that was killed
                        part.unlink(missing_ok=True)
                return self._fetch_locked(url, key, sha256)
        except SourceError:
            raise
        except OSError as error:
            raise SourceError(
                f"{url} cannot be kept in {self.folder}: {error.strerror or error}; "
                "name another folder by the environment variable BMZ_CACHE"
            ) from None

    def size(self) -> CacheSize:
        """Return how much is kept."""
        sizes = [path.stat().st_size for path in (self.folder / "content").glob("??/*")]
        return CacheSize(files=len(sizes), bytes=sum(sizes))

    def clear(self) -> CacheSize:
        """Remove all that is kept, and return how much that was; locks stay, since somebody may hold them.

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
        kept = self._kept(sha256)  # by whoever held the lock before
        if kept is not None:
            return kept
        entry = self._entry(key)
        held = self._kept(entry.sha256) if entry is not None and sha256 is None else None
        with url_errors(url):
            files, path = file_system(url)
            token = _token(files, path)
        if entry is not None and held is not None and token and token == entry.token:
            return held
        return self._download(url, files, path, key, token)

    def _offline(self, url: str, key: str, sha256: str | None) -> Path:
        """Return what is kept; the folder may be one that only others may write."""
        entry = self._entry(key) if sha256 is None else None
        held = self._kept(entry.sha256) if entry is not None else None
        if held is None:
            raise SourceError(
                f"{url} is not in {self.folder}, and nothing is fetched while the environment variable BMZ_OFFLINE is set: "
                "unset it, or name the folder that has the file by BMZ_CACHE"
            )
        return held

    def _download(self, url: str, files: Any, path: str, key: str, token: str) -> Path:
        with temporary_file(self.folder / "parts", key) as part:
            with url_errors(url):
                files.get_file(path, str(part))
            sha256 = sha256_of(part)
            target = self._content(sha256)
            target.parent.mkdir(parents=True, exist_ok=True)
            part.replace(target)
        self._remember(key, url, _Entry(sha256, token))
        return target

    def _content(self, sha256: str) -> Path:
        return self.folder / "content" / sha256[:2] / sha256

    def _kept(self, sha256: str | None) -> Path | None:
        """Return the file with a hash if it is kept and, as disks err, still has it."""
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
        content = json.dumps({"url": url.partition("?")[0], "sha256": entry.sha256, "token": entry.token})
        with atomic_file(self.folder / "urls" / f"{key}.json") as file:
            file.write(content.encode())


def _token(files: Any, path: str) -> str:
    """Return what tells the version of a remote file; empty where nothing does, so that it is fetched each time."""
    info = files.info(path)
    known = {key: str(info[key]) for key in VALIDATORS if info.get(key) is not None}
    return json.dumps({**known, "size": info.get("size")}, sort_keys=True) if known else ""


def cache_from_environment() -> Cache:
    """Return the cache that the environment names: its folder by BMZ_CACHE, whether to fetch anything by BMZ_OFFLINE."""
    named = os.environ.get("BMZ_CACHE")
    return Cache(
        folder=Path(named).expanduser() if named else _user_caches() / "bioimageio_runtime",
        offline=os.environ.get("BMZ_OFFLINE", "").strip().lower() not in ("", "0", "false", "no"),
    )


def _user_caches() -> Path:
    with contextlib.suppress(RuntimeError):  # nobody's home
        if sys.platform == "win32":
            return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Caches"
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(tempfile.gettempdir())
