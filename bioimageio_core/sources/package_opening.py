"""Opens packages from paths, URLs, ids, bytes and mappings."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, TypeAlias

import attrs

from ..errors import HashMismatchError, SourceError
from ..file_kinds import IMAGES, WEIGHTS, kind_of
from ..places import local_path
from ..text import kind_of_object, without_secrets
from .cache import cache_from_environment, is_cached
from .collection import Found, find_in_collection, id_in, is_collection_named
from .hashes import sha256_of
from .hugging_face import PROTOCOL as HUB
from .member_names import DESCRIPTION_NAMES, description_in
from .near_paths import asked_for_near
from .package import Package
from .urls import is_url, list_url, open_url, protocol_of
from .zenodo import record_in
from .zenodo_records import check_is_no_other_doi, description_of_record
from .zip_sizes import MOST_MEMBERS

__all__ = ["Source", "open_package"]

Source: TypeAlias = "str | Path | bytes | Mapping[str, Any]"
"""A path to a file, folder or zip, a URL that fsspec can open, the id of a resource in a collection, a DOI of Zenodo,
the bytes of a file, or the tree of a description."""

ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
"""First bytes of zips: of usual ones, of zips without members, and of split ones."""

LARGEST_DESCRIPTION = 64 * 2**20


def open_package(source: Source | Package) -> Package:
    """Open the package of a description.

    A file or folder takes precedence over a resource of the collection with the same id, or a DOI.

    Raises:
        SourceError: The source does not exist, or holds no description.
        HashMismatchError: It is not the file that the index of the collection lists.

    """
    if isinstance(source, Package):
        return source
    if isinstance(source, Mapping):
        return Package(name="the given mapping", content=source)
    if isinstance(source, bytes):
        return _from_bytes(source, name="the given bytes", root="")
    if not _is_location(source):
        raise SourceError(
            f"expected a model or another resource, as a path, URL or id, found {kind_of_object(source)}{_what_to_give(source)}"
        )
    text = str(source)
    record = record_in(text)
    local = local_path(text) if is_url(text) else text
    if local is None:
        check_is_no_other_doi("" if record else text)
        return _from_record(record, text) if record else _from_url(text)
    path = Path(local).expanduser()
    if path.exists():
        _check_kind(path, name=text)
        return _from_path(path, name=text)
    id_ = id_in(text) if isinstance(source, str) and not _is_below_a_folder(path) else None
    if record is not None:
        return _from_record(record, text, id_)
    check_is_no_other_doi(text)
    if id_ is None:
        raise SourceError(f"{asked_for_near(path)}no such file or folder: {text}")
    return _from_collection(id_)


def _is_location(source: object) -> bool:
    return isinstance(source, str | os.PathLike) or hasattr(source, "joinpath")  # paths on servers, of other libraries


def _what_to_give(source: object) -> str:
    """Return what to do with something that is given in place of a resource; empty where that is not clear."""
    if hasattr(source, "shape"):
        return "; predict() takes the model before the image, and image_card() says what an image is"
    if type(source).__name__.endswith("Descr"):
        return ", which does not name the folder of its files; give what it was loaded from"
    return ""


def _is_below_a_folder(path: Path) -> bool:
    """Return whether a path names a folder that exists, and something in it that does not: no id of a collection."""
    return len(path.parts) > 1 and path.parent.is_dir()


def _check_kind(path: Path, *, name: str) -> None:
    """Refuse images and weights by their endings.

    Raises:
        SourceError: It is an image or a file of weights.

    """
    kind = kind_of(path.name)
    if kind in (WEIGHTS, "HDF5") and path.is_file():  # Keras keeps weights in HDF5 files
        raise SourceError(
            f"{name} is a file of weights: expected a model that describes them; init_description() (bmz init {name}) starts a description"
        )
    if kind in IMAGES:
        raise SourceError(
            f"{name} is an image: expected a model, as a folder, description, zip, URL, DOI or id; the model comes before the image"
        )


def _from_collection(id_: str) -> Package:
    try:
        found = find_in_collection(id_)
    except SourceError as error:
        raise SourceError(f"{asked_for_near(Path(id_))}{error}") from None
    try:
        package = _from_url(found.source, found) if is_url(found.source) else _from_path(Path(found.source), name=found.source, found=found)
    except SourceError as error:
        asked = asked_for_near(Path(id_))
        raise SourceError(f"{asked}{id_!r} is no file or folder here, and cannot be read from its collection: {error}") from None
    return attrs.evolve(package, name=id_)


def _from_record(number: str, text: str, id_: str | None = None) -> Package:
    """Open the package of a record of Zenodo; a collection that the user names, and that has its DOI as an id, comes first."""
    if id_ is not None and is_collection_named():
        try:
            return _from_collection(id_)
        except SourceError:  # it does not have it
            pass
    try:
        package = _from_url(description_of_record(number))
    except SourceError as error:
        raise SourceError(f"{text} cannot be read from Zenodo: {error}") from None
    return attrs.evolve(package, name=text)


def _from_path(path: Path, *, name: str, found: Found | None = None) -> Package:
    if path.is_dir():
        return _from_folder(path)
    if found is not None and found.sha256:
        _verify(sha256_of(path), found)
    try:
        _check_is_file(path, name)
        with path.open("rb") as file:
            start = file.read(len(ZIP_MAGICS[0]))
            if start in ZIP_MAGICS:
                return attrs.evolve(_from_zip(str(path), name=name), location=str(path))
            content = _at_most_a_description(file, name, start=start)  # pipes cannot be read twice
    except SourceError:
        raise
    except OSError as error:
        raise SourceError(f"{name} cannot be read: {error.strerror or error}") from None
    return Package(name=name, content=content, root=str(path.parent.resolve()), location=str(path))


def _check_is_file(path: Path, name: str) -> None:
    """Refuse devices, sockets, and pipes with a name, at which reading could wait forever; the shell's own pipes are read.

    Raises:
        SourceError: It is one of them.

    """
    mode = path.stat().st_mode
    of_shell = stat.S_ISFIFO(mode) and str(path).startswith(("/dev/", "/proc/"))  # <(command), or /dev/stdin
    if not (stat.S_ISREG(mode) or of_shell):
        raise SourceError(f"{name} is no file but a pipe, device or socket: expected a description or zip as a file, or a folder")


def _from_folder(folder: Path) -> Package:
    try:
        names = sorted(p.name for p in folder.iterdir() if p.is_file())
        name = description_in(names)
        if name is None:
            raise SourceError(f"{folder} holds no description: expected a file named {', '.join(DESCRIPTION_NAMES)} or *.<one of these>")
        with (folder / name).open("rb") as file:
            content = _at_most_a_description(file, str(folder / name))
    except SourceError:
        raise
    except OSError as error:
        raise SourceError(f"{folder} cannot be read: {error.strerror or error}") from None
    return Package(name=str(folder / name), content=content, root=str(folder.resolve()), location=str(folder / name))


def _from_url(url: str, found: Found | None = None) -> Package:
    url = _file_in_folder(url)
    shown = without_secrets(url)
    root, query = url.partition("?")[0].rpartition("/")[0], found.query if found is not None else ""
    sha256 = found.sha256 if found is not None else None
    if not is_cached(url):
        with open_url(url) as file:
            start = file.read(len(ZIP_MAGICS[0]))
            content = start + file.read() if start in ZIP_MAGICS else _at_most_a_description(file, url, start=start)
        if found is not None and sha256:
            _verify(hashlib.sha256(content).hexdigest(), found)
        return attrs.evolve(_from_bytes(content, name=shown, root=root), location=url)
    path = cache_from_environment().fetch(url, sha256=sha256)
    if found is not None and sha256:
        _verify(sha256_of(path), found)
    with path.open("rb") as file:
        if file.read(len(ZIP_MAGICS[0])) in ZIP_MAGICS:
            return attrs.evolve(_from_zip(str(path), name=shown), location=url)
        file.seek(0)
        return Package(name=shown, content=_at_most_a_description(file, url), root=root, query=query, location=url)


def _verify(sha256: str, found: Found) -> None:
    if sha256 != found.sha256:
        raise HashMismatchError(
            f"{found.source} is not the file that the collection lists: expected sha256 {found.sha256}, found {sha256}; "
            "report it to the maintainers of the collection, or give the URL instead of the id if the change is intended"
        )


def _file_in_folder(url: str) -> str:
    """Return the URL of the description in a folder, and any other URL unchanged; only some file systems can list folders."""
    plain, _, query = url.partition("?")
    if protocol_of(url) in ("http", "https"):
        if plain.endswith("/"):
            raise SourceError(f"{url} is a folder, which servers do not list: expected the URL of a description in it, or of a zip")
        return url
    may_be_folder = protocol_of(url) == HUB or plain.endswith("/") or "." not in plain.rpartition("/")[2]  # owner/unet-1.5 is a folder
    if query or not may_be_folder:
        return url
    if is_cached(url) and cache_from_environment().offline:
        return _kept_in_folder(plain.rstrip("/"))
    names = list_url(url)
    if names is None:
        return url
    name = description_in(names)
    if name is None:
        raise SourceError(f"{url} holds no description: expected a file named {', '.join(DESCRIPTION_NAMES)} or *.<one of these>")
    return f"{plain.rstrip('/')}/{name}"


def _kept_in_folder(folder: str) -> str:
    """Return the URL of the cached description of a folder that cannot be listed, by its usual names."""
    for name in DESCRIPTION_NAMES:
        try:
            cache_from_environment().fetch(f"{folder}/{name}")
        except SourceError:
            continue
        return f"{folder}/{name}"
    return folder


def _at_most_a_description(file: IO[bytes], name: str, *, start: bytes = b"") -> bytes:
    content = start + file.read(LARGEST_DESCRIPTION + 1)
    if len(content) > LARGEST_DESCRIPTION:
        raise SourceError(f"{name} is larger than {LARGEST_DESCRIPTION >> 20} MiB, which no description is: expected a YAML file or a zip")
    return content


def _from_bytes(content: bytes, *, name: str, root: str) -> Package:
    if content.startswith(ZIP_MAGICS):
        return _from_zip(content, name=name)
    return Package(name=name, content=content, root=root)


def _from_zip(archive: bytes | str, *, name: str) -> Package:
    try:
        with zipfile.ZipFile(io.BytesIO(archive) if isinstance(archive, bytes) else archive) as opened:
            if len(opened.infolist()) > MOST_MEMBERS:
                raise SourceError(f"{name} holds {len(opened.infolist())} files: expected at most {MOST_MEMBERS} in the zip of a model")
            found = description_in(sorted(n for n in opened.namelist() if "/" not in n))
            if found is None:
                raise SourceError(f"{name} holds no description at its top: expected {', '.join(DESCRIPTION_NAMES)} or *.<one of these>")
            if opened.getinfo(found).file_size > LARGEST_DESCRIPTION:
                raise SourceError(f"{found} in {name} is larger than {LARGEST_DESCRIPTION >> 20} MiB, which no description is")
            content = opened.read(found)
    except SourceError:
        raise
    except Exception as error:  # zipfile passes on what its decompressors raise
        raise SourceError(f"{name} is a broken zip: {error}") from None
    return Package(name=name, content=content, archive=archive)
