"""What earlier micro versions of a format wrote in another way, in the words of JSON Schema; ``upgrade`` reads it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

__all__ = ["MODEL_0_4", "MODEL_0_5", "Earlier", "with_earlier"]


@attrs.frozen(kw_only=True)
class Earlier:
    """Another form of one key of a description."""

    key: str
    schema: Any
    """What is taken besides the present form; the key itself may be one that is no more."""

    below: tuple[int, int, int] | None = None
    """The first format version that does not take it; None: all do."""


MODEL_0_4 = (
    Earlier(key="authors", schema={"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "object"}]}, "minItems": 1}),
    Earlier(key="dependencies", schema={"type": "string", "description": "Now in weights.pytorch_state_dict."}, below=(0, 4, 1)),
)

_VERSION = {"type": ["string", "number", "null"], "description": "Now named version."}
_FILES = {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "object"}]}}

MODEL_0_5 = (
    Earlier(key="documentation", schema={"type": "string"}, below=(0, 5, 11)),
    Earlier(key="icon", schema={"type": "string"}, below=(0, 5, 11)),
    Earlier(key="covers", schema=_FILES, below=(0, 5, 11)),
    Earlier(key="version_number", schema=_VERSION),
    Earlier(
        key="parent",
        schema={
            "type": "object",
            "properties": {"id": {"type": "string"}, "version": {}, "version_number": _VERSION},
            "required": ["id", "version_number"],
            "additionalProperties": False,
        },
    ),
    Earlier(
        key="training_data",
        schema={
            "type": "object",
            "properties": {"id": {"type": "string"}, "version": {}, "version_number": _VERSION},
            "required": ["id", "version_number"],
            "additionalProperties": False,
        },
    ),
)


def with_earlier(schema: dict[str, Any], earlier: Iterable[Earlier]) -> dict[str, Any]:
    """Return the schema of a description widened by earlier forms, each up to the version that took it last."""
    properties = dict(schema["properties"])
    conditions = []
    for form in earlier:
        present = properties.get(form.key, False)
        head = {key: present[key] for key in ("description",) if present and key in present}
        properties[form.key] = {**head, "anyOf": [present, form.schema]} if present else form.schema
        if form.below is not None:
            major, minor, micro = form.below
            old = rf"^{major}\.{minor}\.(?:{'|'.join(map(str, range(micro)))})$"
            strictly = {"properties": {form.key: present}}
            conditions.append({"if": {"properties": {"format_version": {"pattern": old}}}, "else": strictly})
    return {**schema, "properties": properties, **({"allOf": conditions} if conditions else {})}
