"""The files that a description names, and the places of their names."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, get_args, get_origin

import attrs

from ..spec.extensions import OpaqueWeights
from ..spec.files import FileDescr
from ..spec.model.weights import WeightsEntryV04, split_architecture
from ..spec.node import Loc, Node
from ..spec.strings import FileSource, PackagedSource
from ..structuring.class_fields import fields_of
from ..typing import FrozenMapping

__all__ = ["FileReference", "file_references"]


@attrs.frozen(kw_only=True)
class FileReference:
    """A place in a description that names a file."""

    loc: Loc
    """Path in the document of the text that names the file."""

    source: str
    """A URL, or a path relative to the description."""

    sha256: str | None = None
    sha256_key: str | None = None
    """Key beside the text for the hash; None where the format has none."""

    before: str = ""
    """Text before the source, such as ``conda:``."""

    after: str = ""
    """Text after the source, such as ``:callable``."""

    keeps_name: bool = False
    """Whether it must keep its name in a package, because another file refers to it by name."""

    keeps_place: bool = False
    """Whether it must keep its path in a package, because code of the model finds other files by their paths from there."""

    packaged: bool = True
    """Whether it is part of packages."""


def file_references(descr: Node, *, packaged_only: bool = True) -> tuple[FileReference, ...]:
    """Return the files that a description names, in the order of its fields.

    Free-form parts (``config``) name no files.

    Args:
        descr: The description.
        packaged_only: Leave out files that are not part of packages.

    """
    found = [reference for reference in _in(descr, ()) if reference.packaged or not packaged_only]
    if any(_NAMED_BY_CODE & {*reference.loc} for reference in found):
        found = [attrs.evolve(r, keeps_place=bool({*_NAMED_BY_CODE, "attachments"} & {*r.loc})) for r in found]
    return tuple(found)


_NAMED_BY_CODE = {"architecture", "preprocessing", "postprocessing"}
"""Fields whose files may be code, which finds other files of the package by their paths."""


def _in(value: Any, loc: Loc) -> Iterator[FileReference]:
    if isinstance(value, OpaqueWeights):
        yield from _in_free_form(value.tree, loc)
    elif isinstance(value, Node):
        yield from _in_fields(value, loc)
        if isinstance(value, WeightsEntryV04):
            yield from _in_weights_v0_4(value, loc)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _in(item, (*loc, index))
    elif isinstance(value, FrozenMapping):
        for key, item in value.items():
            yield from _in(item, (*loc, key))


def _in_fields(value: Node, loc: Loc) -> Iterator[FileReference]:
    for field in fields_of(type(value)):
        content, here = getattr(value, field.name), (*loc, field.key)
        if field.name == "source" and isinstance(value, FileDescr):
            yield _described(content, value.sha256, here)
        elif kinds := _text_types(field.type):
            yield from _in_texts(content, here, kinds)
        if not isinstance(content, str):
            yield from _in(content, here)


def _described(source: str, sha256: str | None, loc: Loc) -> FileReference:
    return FileReference(loc=loc, source=source, sha256=sha256, sha256_key="sha256", keeps_name=loc[-2:] == ("external_data", "source"))


@cache
def _text_types(type_: Any) -> tuple[Any, ...]:
    """Return the kinds of text that a field accepts, in the order in which they are tried; empty where no kind names a file."""
    members = tuple(_members(type_))
    return members if any(_names_file(m) or _names_other_file(m) for m in members) else ()


def _members(type_: Any) -> Iterator[Any]:
    if get_origin(type_) is Annotated:
        if get_args(type_)[0] is str:
            yield type_
        return
    for argument in get_args(type_):
        yield from _members(argument)


def _names_file(type_: Any) -> bool:
    return bool(type_.__metadata__ == typing.cast("Any", PackagedSource).__metadata__)


def _names_other_file(type_: Any) -> bool:
    return bool(type_.__metadata__ == typing.cast("Any", FileSource).__metadata__)


def _in_texts(content: Any, loc: Loc, kinds: tuple[Any, ...]) -> Iterator[FileReference]:
    if isinstance(content, str):
        kind = next(kind for kind in kinds if _fits(content, kind))
        if _names_file(kind) or _names_other_file(kind):
            yield FileReference(loc=loc, source=content, packaged=_names_file(kind))
    elif isinstance(content, tuple):
        for index, item in enumerate(content):
            if isinstance(item, str):
                yield from _in_texts(item, (*loc, index), kinds)


def _fits(text: str, kind: Any) -> bool:
    try:
        for check in kind.__metadata__:
            check(text)
    except ValueError:
        return False
    return True


def _in_weights_v0_4(entry: WeightsEntryV04, loc: Loc) -> Iterator[FileReference]:
    """Yield the files whose names are only a part of a text."""
    if entry.dependencies is not None:
        manager, colon, file = entry.dependencies.strip().partition(":")
        yield FileReference(loc=(*loc, "dependencies"), source=file, before=manager + colon)
    architecture = getattr(entry, "architecture", None)
    if isinstance(architecture, str) and ":" in architecture:
        file, _ = split_architecture(architecture)
        sha256 = getattr(entry, "architecture_sha256", None)
        yield FileReference(
            loc=(*loc, "architecture"), source=file, sha256=sha256, sha256_key="architecture_sha256", after=architecture[len(file) :]
        )


def _in_free_form(tree: Any, loc: Loc) -> Iterator[FileReference]:
    """Yield the files of mappings that look like `FileDescr`."""
    if isinstance(tree, Mapping):
        source, sha256 = tree.get("source"), tree.get("sha256")
        if isinstance(source, str):
            yield _described(source, sha256 if isinstance(sha256, str) else None, (*loc, "source"))
        for key, item in tree.items():
            yield from _in_free_form(item, (*loc, key))
    elif isinstance(tree, (list, tuple)):
        for index, item in enumerate(tree):
            yield from _in_free_form(item, (*loc, index))
