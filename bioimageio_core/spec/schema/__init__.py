"""JSON Schema of descriptions, generated from the classes that read them."""

from .descriptions import ROOTS, Root, json_schema
from .types import Schema, definition_name

__all__ = ["ROOTS", "Root", "Schema", "definition_name", "json_schema"]
