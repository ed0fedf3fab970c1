"""To the latest micro version of format 0.3, also from 0.2, on trees."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..fields import file_name
from ..node import Issue
from ..notes import changed, lost
from .licenses import DEPRECATED_LICENSES, LICENSES
from .upgrade_v0_2 import name_people
from .v0_3 import LATEST

__all__ = ["convert_shared", "from_v0_2", "read_files", "read_version_number", "upgrade"]


def upgrade(tree: Mapping[str, Any], version: tuple[int, int, int]) -> tuple[dict[str, Any], list[Issue]]:
    """Return the tree in the form of the latest micro version, and what was changed; ``tree`` is not changed.

    Below 0.3.4 strings were allowed for ``documentation``, ``covers`` and ``icon`` where there are files now.
    """
    if version < (0, 3, 0):
        new = dict(tree)
        notes = name_people(new, "authors")
        new, more = from_v0_2(new)
        return new, notes + more
    new, notes = dict(tree), []
    if version < (0, 3, 4):
        notes += read_files(new)
    notes += read_version_number(new)
    new["format_version"] = LATEST
    return new, notes


def from_v0_2(tree: Mapping[str, Any]) -> tuple[dict[str, Any], list[Issue]]:
    """Return the description of format 0.2.4 in format 0.3, and what was changed or lost."""
    new = dict(tree)
    notes = convert_shared(new)
    new["format_version"] = LATEST
    return new, notes


def convert_shared(new: dict[str, Any]) -> list[Issue]:
    """Convert what all descriptions of generic format 0.2 share, in place.

    Files that 0.3 no longer takes as covers or documentation become attachments, pages become links.
    """
    return [
        *_convert_name(new),
        *_convert_attachments(new),
        *_convert_covers(new),
        *_convert_documentation(new),
        *_convert_license(new),
        *_convert_git_repo(new),
        *_convert_cite(new),
        *read_files(new, note=False),
        *read_version_number(new),
        *_drop(new, "download_url", "rdf_source"),
    ]


def read_files(new: dict[str, Any], *, note: bool = True) -> list[Issue]:
    """Read strings as files where files are meant."""
    notes = []
    for key in ("documentation", "icon"):
        value = new.get(key)
        if isinstance(value, str) and (key != "icon" or len(value) > 2):
            new[key] = {"source": value}
            notes.append(changed((key,), "read as a file"))
    covers = new.get("covers")
    if isinstance(covers, (list, tuple)) and any(isinstance(cover, str) for cover in covers):
        new["covers"] = [{"source": cover} if isinstance(cover, str) else cover for cover in covers]
        notes.append(changed(("covers",), "read as files"))
    return notes if note else []


def read_version_number(new: dict[str, Any]) -> list[Issue]:
    """Let ``version_number`` stand for ``version``, which wins where there are both."""
    if "version_number" not in new:
        return []
    number = new.pop("version_number")
    if number is None:
        return []
    if new.get("version") is None:
        new["version"] = number
        return [changed(("version_number",), "read as version")]
    if str(new["version"]) == str(number):
        return []
    return [lost(("version_number",), f"{number} was dropped, since there is a version, {new['version']}")]


def _convert_name(new: dict[str, Any]) -> list[Issue]:
    name = new.get("name")
    if not isinstance(name, str):
        return []
    clean = re.sub(r"[^A-Za-z0-9_+\-() ]", " ", name)[:128]
    if clean == name:
        return []
    new["name"] = clean
    return [lost(("name",), f"{name!r} became {clean!r}: letters, digits, spaces and _ + - ( ) are allowed, at most 128")]


def _convert_attachments(new: dict[str, Any]) -> list[Issue]:
    attachments = new.get("attachments")
    if attachments is None:
        new.pop("attachments", None)
        return []
    if not isinstance(attachments, Mapping):
        return []
    files = attachments.get("files")
    new["attachments"] = [{"source": file} if isinstance(file, str) else file for file in files or ()]
    return [lost(("attachments", key), "dropped, attachments are a list of files") for key in attachments if key != "files"]


def _convert_covers(new: dict[str, Any]) -> list[Issue]:
    covers = new.get("covers")
    if not isinstance(covers, (list, tuple)):
        return []
    kept = [cover for cover in covers if not _is_tiff(cover)]
    notes = []
    for index, cover in enumerate(covers):
        if _is_tiff(cover):
            _append(new, "attachments", {"source": cover})
            notes.append(lost(("covers", index), f"{cover!r} was moved to attachments, since covers are no longer TIFF files"))
    new["covers"] = kept
    return notes


def _is_tiff(cover: Any) -> bool:
    return isinstance(cover, str) and file_name(cover).lower().endswith((".tif", ".tiff"))


def _convert_documentation(new: dict[str, Any]) -> list[Issue]:
    documentation = new.get("documentation")
    if not isinstance(documentation, str) or file_name(documentation).endswith(".md"):
        return []
    del new["documentation"]
    is_page = documentation.lower().startswith(("http://", "https://"))
    _append(new, "links" if is_page else "attachments", documentation if is_page else {"source": documentation})
    where = "links" if is_page else "attachments"
    return [lost(("documentation",), f"{documentation!r} was moved to {where}, since documentation is a Markdown file (.md)")]


def _convert_license(new: dict[str, Any]) -> list[Issue]:
    """Spell identifiers as the SPDX list does; unknown ones are left for people to decide on."""
    written = new.get("license")
    if not isinstance(written, str) or written in LICENSES | DEPRECATED_LICENSES:
        return []
    spelt = next((known for known in LICENSES if _letters(known) == _letters(written)), None)
    if spelt is None:
        return []
    new["license"] = spelt
    return [changed(("license",), f"{written!r} was read as {spelt!r}")]


def _letters(license_: str) -> str:
    return re.sub(r"[^a-z0-9.+]|licen[sc]e$", "", license_.lower().strip())


def _convert_git_repo(new: dict[str, Any]) -> list[Issue]:
    repository = new.get("git_repo")
    if not isinstance(repository, str) or re.match(r"https?://", repository, re.IGNORECASE):
        return []
    del new["git_repo"]
    if not repository:
        return []
    _append(new, "links", repository)
    return [lost(("git_repo",), f"{repository!r} was moved to links, since it is no URL")]


def _convert_cite(new: dict[str, Any]) -> list[Issue]:
    cite = new.get("cite")
    if not isinstance(cite, (list, tuple)):
        return []
    entries, notes = [], []
    for index, entry in enumerate(cite):
        url = entry.get("url") if isinstance(entry, Mapping) else None
        if not isinstance(url, str) or re.match(r"https?://", url, re.IGNORECASE):
            entries.append(entry)
            continue
        changed_entry = {key: value for key, value in entry.items() if key != "url"}
        if not changed_entry.get("doi") and (doi := re.search(r"10\.[0-9]{4}.+", url)):
            changed_entry["doi"] = doi[0]
            notes.append(changed(("cite", index, "url"), f"{url!r} was read as doi"))
        elif changed_entry.get("doi"):
            changed_entry["text"] = f"{entry.get('text', '')} ({url})" if url else entry.get("text")
            notes.append(lost(("cite", index, "url"), f"{url!r} was moved to text, since it is no URL"))
        else:
            changed_entry = dict(entry)
        entries.append(changed_entry)
    new["cite"] = entries
    return notes


def _drop(new: dict[str, Any], *keys: str) -> list[Issue]:
    notes = []
    for key in keys:
        value = new.pop(key, None)
        if value is not None:
            notes.append(lost((key,), f"{value!r} was dropped, the format has no such field any more"))
    return notes


def _append(new: dict[str, Any], key: str, item: Any) -> None:
    present = new.get(key)
    new[key] = [*(present if isinstance(present, (list, tuple)) else ()), item]
