"""The Hugging Face Hub as a file system, through the package huggingface_hub: with time limits, without telemetry and log lines.

Its own cache on disk is not used: what is read goes through the cache of this library, as from other servers.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ..env import set_temporarily
from ..errors import ModelRunError, SourceError
from ..time_limits import TimeLimitedCalls

__all__ = ["PROTOCOL", "HubFiles", "hub_options", "import_hub"]

PROTOCOL = "hf"
"""Protocol of URLs: ``hf://owner/name[@revision][/path]``, with ``datasets/`` or ``spaces/`` before the owner for other repositories."""

TELEMETRY = "HF_HUB_DISABLE_TELEMETRY"

PIECE = 2**16
"""Bytes that a server has to send within the time limit: on average no more than 1 KiB a second with the default limit."""

LIMITED = frozenset(["cat_file", "exists", "find", "glob", "invalidate_cache", "isfile", "ls"])
"""Functions of the file system that ask the Hub."""


def import_hub(seconds: float) -> Any:
    """Import the module `huggingface_hub`, which reads its settings from the environment when it is imported.

    What the user has set stays as it is. Processes that are started later send no telemetry either.

    Args:
        seconds: Time limit for what has no limit in `HubFiles`: reading parts of files.

    Raises:
        ImportError: It is not installed.

    """
    os.environ.setdefault(TELEMETRY, "1")
    limit = str(max(1, math.ceil(seconds)))
    with contextlib.ExitStack() as settings:
        for name, value in (
            ("HF_HUB_DOWNLOAD_TIMEOUT", limit),
            ("HF_HUB_ETAG_TIMEOUT", limit),
            ("HF_HUB_DISABLE_PROGRESS_BARS", "1"),
            ("HF_HUB_VERBOSITY", "error"),
        ):
            if name not in os.environ:
                settings.enter_context(set_temporarily(name, value))
        import huggingface_hub
    return huggingface_hub


def hub_options() -> dict[str, str]:
    """Return the arguments of the file system; HF_ENDPOINT names another server, also where it is set after the import."""
    endpoint = os.environ.get("HF_ENDPOINT", "").strip().rstrip("/")
    return {"endpoint": endpoint} if endpoint else {}


class HubFiles:
    """The file system of huggingface_hub, whose requests for names and whole files are given up after a time limit.

    The package itself has no limit for lists of files, and tries six times where it has one.

    Args:
        files: An instance of `huggingface_hub.HfFileSystem`.
        url: What is read, for messages.
        seconds: The limit for each request for names, and for each `PIECE` of a file that is downloaded.

    """

    def __init__(self, files: Any, url: str, seconds: float) -> None:
        self._files, self._url = files, url
        self._calls = TimeLimitedCalls(seconds, "the Hub")

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._files, name)
        return partial(self._limited, found) if name in LIMITED else found

    def __reduce__(self) -> Any:
        return HubFiles, (self._files, self._url, self._calls.seconds)

    def info(self, path: str) -> dict[str, Any]:
        """Return the entry of a file in the list of its folder, with the version of its content, which `HfFileSystem.info` of 1.0 lacks."""
        found: dict[str, Any] = self._limited(self._files.info, path, expand_info=False)
        if found["type"] == "directory" or "blob_id" in found:
            return found
        return next((file for file in self._limited(self._files.ls, path, detail=True) if file["name"] == found["name"]), found)

    def isdir(self, path: str) -> bool:
        """Return whether there is a folder at a path; a failure of the server, which `HfFileSystem` takes for none, is raised."""
        try:
            return bool(self.info(path)["type"] == "directory")
        except FileNotFoundError:
            return False

    def open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        """Open a file, of which parts are read as they are needed."""
        return self._limited(partial(self._files.open, path, mode, **options))

    def get_file(self, path: str, target: str, callback: Any) -> None:
        """Write a file to a local one by one request, piece by piece; the callback sees each piece.

        Raises:
            SourceError: The file ends before its size.

        """
        size = self.info(path)["size"]
        callback.set_size(size)
        with self.open(path, block_size=0) as source, open(target, "wb") as copy:  # noqa: PTH123 (fsspec's names are text)
            while piece := self._limited(source.read, PIECE):
                copy.write(piece)
                callback.relative_update(len(piece))
            if copy.tell() != size:
                raise SourceError(f"{self._url} cannot be read: it has {copy.tell()} bytes, expected {size}; fetch it again")

    def _limited(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        with _hub_errors(self._url):
            try:
                return self._calls(partial(function, *arguments, **options))
            except ModelRunError as error:  # the name that the limit has for networks
                raise TimeoutError(str(error)) from None


@contextlib.contextmanager
def _hub_errors(url: str) -> Iterator[None]:
    """Say in one sentence what the Hub lacks."""
    try:
        yield
    except Exception as error:
        lacking = _what_is_lacking(error)
        if lacking is None:
            raise
        raise SourceError(f"{url} cannot be read: {lacking}") from None


def _what_is_lacking(error: BaseException) -> str | None:
    """Return a sentence for a repository or revision that the Hub does not have; None for other errors."""
    names = {kind.__name__ for cause in (error, error.__cause__) for kind in type(cause).__mro__}
    if "GatedRepoError" in names:
        return f"the Hub keeps this repository for users who agreed to its conditions: agree on its page, then {LOG_IN}"
    if "RepositoryNotFoundError" in names:
        return f"the Hub has no such repository, or it is private: correct the name, or {LOG_IN}"
    if "RevisionNotFoundError" in names:
        return "the repository has no such revision: expected a branch, tag or commit after the @"
    if "HfUriError" in names or "HFValidationError" in names:
        return "expected hf://owner/name, hf://owner/name@revision, or one of these with a path"
    return None


LOG_IN = "log in ('hf auth login', or the environment variable HF_TOKEN)"
