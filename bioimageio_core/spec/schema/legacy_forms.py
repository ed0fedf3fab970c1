"""Forms of fields in earlier micro versions of a format, as types for the schema; ``upgrade`` converts them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any

import attrs

from ...typing import FrozenMapping
from ..fields import TensorName, non_empty, suffix
from ..formats import Family
from ..model.v0_4.tensors import ImplicitOutputShape, OutputTensorDescr
from ..model.weights import Dependencies
from ..node import Node, node
from ..strings import PackagedSource, ResourceId, Version

__all__ = ["LegacyForm", "legacy_forms", "with_legacy_forms"]


@attrs.frozen(kw_only=True)
class LegacyForm:
    """An earlier form of one key of a description, or of the items under it."""

    key: str
    """The latest version may not have the key."""

    type: Any
    """The earlier form."""

    of_items: bool = False
    below: tuple[int, int, int] | None = None
    """The first format version without it; None: all versions have it."""

    if_set: str = ""
    """The form is valid only with this key in ``config.bioimageio``."""


@node
class LegacyLink(Node):
    """A resource by its id, with its version also under the former key ``version_number``."""

    id: ResourceId
    version: Version | None = None
    version_number: Version | None = None


@node
class LegacyOutputShape(Node):
    """A shape that follows from that of an input."""

    reference_input: TensorName
    scale: tuple[float | None, ...] = attrs.field(validator=non_empty)
    offset: tuple[float, ...] = attrs.field(validator=non_empty)


@node
class LegacyOutput(OutputTensorDescr):
    """A tensor that the model returns."""

    shape: tuple[int, ...] | ImplicitOutputShape | LegacyOutputShape  # type: ignore[assignment]


_COVER = Annotated[PackagedSource, suffix(".gif", ".jpeg", ".jpg", ".png", ".svg", any_case=True)]
_NAMED_AUTHORS = LegacyForm(key="authors", type=str, of_items=True)
_VERSION_NUMBER = LegacyForm(key="version_number", type=Version | None)


def _paths(below: tuple[int, int, int]) -> tuple[LegacyForm, ...]:
    """Return the forms of files that were plain paths or URLs."""
    return (
        LegacyForm(key="documentation", type=Annotated[PackagedSource, suffix(".md")], below=below),
        LegacyForm(key="icon", type=PackagedSource, below=below),
        LegacyForm(key="covers", type=_COVER, of_items=True, below=below),
    )


def _nicknames(below: tuple[int, int, int]) -> tuple[LegacyForm, ...]:
    """Return the forms of ids that a nickname in config replaces."""
    return (
        LegacyForm(key="id", type=Any, below=below, if_set="nickname"),
        LegacyForm(key="id_emoji", type=Any, below=below, if_set="nickname_icon"),
    )


_MODEL_0_3 = (
    *(LegacyForm(key=key, type=Any, below=(0, 4, 0)) for key in ("framework", "kwargs", "language", "sha256", "source")),
    LegacyForm(key="weights", type=FrozenMapping[str, FrozenMapping[str, Any] | None], below=(0, 4, 0)),
    LegacyForm(key="outputs", type=LegacyOutput, of_items=True, below=(0, 3, 3)),
    LegacyForm(key="packaged_by", type=str, of_items=True, below=(0, 3, 2)),
)
"""Weights of the retired format 0.3 are not described further."""

_MODEL_0_4 = (
    _NAMED_AUTHORS,
    LegacyForm(key="dependencies", type=Dependencies | None, below=(0, 4, 1)),
    *_nicknames((0, 4, 10)),
    *_MODEL_0_3,
)
_MODEL_0_5 = (
    *_paths((0, 5, 11)),
    _VERSION_NUMBER,
    LegacyForm(key="parent", type=LegacyLink),
    LegacyForm(key="training_data", type=LegacyLink),
)
_OTHERS_0_2 = (_NAMED_AUTHORS, *_nicknames((0, 2, 4)))
_OTHERS_0_3 = (*_paths((0, 3, 4)), _VERSION_NUMBER)


def legacy_forms(family: Family, format: str) -> tuple[LegacyForm, ...]:  # noqa: A002 (the word of the format)
    """Return the forms of earlier micro versions of a format."""
    if family == "model":
        return _MODEL_0_4 if format == "0.4" else _MODEL_0_5
    return _OTHERS_0_2 if format == "0.2" else _OTHERS_0_3


def with_legacy_forms(schema: dict[str, Any], forms: Iterable[LegacyForm], schema_of: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """Return the schema of a description with legacy forms, each for the versions that allow it."""
    properties = dict(schema["properties"])
    conditions = []
    for form in forms:
        present = properties.get(form.key, False)
        earlier = schema_of(form.type)
        if form.of_items:
            properties[form.key] = {**present, "items": {"anyOf": [present["items"], earlier]}}
        elif present:
            kept = {key: present[key] for key in ("description", "default") if key in present}
            properties[form.key] = {**kept, "anyOf": [{key: present[key] for key in present if key not in kept}, earlier]}
        else:
            properties[form.key] = earlier
        if form.below is not None:
            old: dict[str, Any] = {"properties": {"format_version": {"pattern": _versions_below(*form.below)}}}
            if form.if_set:
                old["required"] = ["config"]
                old["properties"]["config"] = {
                    "required": ["bioimageio"],
                    "properties": {"bioimageio": {"type": "object", "required": [form.if_set]}},
                }
            conditions.append({"if": old, "else": {"properties": {form.key: present}}})
    return {**schema, "properties": properties, **({"allOf": conditions} if conditions else {})}


def _versions_below(major: int, minor: int, micro: int) -> str:
    """Return the pattern of format versions below one; numbers that are left out are zero."""
    versions = [rf"{major}(?:\.(?:{'|'.join(map(str, range(minor)))})(?:\.[0-9]+)?)?"]
    if micro:
        versions.append(rf"{major}\.{minor}(?:\.(?:{'|'.join(map(str, range(micro)))}))?")
    return rf"^(?:{'|'.join(versions)})$"
