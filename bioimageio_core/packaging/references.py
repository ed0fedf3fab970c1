"""The files that a description names, and the places of their names."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import PurePosixPath
from typing import Annotated, Any, get_args, get_origin

import attrs

from ..spec.extensions import OpaqueOp, OpaqueWeights
from ..spec.fields import file_name
from ..spec.files import FileDescr
from ..spec.model.weights import WeightsEntryV04, split_architecture
from ..spec.node import Loc
from ..spec.strings import FileSource, PackagedSource
from ..structuring.class_fields import FieldInfo, fields_of, has_fields

__all__ = ["FileReference", "file_references", "names_files"]


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


def file_references(descr: Any, *, packaged_only: bool = True) -> tuple[FileReference, ...]:
    """Return the files that a description names, in the order of its fields.

    Free-form parts (``config``) name no files.

    Args:
        descr: The description, or a part of one.
        packaged_only: Leave out files that are not part of packages.

    """
    found = [reference for reference in _in(descr, ()) if reference.packaged or not packaged_only]
    if any(_may_be_code(reference) for reference in found):
        found = [attrs.evolve(r, keeps_place=_may_be_code(r) or "attachments" in r.loc) for r in found]
    return tuple(found)


def _may_be_code(reference: FileReference) -> bool:
    """Return whether a file may be code, which finds other files of the package by their paths: an architecture, or a step itself."""
    loc = {*reference.loc}
    return "architecture" in loc or (bool({"preprocessing", "postprocessing"} & loc) and "kwargs" not in loc)


def names_files(cls: type) -> bool:
    """Return whether a class has a field, in itself or in classes within it, for a file that goes into packages."""
    return _may_name_files(cls, ())


def _may_name_files(type_: Any, outer: tuple[type, ...]) -> bool:
    if has_fields(type_):
        within = (*outer, type_)
        return type_ not in outer and (issubclass(type_, FileDescr) or any(_may_name_files(f.type, within) for f in fields_of(type_)))
    if get_origin(type_) is Annotated and _names_file(type_):
        return True
    return any(_may_name_files(argument, outer) for argument in get_args(type_))


def _in(value: Any, loc: Loc) -> Iterator[FileReference]:
    if isinstance(value, OpaqueWeights):
        yield from _in_free_form(value.tree, loc)
    elif isinstance(value, OpaqueOp):
        yield from filter(_is_file_of_op, _in_free_form(value.tree, loc))
    elif has_fields(type(value)):  # arguments of plugins may be dataclasses
        yield from _in_fields(value, loc)
        if isinstance(value, WeightsEntryV04):
            yield from _in_weights_v0_4(value, loc)
    elif isinstance(value, (tuple, list)):
        for index, item in enumerate(value):
            yield from _in(item, (*loc, index))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _in(item, (*loc, key))


def _in_fields(value: Any, loc: Loc) -> Iterator[FileReference]:
    cls: Any = type(value)
    for field, kinds in _fields_with_texts(cls):
        content, here = getattr(value, field.name), (*loc, field.key)
        if field.name == "source" and isinstance(value, FileDescr):
            yield _described(content, value.sha256, here)
        elif kinds:
            yield from _in_texts(content, here, kinds)
        if not isinstance(content, str):
            yield from _in(content, here)


def _described(source: str, sha256: str | None, loc: Loc) -> FileReference:
    return FileReference(loc=loc, source=source, sha256=sha256, sha256_key="sha256", keeps_name=loc[-2:] == ("external_data", "source"))


@cache
def _fields_with_texts(cls: type) -> tuple[tuple[FieldInfo, tuple[Any, ...]], ...]:
    """Return fields, each with the kinds of text that it accepts, in the order in which they are tried; none if no kind names a file."""
    kinds = [(field, tuple(_members(field.type))) for field in fields_of(cls)]
    return tuple((field, found if any(_names_file(m) or _names_other_file(m) for m in found) else ()) for field, found in kinds)


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
        kind = next((kind for kind in kinds if _fits(content, kind)), None)
        if kind is not None and (_names_file(kind) or _names_other_file(kind)):
            yield FileReference(loc=loc, source=content, packaged=_names_file(kind))
    elif isinstance(content, (tuple, list)):
        for index, item in enumerate(content):
            if isinstance(item, str):
                yield from _in_texts(item, (*loc, index), kinds)
    elif isinstance(content, Mapping):
        for key, item in content.items():
            if isinstance(item, str):
                yield from _in_texts(item, (*loc, key), kinds)


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


def _is_file_of_op(reference: FileReference) -> bool:
    """Return whether an argument of an unknown op looks like a file by more than its key: ``source`` may be a camera."""
    return reference.sha256 is not None or PurePosixPath(file_name(reference.source)).suffix != ""


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
