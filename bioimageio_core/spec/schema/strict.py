"""JSON Schema in the form that strict validators take (``ajv --strict``), with the same meaning.

They want each keyword beside the type of value that it is about, one type in each place, and each required key among the properties.
A schema without a type, and without alternatives that have one, is taken to be about the type of its keywords.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

__all__ = ["TYPE_OF", "strict"]

Schema: TypeAlias = "dict[str, Any]"

_KEYWORDS = {
    "object": "properties patternProperties additionalProperties propertyNames required minProperties maxProperties",
    "array": "items prefixItems contains minItems maxItems uniqueItems",
    "string": "pattern format minLength maxLength",
    "number": "minimum exclusiveMinimum maximum exclusiveMaximum multipleOf",
}
TYPE_OF: Mapping[str, str] = {keyword: kind for kind, keywords in _KEYWORDS.items() for keyword in keywords.split()}
"""The type of value that each keyword is about; other keywords are about all types."""

_SAME_VALUE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")
"""Keywords whose schemas are about the value itself, not about a part of it."""


def strict(schema: Schema) -> Schema:
    """Return a complete schema in strict form.

    Args:
        schema: A schema whose references lead to its own ``$defs``.

    """
    form: Schema = _Strict(schema.get("$defs", {})).of(schema)
    return form


class _Strict:
    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions

    def of(self, schema: Any, kind: str | None = None, defined: frozenset[str] = frozenset()) -> Any:
        """Return a schema in strict form.

        Args:
            schema: The schema, or a boolean.
            kind: The type that the schemas around say that the value has.
            defined: The keys that the schemas around say that the value may have.

        """
        if not isinstance(schema, Mapping):
            return schema
        if kind is not None:
            schema = _narrowed(schema, kind)
        elif len(_listed(schema.get("type"))) > 1:
            schema = _apart(schema, _listed(schema["type"]))
        elif "type" in schema:
            schema = _without_others(schema, schema["type"])
        elif any(keyword in TYPE_OF for keyword in schema):
            schema = self._typed(schema)
        if schema is False:
            return False
        kind = schema.get("type", kind)
        defined |= set(schema.get("properties", ()))
        new = {keyword: self._within(keyword, value, kind, defined) for keyword, value in schema.items()}
        undefined = [key for key in new.get("required", ()) if key not in defined]
        if undefined:
            new["properties"] = {**new.get("properties", {}), **{key: {} for key in undefined}}
        if "allOf" in new:
            new["allOf"] = [part for part in new["allOf"] if part != {}]
        return {keyword: value for keyword, value in new.items() if keyword != "allOf" or value}

    def _within(self, keyword: str, value: Any, kind: str | None, defined: frozenset[str]) -> Any:
        """Return the value of a keyword with the schemas in it in strict form."""
        if keyword in _SAME_VALUE:
            return [self.of(part, kind, defined) for part in value] if isinstance(value, list) else self.of(value, kind, defined)
        if keyword in ("properties", "patternProperties", "$defs"):
            return {key: self.of(part) for key, part in value.items()}
        if keyword in ("items", "additionalProperties", "propertyNames", "contains"):
            return self.of(value)
        return [self.of(part) for part in value] if keyword == "prefixItems" else value

    def _typed(self, schema: Mapping[str, Any]) -> Schema:
        """Return a schema without a type whose keywords stand beside the types that they are about: its own, or those of alternatives."""
        typed = {keyword: value for keyword, value in schema.items() if keyword in TYPE_OF}
        kinds = list(dict.fromkeys(TYPE_OF[keyword] for keyword in typed))
        if "anyOf" not in schema:
            return {"type": kinds[0], **schema} if len(kinds) == 1 else _apart(schema, kinds)
        if len(kinds) == 1 and all(self._kinds(part) == {*kinds} for part in schema["anyOf"]):
            return {"type": kinds[0], **schema}
        parts = [{**part, **self._fitting(typed, part)} for part in schema["anyOf"]]
        return {**{keyword: value for keyword, value in schema.items() if keyword not in typed}, "anyOf": parts}

    def _fitting(self, typed: Schema, part: Schema) -> Schema:
        """Return the keywords that are about values that an alternative takes."""
        added = {keyword: value for keyword, value in typed.items() if TYPE_OF[keyword] in self._kinds(part)}
        return {"allOf": [*part.get("allOf", ()), added]} if added.keys() & part.keys() else added

    def _kinds(self, part: Schema) -> set[str | None]:
        """Return the types of an alternative, or of what it refers to."""
        reference = self._definitions.get(str(part.get("$ref", "")).rpartition("/")[2], {})
        return {_general(kind) for kind in _listed(part.get("type", reference.get("type")))}


def _without_others(schema: Mapping[str, Any], kind: str) -> Schema:
    """Return a schema without keywords that are about other types than ``kind``: they say nothing about its values."""
    return {keyword: value for keyword, value in schema.items() if TYPE_OF.get(keyword) in (None, _general(kind))}


def _narrowed(schema: Mapping[str, Any], kind: str) -> Any:
    """Return a schema of values that have a type already; False if it takes no values of that type."""
    kinds = _listed(schema.get("type"))
    new = {keyword: value for keyword, value in _without_others(schema, kind).items() if keyword != "type"}
    if not kinds or kind in kinds or _general(kind) in kinds:
        return new
    return {**new, "type": "integer"} if kind == "number" and "integer" in kinds else False


def _apart(schema: Mapping[str, Any], kinds: Iterable[str]) -> Schema:
    """Return a schema of several types as one alternative for each type, with the keywords that are about it."""
    about_all = {keyword: value for keyword, value in schema.items() if keyword not in (*TYPE_OF, "type", "allOf")}
    alternatives = []
    for kind in kinds:
        own = {keyword: value for keyword, value in schema.items() if TYPE_OF.get(keyword) == _general(kind)}
        alternatives.append({"type": kind, **own, **({"allOf": schema["allOf"]} if "allOf" in schema else {})})
    return {**about_all, "allOf": [{"anyOf": alternatives}]} if "anyOf" in schema else {**about_all, "anyOf": alternatives}


def _listed(kinds: Any) -> tuple[str, ...]:
    return tuple(kinds) if isinstance(kinds, list) else () if kinds is None else (kinds,)


def _general(kind: str | None) -> str | None:
    """Return the type whose keywords apply: integers are numbers."""
    return "number" if kind == "integer" else kind
