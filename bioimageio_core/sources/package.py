"""A description together with the files beside it."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

import attrs

from ..errors import SourceError
from .hashes import verify_sha256

__all__ = ["Package", "Source", "open_package"]

Source: TypeAlias = "str | Path | bytes | Mapping[str, Any]"
"""A path to a file, folder or zip, a URL that fsspec can open, the bytes of a file, or the tree of a description."""

DESCRIPTION_NAMES = ("rdf.yaml", "bioimageio.yaml", "model.yaml")
"""Names of description files, the preferred first; ``*.<name>`` counts as well."""

ZIP_MAGIC = b"PK\x03\x04"
LARGEST_DESCRIPTION = 64 * 2**20


@attrs.frozen(kw_only=True)
class Package:
    """The text or tree of a description, and where its relative paths start.

    Close it (or use it as a context manager) when its files are no longer needed.
    """

    name: str
    """How to call the source in messages."""

    content: bytes | Mapping[str, Any]
    """YAML text, or a tree that was given as such."""

    root: str = ""
    """Folder or URL that relative paths start from; empty where there is none."""

    archive: bytes | str | None = None
    """The zip that holds the files: its bytes or local path."""

    _unpacked: tempfile.TemporaryDirectory[str] = attrs.field(
        factory=lambda: tempfile.TemporaryDirectory(prefix="bmz-", ignore_cleanup_errors=True), eq=False, repr=False
    )

    def local(self, source: str, *, sha256: str | None = None) -> Path:
        """Return the local path of a file that the description names, fetched or unpacked where needed.

        Args:
            source: Path relative to the description, absolute path, or URL.
            sha256: Its hash, verified if given.

        Raises:
            SourceError: There is no such file, or it lies outside of the package.
            HashMismatchError: It is not the file that the description names.

        """
        path = self._find(source)
        if sha256:
            verify_sha256(path, sha256, name=f"{source} of {self.name}")
        return path

    def size_of(self, source: str) -> int | None:
        """Return the size in bytes of a file that the description names; None where it is not at hand, or would have to be fetched."""
        if is_url(source) or (self.archive is None and is_url(self.root)):
            return None
        try:
            if self.archive is not None:
                with self._open_archive() as opened:
                    return opened.getinfo(_inside(source, self.name)).file_size
            return self._find(source).stat().st_size
        except (OSError, KeyError, zipfile.BadZipFile):
            return None

    def close(self) -> None:
        """Remove what was unpacked or fetched."""
        self._unpacked.cleanup()

    def __enter__(self) -> Package:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _find(self, source: str) -> Path:
        if is_url(source):
            return self._fetch(source)
        if self.archive is not None:
            return self._unpack(source)
        if is_url(self.root):
            return self._fetch(f"{self.root.rstrip('/')}/{_inside(source, self.name)}")
        path = Path(source)
        if not path.is_absolute():
            if not self.root:
                raise SourceError(f"{self.name} has no folder, so its file {source!r} cannot be found: give a path instead")
            path = Path(self.root) / path
        if not path.is_file():
            raise SourceError(f"{self.name} names the file {source!r}, which does not exist: expected it at {path}")
        return path

    def _fetch(self, url: str) -> Path:
        target = self._new_path(url.split("?")[0])
        if not target.exists():
            _write_whole(target, _read_url(url))
        return target

    def _unpack(self, source: str) -> Path:
        member = _inside(source, self.name)
        target = self._new_path(member)
        if not target.exists():
            try:
                with self._open_archive() as opened:
                    _write_whole(target, opened.read(member))
            except KeyError:
                raise SourceError(f"{self.name} names the file {source!r}, which is not in the zip") from None
            except (OSError, zipfile.BadZipFile) as error:
                raise SourceError(f"{source!r} cannot be read from {self.name}: {error}") from None
        return target

    def _open_archive(self) -> zipfile.ZipFile:
        assert self.archive is not None
        return zipfile.ZipFile(io.BytesIO(self.archive) if isinstance(self.archive, bytes) else self.archive)

    def _new_path(self, name: str) -> Path:
        """Return where to put a file of this name, keeping its folders apart from others of the same base name."""
        parts = [part for part in name.replace("://", "/").split("/") if part not in ("", ".", "..")]
        target = Path(self._unpacked.name).joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        return target


def open_package(source: Source | Package) -> Package:
    """Open what a user calls a model.

    Raises:
        SourceError: There is nothing there, or no description in it.

    """
    if isinstance(source, Package):
        return source
    if isinstance(source, Mapping):
        return Package(name="the given mapping", content=source)
    if isinstance(source, bytes):
        return _from_bytes(source, name="the given bytes", root="")
    text = str(source)
    if is_url(text):
        return _from_bytes(_read_url(text), name=text, root=text.split("?")[0].rpartition("/")[0])
    path = Path(text).expanduser()
    if path.is_dir():
        return _from_folder(path)
    if not path.exists():
        raise SourceError(f"no such file or folder: {text}")
    try:
        with path.open("rb") as file:
            start = file.read(len(ZIP_MAGIC))
            if start == ZIP_MAGIC:
                return _from_zip(str(path), name=text)
            rest = file.read(LARGEST_DESCRIPTION + 1)
    except OSError as error:
        raise SourceError(f"{text} cannot be read: {error.strerror or error}") from None
    if len(rest) > LARGEST_DESCRIPTION:
        raise SourceError(f"{text} is larger than {LARGEST_DESCRIPTION >> 20} MiB, which no description is: expected a YAML file or a zip")
    return Package(name=text, content=start + rest, root=str(path.parent.resolve()))


def is_url(text: str) -> bool:
    """Return whether fsspec, not the local file system, has to open ``text``."""
    return "://" in text


def _from_folder(folder: Path) -> Package:
    name = _description_in(sorted(p.name for p in folder.iterdir() if p.is_file()))
    if name is None:
        raise SourceError(f"{folder} holds no description: expected a file named {', '.join(DESCRIPTION_NAMES)} or *.<one of these>")
    path = folder / name
    return Package(name=str(path), content=path.read_bytes(), root=str(folder.resolve()))


def _from_bytes(content: bytes, *, name: str, root: str) -> Package:
    if content.startswith(ZIP_MAGIC):
        return _from_zip(content, name=name)
    return Package(name=name, content=content, root=root)


def _from_zip(archive: bytes | str, *, name: str) -> Package:
    try:
        with zipfile.ZipFile(io.BytesIO(archive) if isinstance(archive, bytes) else archive) as opened:
            found = _description_in(sorted(n for n in opened.namelist() if "/" not in n))
            if found is None:
                raise SourceError(f"{name} holds no description at its top: expected {', '.join(DESCRIPTION_NAMES)} or *.<one of these>")
            if opened.getinfo(found).file_size > LARGEST_DESCRIPTION:
                raise SourceError(f"{found} in {name} is larger than {LARGEST_DESCRIPTION >> 20} MiB, which no description is")
            content = opened.read(found)
    except (OSError, zipfile.BadZipFile) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"{name} is a broken zip: {error}") from None
    return Package(name=name, content=content, archive=archive)


def _description_in(names: list[str]) -> str | None:
    """Return the preferred description among file names that are sorted."""
    for wanted in DESCRIPTION_NAMES:
        for match in ((n == wanted for n in names), (n.endswith(f".{wanted}") for n in names)):
            for name, good in zip(names, match, strict=True):
                if good:
                    return name
    return None


def _inside(source: str, package: str) -> str:
    """Return the normalised path of a file in a package; refuse what lies outside of it."""
    parts: list[str] = []
    for part in PurePosixPath(source.replace("\\", "/")).parts:
        if part == ".." and parts:
            parts.pop()
        elif part == ".." or part.endswith(":") or part == "/":
            raise SourceError(f"{package} names the file {source!r}, which lies outside of it: expected a path within the package")
        else:
            parts.append(part)
    return "/".join(parts)


def _read_url(url: str) -> bytes:
    import fsspec

    try:
        with fsspec.open(url, "rb") as file:
            content = file.read()
    except ImportError as error:
        raise SourceError(f"{url} needs a package that is not installed: {error}") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"{url} cannot be read: {error}") from None
    assert isinstance(content, bytes)
    return content


def _write_whole(target: Path, content: bytes) -> None:
    """Write a file so that no other thread ever sees a part of it."""
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as part:
        part.write(content)
    Path(part.name).replace(target)
