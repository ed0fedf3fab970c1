"""From the types of description classes to JSON Schema, as `structuring` goes from them to hooks."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from enum import Enum
from pathlib import PurePath
from typing import Annotated, Any, Literal, get_args, get_origin

import attrs
from cattrs import Converter

from ...docstrings import describe_class, describe_fields, first_line
from ...registry import DescriptionEntry, Registry
from ...registry.entries.base import NAME_PATTERN
from ...registry.entries.processing import op_key
from ...structuring.class_fields import FieldInfo, fields_of, has_fields
from ...structuring.containers import is_fixed_tuple, is_list, is_mapping
from ...structuring.scalars import NonFinite
from ...structuring.standard_types import is_date
from ...structuring.unions import discriminated, is_union
from ...typing import ModelFormat
from ..constraints import anchored, schema_of
from ..converters import make_converter
from ..extensions import AlsoAs, Extension

__all__ = ["Schema", "SchemaTypes", "definition_name", "narrowed", "one_of"]

Schema: typing.TypeAlias = "dict[str, Any]"

_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean", types.NoneType: "null"}
_KINDS = {"pattern": "string", "minLength": "string", "maxLength": "string", "items": "array", "minItems": "array", "maxItems": "array"}
_KINDS |= {"uniqueItems": "array", "properties": "node", "minProperties": "object", "maxProperties": "object"}
_KINDS |= dict.fromkeys(("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"), "number")
"""The type of value that each keyword applies to; nodes are not mappings for validators."""


class SchemaTypes:
    """The schemas of all types that a description of one format is made of; those of classes go to ``definitions``."""

    def __init__(
        self,
        registry: Registry,
        format: ModelFormat,  # noqa: A002 (the word of the format)
        definitions: Schema,
        configure: Callable[[Converter], None] | None = None,
    ) -> None:
        self.registry = registry
        self.format = format
        self.definitions = definitions
        self.unstructure = make_converter(registry, format, configure).unstructure

    def of_entry(self, entry: DescriptionEntry) -> SchemaTypes:
        """Return the schemas of types for the classes of an entry, whose default values are written with its hooks."""
        return self if entry.configure is None else type(self)(self.registry, self.format, self.definitions, entry.configure)

    def of(self, type_: Any) -> Schema:
        """Return the schema of a type; a plugin's own type accepts anything unless it is marked with a schema."""
        if isinstance(type_, type) and (marked := self.said(type_)):
            return marked
        if type_ is None or type_ in _SCALARS:
            return {"type": _SCALARS[type_ or types.NoneType]}
        origin = get_origin(type_)
        if origin is Annotated:
            return self.annotated(type_.__origin__, type_.__metadata__)
        if isinstance(type_, typing.NewType):
            return self.of(type_.__supertype__)
        if origin is Literal:
            return _allowed(get_args(type_))
        if is_union(type_):
            return self.union(get_args(type_))
        if is_fixed_tuple(type_) or is_list(type_):
            return self.list(get_args(type_) or (Any, ...), fixed=is_fixed_tuple(type_))
        if is_mapping(type_):
            item = self.of((get_args(type_) or (Any, Any))[1])
            return {"type": "object", "additionalProperties": item} if item else {"type": "object"}
        if has_fields(type_):
            return self.reference(type_)
        return _standard(type_) if isinstance(type_, type) else {}

    def annotated(self, base: Any, metadata: tuple[Any, ...]) -> Schema:
        """Return the schema of an ``Annotated`` type: that of its base, narrowed by the schemas of its checks."""
        for mark in metadata:
            if isinstance(mark, Extension):
                return self.extension(base, mark)
        schema = self.of(base)
        if any(isinstance(mark, NonFinite) for mark in metadata):
            schema = one_of([schema, {"type": "string", "pattern": r"^\s*[+-]?\.?(?:[Ii][Nn][Ff]|[Nn][Aa][Nn])"}])
        for mark in metadata:
            schema = narrowed(schema, self.reference(mark.cls) if isinstance(mark, AlsoAs) else self.said(mark))
        return schema

    def extension(self, base: Any, mark: Extension) -> Schema:
        """Return the schema of a type that the registry resolves."""
        if mark.kind == "weights":
            return self.weights()
        return self.run_mode(base) if mark.kind == "run_mode" else self.step(mark.kind)

    def said(self, check: Any) -> Schema:
        """Return the schema of a check, by reference if it has a title."""
        said = schema_of(check)
        if "title" not in said:
            return said
        name = f"{_home(check)}.{said['title']}"
        self.definitions[name] = said
        return {"$ref": f"#/$defs/{name}"}

    def list(self, items: tuple[Any, ...], *, fixed: bool) -> Schema:
        """Return the schema of a collection that documents hold as a list."""
        if not fixed:
            item = self.of(items[0])
            return {"type": "array", "items": item} if item else {"type": "array"}
        return {"type": "array", "prefixItems": [self.of(item) for item in items], "minItems": len(items), "maxItems": len(items)}

    def union(self, members: tuple[Any, ...]) -> Schema:
        """Return the schema of a union; where a key names the class of a mapping, it has to be there."""
        nodes = tuple(m for m in members if has_fields(m))
        key = discriminated(nodes)[0] if len(nodes) > 1 else None
        if key is None:
            return one_of([self.of(member) for member in members])
        return {**one_of([self.of(member) for member in members]), "required": [key]}

    def reference(self, cls: type[Any]) -> Schema:
        """Return a reference to the schema of a class, which is defined at the first call."""
        name = definition_name(cls)
        if name not in self.definitions:
            self.definitions[name] = {}
            self.definitions[name] = self.node(cls)
        return {"$ref": f"#/$defs/{name}"}

    def node(self, cls: type[Any]) -> Schema:
        """Return the schema of a class itself."""
        fields = fields_of(cls)
        described = describe_fields(cls)
        schema: Schema = {"title": cls.__name__, "description": describe_class(cls), "type": "object"}
        schema["properties"] = {field.key: self.field(field, first_line(described.get(field.name, ""))) for field in fields}
        schema["required"] = [field.key for field in fields if field.required]
        schema["additionalProperties"] = getattr(cls, "allows_unknown_keys", False)
        return {keyword: value for keyword, value in schema.items() if value not in ("", []) and value != {}}

    def field(self, field: FieldInfo, description: str) -> Schema:
        """Return the schema of a field: that of its type, narrowed by its validator."""
        schema = self.of(field.type)
        for said in _said(field.validator):
            schema = narrowed(schema, said)
        head = {"description": description} if description else {}
        default = field.default_value()
        if default is attrs.NOTHING or default is None or field.is_constant:
            return {**head, **schema}
        return {**head, **schema, "default": self.unstructure(default)}

    def step(self, where: Literal["preprocessing", "postprocessing"]) -> Schema:
        """Return the schema of a processing step: a known op, or any mapping with an unknown name."""
        key = op_key(self.format)
        name = f"{where}.{self.format}"
        if name not in self.definitions:
            self.definitions[name] = {}
            ops = sorted(self.registry.processing_ops.items())
            known = [
                self.of_entry(entry).named(entry.descr[self.format], key, op)
                for op, entry in ops
                if where in entry.where and self.format in entry.descr
            ]
            other = {
                "type": "object",
                "properties": {key: {"type": "string", "pattern": anchored(NAME_PATTERN), "not": {"enum": [op for op, _ in ops]}}},
            }
            other["description"] = "An op without an installed plugin."
            self.definitions[name] = {
                "title": f"{where.capitalize()} step",
                "type": "object",
                "required": [key],
                "anyOf": [*known, {"title": "UnknownOp", **other}] if ops else [other],
            }
        return {"$ref": f"#/$defs/{name}"}

    def named(self, cls: type[Any], key: str, name: str) -> Schema:
        """Return the schema of a class that ``key`` has to name, whether or not the class says so."""
        constant = next((field.is_constant for field in fields_of(cls) if field.key == key), False)
        return self.reference(cls) if constant else {**self.reference(cls), "properties": {key: {"const": name}}}

    def weights(self) -> Schema:
        """Return the schema of ``weights``: known formats by their classes, null for none, and anything under other keys."""
        properties: Schema = {}
        for name, entry in sorted(self.registry.weights_formats.items()):
            cls = entry.descr.get(self.format)
            schema = {"type": "null"} if cls is None else one_of([self.reference(cls), {"type": "null"}])
            properties[name] = {"description": entry.summary, **schema} if entry.summary and cls is not None else schema
            properties |= {alias: {"description": f"Old spelling of {name}.", "type": "null"} for alias in entry.aliases}
        others = {
            "propertyNames": {"type": "string", "pattern": anchored(NAME_PATTERN)},
            "additionalProperties": {"type": ["object", "null"]},
        }
        return {"type": "object", "properties": properties, **others}

    def run_mode(self, base: Any) -> Schema:
        """Return the schema of a run mode: of those that are known the arguments fit their class."""
        rules = []
        for name, entry in sorted(self.registry.run_modes.items()):
            if entry.kwargs is not None:
                required = any(field.required for field in fields_of(entry.kwargs))
                then = {
                    "properties": {"kwargs": self.of_entry(entry).reference(entry.kwargs)},
                    **({"required": ["kwargs"]} if required else {}),
                }
                rules.append({"if": {"properties": {"name": {"const": name}}, "required": ["name"]}, "then": then})
        return {**self.of(base), "allOf": rules} if rules else self.of(base)


def _allowed(values: Iterable[Any]) -> Schema:
    """Return the schema of some values; members of enumerations are written by value."""
    allowed = [value.value if isinstance(value, Enum) else value for value in values]
    return {"const": allowed[0]} if len(allowed) == 1 else {"enum": allowed}


def _standard(cls: type) -> Schema:
    """Return the schema of a class of the standard library; of any other it takes anything."""
    if issubclass(cls, Enum):
        return _allowed(cls)
    if issubclass(cls, PurePath):
        return {"type": "string"}
    if is_date(cls):
        return {"type": "string", "format": {date: "date", datetime: "date-time", time: "time"}[cls]}
    return next(({"type": kind} for scalar, kind in _SCALARS.items() if issubclass(cls, scalar)), {})


def definition_name(cls: type[Any]) -> str:
    """Return the name of a class among the definitions: short for the library's own."""
    return f"{_home(cls)}.{cls.__qualname__}"


def _home(thing: Any) -> str:
    """Return the name of the module of a class or function, short for the library's own."""
    own = __package__.partition(".")[0]
    module: str = thing.__module__
    return module.removeprefix(f"{own}.").removeprefix("spec.")


def one_of(schemas: Iterable[Schema]) -> Schema:
    """Return the schema of what fits any of ``schemas``, repetitions and all but plain types kept apart."""
    distinct: list[Schema] = []
    for schema in schemas:
        for part in schema["anyOf"] if schema.keys() == {"anyOf"} else [schema]:
            distinct += [part] if part not in distinct else []
    if {} in distinct:
        return {}
    null = {"type": "null"}
    others = [schema for schema in distinct if schema != null]
    if others and all(schema.keys() == {"type"} for schema in others):
        others = [_typed(kind for schema in others for kind in _types(schema))]
    if null not in distinct:
        return others[0] if len(others) == 1 else {"anyOf": others}
    if len(others) == 1 and "type" in others[0] and others[0].keys() <= {"type", *_KINDS}:
        return {**others[0], **_typed([*_types(others[0]), "null"])}
    return {"anyOf": [*others, null]} if others else null


def _types(schema: Schema) -> Iterable[str]:
    kinds = schema["type"]
    return kinds if isinstance(kinds, list) else [kinds]


def _typed(kinds: Iterable[str]) -> Schema:
    """Return the schema of some types; integers are numbers."""
    distinct = list(dict.fromkeys(kinds))
    distinct = [kind for kind in distinct if kind != "integer" or "number" not in distinct]
    return {"type": distinct if len(distinct) > 1 else distinct[0]}


def narrowed(schema: Schema, said: Schema) -> Schema:
    """Return the schema of what fits both; keywords about types of value that ``schema`` does not take are left out."""
    kinds = _kinds(schema)
    said = {keyword: value for keyword, value in said.items() if kinds is None or _KINDS.get(keyword, "") in kinds or keyword not in _KINDS}
    if "items" in said and "items" in schema:
        said, schema = {**said}, {**schema}
        schema["items"] = narrowed(schema["items"], said.pop("items"))
    if not said:
        return schema
    if schema.keys().isdisjoint(said):
        return {**schema, **said}
    return {**schema, "allOf": [*schema.get("allOf", ()), said]}


def _kinds(schema: Schema) -> set[str] | None:
    """Return the types of value that a schema takes; None if any."""
    if "anyOf" in schema:
        parts = [_kinds(part) for part in schema["anyOf"]]
        return None if None in parts else set().union(*filter(None, parts))
    if "type" not in schema:
        return {"node"} if "$ref" in schema else None
    return {"number" if kind == "integer" else kind for kind in _types(schema)}


def _said(validator: Any) -> list[Schema]:
    """Return the schemas of a field's validators, including those within validators of attrs."""
    within = [*getattr(validator, "_validators", ()), getattr(validator, "validator", None)]
    return [schema_of(validator), *(said for part in within if part is not None for said in _said(part))]
