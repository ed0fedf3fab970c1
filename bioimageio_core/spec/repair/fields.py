"""Fields that descriptions of every type share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ...structuring.format_value import format_value
from ...structuring.freezing import as_finite
from ..node import Issue, Loc
from ..notes import mended
from .identity import is_model
from .kept import keep, value_at

__all__ = ["attachments", "config", "licenses", "lists", "parent", "placeholders", "run_mode", "texts", "timestamp", "tolerance"]

_PLACEHOLDERS = frozenset(["", "-", "?", "doi", "missing", "n/a", "none", "null", "tba", "tbd", "todo", "url"])
_LISTS = ("authors", "cite", "covers", "links", "maintainers", "packaged_by", "sample_inputs", "sample_outputs", "tags")
_TEXTS = ("name", "description", "id", "license")
_SAYS_SOMETHING = frozenset(["description", "id_emoji", "icon", "name", "type"])
"""Fields of free text, where nothing is a placeholder."""


def config(tree: dict[str, Any]) -> Iterator[Issue]:
    """Keep what is in place of a mapping within one; make text of keys and numbers that are not allowed in it."""
    value = tree.get("config")
    if value is None:
        return
    if not isinstance(value, dict):
        del tree["config"]
        yield keep(tree, ("config",), value, "expected a mapping")
    elif repr(as_finite(value)) != repr(value):  # repr, since NaN does not equal itself
        tree["config"] = as_finite(value)
        yield mended(("config",), "expected finite numbers, and text as keys, found others: read as text")


def tolerance(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read one tolerance in place of a list as a list of one."""
    loc = ("config", "bioimageio", "reproducibility_tolerance")
    value = value_at(tree, loc)
    if isinstance(value, dict) and not any(isinstance(item, dict) for item in value.values()):
        tree["config"]["bioimageio"]["reproducibility_tolerance"] = [value]
        yield mended(loc, f"expected a list, found {format_value(value)}: read as a list of one")


def placeholders(tree: dict[str, Any]) -> Iterator[Issue]:
    """Leave out words such as ``todo``, which say as much as no value."""
    for loc, holder, key in list(_scalars(tree)):
        value = holder[key]
        if isinstance(value, str) and value.strip().lower() in _PLACEHOLDERS:
            del holder[key]
            yield mended(loc, f"{value!r} was left out, since it stands for no value")


def _scalars(tree: dict[str, Any]) -> Iterator[tuple[Loc, dict[str, Any], str]]:
    """Yield the places of single values at the top level, of people and citations, and of weights."""
    yield from (((key,), tree, key) for key in tree if key not in _SAYS_SOMETHING)
    for name in ("authors", "cite", "maintainers", "packaged_by"):
        items = tree.get(name)
        for index, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, dict):
                yield from (((name, index, key), item, key) for key in item if key not in ("name", "text"))
    weights = tree.get("weights")
    for name, entry in weights.items() if isinstance(weights, dict) else ():
        if isinstance(entry, dict):
            yield from ((("weights", name, key), entry, key) for key in entry)


def lists(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read one item in place of a list as a list of one."""
    for key in _LISTS:
        value = tree.get(key)
        if isinstance(value, dict) or (isinstance(value, str) and key not in ("links", "tags")):
            tree[key] = [value]
            yield mended((key,), f"expected a list, found {format_value(value)}: read as a list of one")
        elif isinstance(value, str):
            tree[key] = [part for part in re.split(r"[,;\s]\s*", value) if part] if key == "links" else _split(value)
            yield mended((key,), f"expected a list, found {format_value(value)}: read as {format_value(tree[key])}")


def texts(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read numbers in place of text as they are written."""
    for key in _TEXTS:
        value = tree.get(key)
        if _is_number(value):
            tree[key] = str(value)
            yield mended((key,), f"expected a string, found {value}: read as text")
    tags = tree.get("tags")
    if not isinstance(tags, list):
        return
    for index, tag in enumerate(tags):
        if _is_number(tag):
            tags[index] = str(tag)
            yield mended(("tags", index), f"expected a string, found {tag}: read as text")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _split(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[,;]", text) if part.strip()]


def timestamp(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read a date as the time, and a year or day in another spelling."""
    if tree.get("timestamp") is None and (date := tree.get("date")) is not None and (time := _time(date)):
        tree.pop("timestamp", None)
        del tree["date"]
        tree["timestamp"] = time
        yield mended(("date",), f"{date!r} was read as timestamp")
    elif (written := tree.get("timestamp")) is not None and (time := _time(written)) and time != written:
        tree["timestamp"] = time
        yield mended(("timestamp",), f"{written!r} was read as {time!r}")


def _time(written: Any) -> str | None:
    text = str(written).strip()
    if re.fullmatch(r"[0-9]{4}", text):
        return text if 1900 < int(text) < 2100 else None
    for candidate in (text, text.replace("/", "-"), re.sub(r"\b([0-9])\b", r"0\1", text)):
        try:
            datetime.fromisoformat(candidate)
        except ValueError:
            continue
        return candidate
    return None


def parent(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read a parent that is an address as a link, and one that is an id alone as such."""
    value = tree.get("parent")
    if isinstance(value, dict) and isinstance(value.get("uri"), str) and value["uri"].startswith(("http://", "https://")):
        value = value["uri"] if set(value) <= {"uri", "sha256"} else value
    if not isinstance(value, str) or not is_model(tree):
        return
    taken = tree.pop("parent")
    if value.startswith(("http://", "https://")):
        if isinstance(tree.get("links", []), list):
            tree["links"] = [*tree.get("links", []), value]
            yield mended(("parent",), f"{value!r} was moved to links, parents are named by the id of another model")
        if isinstance(taken, dict) and "sha256" in taken:
            yield keep(tree, ("parent", "sha256"), taken["sha256"], "a link has no hash")
    else:
        tree["parent"] = {"id": value}
        yield mended(("parent",), f"expected a mapping, found {value!r}: read as id")


def run_mode(tree: dict[str, Any]) -> Iterator[Issue]:
    """Take the item of a list of one run mode, and a string for its name."""
    value = tree.get("run_mode")
    if isinstance(value, list) and len(value) == 1:
        value = tree["run_mode"] = value[0]
        yield mended(("run_mode",), "expected a mapping, found a list of one: its item was taken")
    if isinstance(value, str):
        tree["run_mode"] = {"name": value}
        yield mended(("run_mode",), f"expected a mapping, found {value!r}: read as name")


def attachments(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read attachments that are written as those of another version."""
    value = tree.get("attachments")
    is_newest = str(tree.get("format_version")).startswith("0.5" if is_model(tree) else "0.3")
    if isinstance(value, (list, str)) and not is_newest:
        items = value if isinstance(value, list) else [value]
        tree["attachments"] = {"files": [item["source"] if isinstance(item, dict) and set(item) == {"source"} else item for item in items]}
        yield mended(("attachments",), "expected a mapping, found a list: read as files")
    elif isinstance(value, dict) and is_newest and isinstance(value.get("files"), list):
        tree["attachments"] = [{"source": file} if isinstance(file, str) else file for file in value["files"]]
        yield mended(("attachments",), "expected a list of files, found a mapping: its files were taken")
        for key in value:
            if key != "files":
                yield keep(tree, ("attachments", key), value[key], "attachments are a list of files")


_SPELLINGS = {
    "apache2": "Apache-2.0",
    "apache20": "Apache-2.0",
    "bsd2": "BSD-2-Clause",
    "bsd2clause": "BSD-2-Clause",
    "bsd3": "BSD-3-Clause",
    "bsd3clause": "BSD-3-Clause",
    "ccby40": "CC-BY-4.0",
    "mit": "MIT",
}
"""Licenses by their letters and digits; where a spelling may mean several, as ``bsd`` or ``gpl3``, people have to decide."""


def licenses(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read other spellings of common licenses."""
    written = tree.get("license")
    if isinstance(written, list) and len(written) == 1:
        written = tree["license"] = written[0]
        yield mended(("license",), "expected an identifier, found a list of one: its item was taken")
    if not isinstance(written, str) or written in _SPELLINGS.values():
        return
    letters = re.sub(r"(?:the|licen[sc]e|version|v(?=[0-9])|[^a-z0-9])", "", written.lower())
    if letters in _SPELLINGS:
        tree["license"] = _SPELLINGS[letters]
        yield mended(("license",), f"{written!r} was read as {tree['license']}")
