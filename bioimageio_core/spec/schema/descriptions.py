"""JSON Schema of descriptions, generated from the classes that read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import attrs
from cattrs import Converter

from ...errors import InputError
from ...registry import Registry
from ...typing import ModelFormat
from ..formats import SPECIFIC, Family, latest_of
from ..node import Node
from ..versions import class_of, converter_format
from .legacy_forms import legacy_forms, with_legacy_forms
from .strict import strict
from .types import Schema, SchemaTypes, definition_name

__all__ = ["ROOTS", "Root", "json_schema"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@attrs.frozen(kw_only=True)
class Root:
    """One resource type in one format version."""

    family: Family
    format: str
    """Major and minor."""

    @property
    def cls(self) -> type[Node]:
        """The class, imported when it is asked for."""
        cls: type[Node] = class_of(self.family, self.format)
        return cls

    @property
    def is_newest(self) -> bool:
        """Whether it is the newest format version of its type; later versions are read as this one."""
        return self.format == list(latest_of(self.family))[-1]


ROOTS = tuple(Root(family=family, format=format_) for family in get_args(Family) for format_ in latest_of(family))
"""Every description class, by type and then version; ``generic`` stands for all types without a format of their own."""


def json_schema(registry: Registry, *, type: str | None = None, format_version: str | None = None) -> Schema:  # noqa: A002
    """Return the JSON Schema (draft 2020-12) of descriptions, as a tree of dicts, lists and scalars.

    It accepts what `validate_tree` accepts, except for values that are converted, such as numbers in quotes,
    for formats before 0.2 of resources other than models, and for warnings of installed plugins.
    It cannot express rules that span several fields, and does not check files.

    Args:
        registry: Where the classes of processing ops and weights come from; names that it does not have are allowed.
        type: A resource type, such as ``model``; types without a format of their own are ``generic``; None: any.
        format_version: Major and minor, such as ``0.5``, or a full version; None: any.

    Raises:
        InputError: There are no such descriptions.

    """
    minor = None if format_version is None else ".".join(format_version.split(".")[:2])
    family = None if type is None else SPECIFIC.get(type, "generic")
    roots = [root for root in ROOTS if family in (None, root.family) and minor in (None, root.format)]
    if not roots or type == "collection":
        known = ", ".join(f"{root.family} {root.format}" for root in ROOTS)
        found = " ".join(filter(None, (type, format_version)))
        raise InputError(f"no JSON Schema describes {found!r}: expected a type and format version of {known}")
    definitions: Schema = {}
    for root in roots:
        _Descriptions(registry, converter_format(root.family, root.format), definitions).reference(root.cls)
    whole = _one(roots[0], definitions) if len(roots) == 1 else _any_of(roots, definitions)
    return strict({"$schema": DIALECT, **whole, "$defs": dict(sorted(definitions.items()))})


class _Descriptions(SchemaTypes):
    """Schemas of complete descriptions, alone or within others, include legacy forms."""

    def __init__(
        self,
        registry: Registry,
        format: ModelFormat,  # noqa: A002 (the word of the format)
        definitions: Schema,
        configure: Callable[[Converter], None] | None = None,
    ) -> None:
        super().__init__(registry, format, definitions, configure)
        self.roots = {root.cls: root for root in ROOTS}

    def node(self, cls: type[Any]) -> Schema:
        """Return the schema of a class itself."""
        schema = super().node(cls)
        root = self.roots.get(cls)
        if root is None:
            return schema
        schema["title"] = f"bioimage.io {root.family} {root.format}"
        version = {"description": "Version of the format.", "type": "string", "pattern": _versions(root)}
        schema["properties"] = {**schema["properties"], "format_version": version}
        return with_legacy_forms(schema, legacy_forms(root.family, root.format), self.of)


def _one(root: Root, definitions: Schema) -> Schema:
    """Return the schema of descriptions of one kind, which is no definition unless another refers to it."""
    schema = definitions.pop(definition_name(root.cls))
    return {**schema, "required": sorted({*schema.get("required", ()), *_HEAD}, key=list(schema["properties"]).index)}


_HEAD = ("type", "format_version")
"""Keys that identify the class of a description; optional within other descriptions."""


def _any_of(roots: list[Root], definitions: Schema) -> Schema:
    """Return the schema of descriptions of several kinds: type and version say which of them has to fit."""
    types = {root.family: definitions[definition_name(root.cls)]["properties"]["type"] for root in roots}
    conditions: list[Schema] = []
    for root in roots:
        properties = {"type": types[root.family], "format_version": {"pattern": _versions(root)}}
        conditions.append(_if(properties, {"$ref": f"#/$defs/{definition_name(root.cls)}"}))
    for family, type_ in types.items():
        patterns = [{"pattern": _versions(root)} for root in roots if root.family == family]
        conditions.append(
            _if({"type": type_}, {"properties": {"format_version": patterns[0] if len(patterns) == 1 else {"anyOf": patterns}}})
        )
    return {
        "title": f"bioimage.io {next(iter(types)) if len(types) == 1 else 'description'}",
        "type": "object",
        "properties": {"type": _any_type(list(types.values())), "format_version": {"type": "string"}},
        "required": list(_HEAD),
        "allOf": conditions,
    }


def _any_type(types: list[Schema]) -> Schema:
    """Return the schema of several resource types, their names in one list, which editors offer."""
    names = [type_["const"] for type_ in types if "const" in type_]
    return {"anyOf": [*([{"enum": names}] if names else []), *(type_ for type_ in types if "const" not in type_)]}


def _if(properties: Schema, then: Schema) -> Schema:
    return {"if": {"properties": properties, "required": list(properties)}, "then": then}


def _versions(root: Root) -> str:
    """Return the pattern of the full format versions that are read as ``root``; models of format 0.3 are read as 0.4."""
    number = "[0-9]{1,9}"
    major, _, minor = root.format.partition(".")
    if not root.is_newest and root.family == "model":
        return rf"^0\.(?:3\.[0-6]|4\.{number})$"
    if not root.is_newest:
        return rf"^{major}\.{minor}\.{number}$"
    if root.family == "model":
        return rf"^{major}\.(?:{minor}|[{int(minor) + 1}-9]|[1-9][0-9]+)\.{number}$"
    older = "|".join(other.format.replace(".", r"\.") for other in ROOTS if other.family == root.family and other != root)
    return rf"^(?!(?:{older})(?:\.|$)){number}(?:\.{number}){{0,2}}$"
