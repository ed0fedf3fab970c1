"""Finds the resources of a collection by their ids, by a pattern of URLs or by an index."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from ..errors import SourceError
from ..text import close_names
from .cache import cache_from_environment, is_cached
from .internal_addresses import check_named_url
from .urls import is_url, open_url, protocol_of

__all__ = ["PUBLIC_COLLECTION", "Found", "find_in_collection", "id_in", "is_collection_named"]

PUBLIC_COLLECTION = "https://hypha.aicell.io/bioimage-io/artifacts/{id}/files/rdf.yaml"
"""Pattern of the URLs of the public collection; the environment variable BMZ_COLLECTION names another collection."""

NEWEST = "latest"
"""The value of ``{version}`` in patterns where no version is requested."""


@attrs.frozen(kw_only=True)
class Found:
    """The place of a resource."""

    source: str
    """URL or path of its description, folder or zip."""

    sha256: str | None = None
    """Hash of the description or zip in lower case, where the index has one."""

    query: str = ""
    """Query that the URLs of files beside the description need as well, because it selects the version."""


@attrs.frozen(kw_only=True)
class _Entry:
    """The entry of one resource in an index."""

    names: tuple[str, ...]
    """Its id first."""

    newest: Found | None
    versions: Mapping[str, Found | None]
    """None where only the number is known."""


def id_in(text: str) -> str | None:
    """Return the id, or ``id/version``, in a text, without emoji and white space around it; None for anything else.

    Ids consist of lower-case letters, digits, ``_``, ``-``, ``.`` and inner ``/``; text that ends like a file name is not an id.
    """
    stripped = re.sub(r"^[^!-~]+|[^!-~]+$", "", text)
    if re.fullmatch(r"[a-z0-9_-][a-z0-9_.-]*(?:/[a-z0-9_-][a-z0-9_.-]*)*", stripped) is None or re.search(r"\.[a-z][a-z0-9]*$", stripped):
        return None
    return stripped


def find_in_collection(name: str) -> Found:
    """Return the place of a resource in the collection, by its id or ``id/version``.

    The environment variable BMZ_COLLECTION names the collection: a URL or path with ``{id}`` and perhaps ``{version}`` in it,
    or the URL or path of an index (JSON or YAML).

    Raises:
        SourceError: The index cannot be read, or has no such resource or version.

    """
    collection = _named_collection() or PUBLIC_COLLECTION
    if "{id}" in collection:
        return _by_pattern(name, collection)
    entries = tuple(_entries(_read_index(name, collection), collection))
    known = {key: entry for entry in entries for key in entry.names}
    if name in known:
        return _source_of(known[name].newest, name, collection)
    id_, _, version = name.rpartition("/")
    if id_ in known:
        versions = known[id_].versions
        if version not in versions:
            listed = f"it has {', '.join(versions)}" if versions else "it names none"
            raise SourceError(f"the collection {collection} has no version {version!r} of {id_}: {listed}")
        return _source_of(versions[version], name, collection)
    close = close_names(name if "/" not in name or not id_ else id_, known, most=3) or close_names(name, known, most=3)
    asked = f"did you mean {' or '.join(close)}? " if close else ""
    hint = "" if close else ": the environment variable BMZ_COLLECTION names another collection"
    raise SourceError(f"{asked}{name!r} is no file or folder here, and the collection {collection} does not have it{hint}")


def is_collection_named() -> bool:
    """Return whether the user names a collection."""
    return bool(_named_collection())


def _named_collection() -> str:
    return os.environ.get("BMZ_COLLECTION", "").strip()


def _by_pattern(name: str, pattern: str) -> Found:
    id_, version = name, NEWEST
    last = name.rpartition("/")[2]
    if "/" in name and re.match(r"v?[0-9]", last) and not name.startswith("10."):  # older ids are DOIs such as 10.5281/zenodo.123
        id_, version = name.rpartition("/")[0], last
        if "{version}" not in pattern:
            raise SourceError(
                f"{name!r} names version {version!r}, but the collection {pattern} has one version of each resource: leave the version "
                "out, or set the environment variable BMZ_COLLECTION to a pattern with {version}"
            )
    url = pattern.replace("{id}", id_).replace("{version}", version)
    return Found(source=url, query=url.partition("?")[2] if "{version}" in pattern.partition("?")[2] else "")


def _source_of(found: Found | None, name: str, collection: str) -> Found:
    if found is None:
        raise SourceError(f"the collection {collection} lists {name} without its place: give its URL instead")
    return attrs.evolve(found, source=_beside(collection, found.source))


def _read_index(name: str, collection: str) -> Any:
    try:
        if is_cached(collection):
            text = cache_from_environment().fetch(collection).read_text(encoding="utf-8")
        elif is_url(collection):
            with open_url(collection) as file:
                text = file.read().decode("utf-8")
        else:
            text = Path(collection).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(
            f"{name!r} is no file or folder here, and no id can be looked up in the collection that BMZ_COLLECTION names: {error}"
        ) from None
    try:
        return json.loads(text)
    except ValueError:
        pass
    import yaml

    try:
        return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 (makes only strings, so that version 1.10 does not become 1.1)
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" (line {where.line + 1})" if where is not None else ""
        raise SourceError(f"the collection {collection} is neither JSON nor YAML{line}: name an index or a URL with {{id}}") from None


def _entries(index: Any, collection: str) -> Iterator[_Entry]:
    """Yield the entries of an index: a mapping by id, or a list of entries, possibly under the key ``collection``."""
    listed = index.get("collection", index) if isinstance(index, Mapping) else index
    if isinstance(listed, Mapping):
        for id_, value in listed.items():
            yield _entry(str(id_), value if isinstance(value, Mapping) else {"source": value})
    elif isinstance(listed, list):
        for value in listed:
            id_ = _text(value.get("id")) if isinstance(value, Mapping) else None
            if id_ is not None:
                yield _entry(id_, value)
    else:
        raise SourceError(
            f"the collection {collection} is not an index: expected a mapping from ids to sources, or a list of entries with ids"
        )


def _entry(id_: str, value: Mapping[str, Any]) -> _Entry:
    nicknames = (_text(value.get(key)) for key in ("nickname", "alias"))
    newest = _found(value)
    return _Entry(
        names=(id_, *(name for name in nicknames if name is not None)),
        newest=newest,
        versions=dict(_versions(value.get("versions"), newest)),
    )


def _versions(versions: Any, newest: Found | None) -> Iterator[tuple[str, Found | None]]:
    """Yield versions: a mapping from number to source, or a list of mappings or mere numbers."""
    if isinstance(versions, Mapping):
        for number, value in versions.items():
            yield str(number), _found(value if isinstance(value, Mapping) else {"source": value})
    elif isinstance(versions, list):
        for value in versions:
            number = _text(value.get("version") if isinstance(value, Mapping) else value)
            if number is not None and isinstance(value, Mapping):
                yield number, _found(value)
            elif number is not None:  # the newest version is recognised by its path
                yield number, newest if newest is not None and number in newest.source.split("/") else None


def _found(value: Mapping[str, Any]) -> Found | None:
    source = _text(value.get("rdf_source")) or _text(value.get("source"))
    sha256 = _text(value.get("sha256"))
    return None if source is None else Found(source=source, sha256=sha256.lower() if sha256 else None)


def _beside(collection: str, source: str) -> str:
    """Return the URL or path of a source that an index names; a remote index must not name files of this machine."""
    if is_url(source):
        if is_url(collection) and protocol_of(source) not in ("http", "https", protocol_of(collection)):
            raise SourceError(f"the collection {collection} names {source!r}, which lies outside of it: expected a URL with http(s)://")
        if is_cached(collection):
            check_named_url(source, collection)
        return source
    if not is_url(collection):
        return str(Path(collection).expanduser().parent / source)
    if source.startswith("/") or ".." in source.split("/"):
        raise SourceError(f"the collection {collection} names {source!r}, which lies outside of it: expected a path beside it, or a URL")
    return f"{collection.partition('?')[0].rpartition('/')[0]}/{source.removeprefix('./')}"


def _text(value: Any) -> str | None:
    """Return a string that is not empty, else None; an index that is read as strings alone has the word null."""
    text = str(value).strip() if isinstance(value, (str, int, float)) else ""
    return None if text in ("", "null", "~") else text
