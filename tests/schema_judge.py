"""An independent validator of JSON Schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Judge", "judge"]

Judge = Callable[[Any], bool]


def judge(schema: Any) -> Judge:
    """Return whether a tree fits a schema, by a validator that has checked the schema itself."""
    import jsonschema

    jsonschema.Draft202012Validator.check_schema(schema)
    fits: Judge = jsonschema.Draft202012Validator(schema).is_valid
    return fits
