"""JSON Schema of descriptions, generated from the classes that read them."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from ..errors import InputError
from ..registry import Registry
from ..typing import ModelFormat
from .earlier import MODEL_0_4, MODEL_0_5, Earlier, with_earlier
from .node import Node
from .schema_types import Schema, SchemaTypes

__all__ = ["ROOTS", "Root", "json_schema"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _model_0_4() -> type[Node]:
    from .model import v0_4

    return v0_4.ModelDescr


def _model_0_5() -> type[Node]:
    from .model import v0_5

    return v0_5.ModelDescr


@attrs.frozen(kw_only=True)
class Root:
    """The class of one resource type in one format version."""

    load: Callable[[], type[Node]]
    """Imports the class."""

    type: str
    format_version: str
    """Major and minor."""

    extensions: ModelFormat
    """The format whose ops and weights are taken."""

    earlier: tuple[Earlier, ...] = ()
    newest: bool = False
    """Later format versions of the same major version are read as this one."""


ROOTS = (
    Root(type="model", format_version="0.4", load=_model_0_4, extensions="0.4", earlier=MODEL_0_4),
    Root(type="model", format_version="0.5", load=_model_0_5, extensions="0.5", earlier=MODEL_0_5, newest=True),
)
"""Every description class, by type and then version."""


def json_schema(registry: Registry, *, type: str | None = None, format_version: str | None = None) -> Schema:  # noqa: A002
    """Return the JSON Schema (draft 2020-12) of descriptions, as a tree of dicts, lists and scalars.

    It takes whatever `validate_tree` takes, apart from values that are converted, such as numbers in quotes.
    What it can not say are the rules that span several fields, and whether files exist.

    Args:
        registry: Where the classes of processing ops and weights come from; names that it does not have are allowed.
        type: A resource type, such as ``model``; None: any.
        format_version: Major and minor, such as ``0.5``, or a full version; None: any.

    Raises:
        InputError: There are no such descriptions.

    """
    minor = None if format_version is None else ".".join(format_version.split(".")[:2])
    roots = [root for root in ROOTS if type in (None, root.type) and minor in (None, root.format_version)]
    if not roots:
        known = ", ".join(f"{root.type} {root.format_version}" for root in ROOTS)
        found = " ".join(filter(None, (type, format_version)))
        raise InputError(f"no JSON Schema describes {found!r}: expected a type and format version of {known}")
    definitions: Schema = {}
    schemas = [_root_schema(root, registry, definitions) for root in roots]
    if len(roots) == 1:
        whole = schemas[0]
    else:
        whole = _any_of(roots, type)
        definitions |= {_name(root): schema for root, schema in zip(roots, schemas, strict=True)}
    return {"$schema": DIALECT, **whole, "$defs": dict(sorted(definitions.items()))}


def _root_schema(root: Root, registry: Registry, definitions: Schema) -> Schema:
    types = SchemaTypes(registry, root.extensions, definitions)
    schema = types.node(root.load())
    schema["title"] = f"bioimage.io {root.type} {root.format_version}"
    head = {
        "type": {"const": root.type},
        "format_version": {"description": "Version of the format.", "type": "string", "pattern": _versions([root])},
    }
    schema["properties"] = {**schema["properties"], **head}
    schema["required"] = sorted({*schema.get("required", ()), *head}, key=list(schema["properties"]).index)
    return with_earlier(schema, root.earlier, types.of)


def _any_of(roots: list[Root], type_: str | None) -> Schema:
    """Return the schema of descriptions of several kinds: type and version say which of them has to fit."""
    types = list(dict.fromkeys(root.type for root in roots))
    conditions: list[Schema] = [
        _if({"type": {"const": root.type}, "format_version": {"pattern": _versions([root])}}, {"$ref": f"#/$defs/{_name(root)}"})
        for root in roots
    ]
    for name in types:
        pattern = _versions([root for root in roots if root.type == name])
        conditions.append(_if({"type": {"const": name}}, {"properties": {"format_version": {"pattern": pattern}}}))
    return {
        "title": f"bioimage.io {type_ or 'description'}",
        "type": "object",
        "properties": {"type": {"enum": types}, "format_version": {"type": "string"}},
        "required": ["type", "format_version"],
        "allOf": conditions,
    }


def _if(properties: Schema, then: Schema) -> Schema:
    return {"if": {"properties": properties, "required": list(properties)}, "then": then}


def _name(root: Root) -> str:
    return f"{root.type}.{root.format_version}"


def _versions(roots: list[Root]) -> str:
    """Return the pattern of the full format versions that are read as one of ``roots``."""
    minors = [root.format_version.replace(".", r"\.") for root in roots]
    for root in roots:
        if root.newest:
            major, _, minor = root.format_version.partition(".")
            minors.append(rf"{major}\.(?:[{int(minor) + 1}-9]|[1-9][0-9]+)")
    return rf"^(?:{'|'.join(minors)})\.[0-9]{{1,9}}$"
