"""The form of generated JSON Schemas that strict validators ask for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimageio_core.registry import Registry
from bioimageio_core.spec.schema import ROOTS, json_schema
from bioimageio_core.spec.schema.strict import TYPE_OF, strict

jsonschema = pytest.importorskip("jsonschema")

KNOWN = frozenset(
    (
        *TYPE_OF,
        "$schema",
        "$defs",
        "$ref",
        "title",
        "description",
        "default",
        "type",
        "const",
        "enum",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
    )
)
"""Keywords of the dialect; validators take others for misspelt."""

AJV = """
const Ajv = require("ajv/dist/2020");
const schemas = JSON.parse(require("fs").readFileSync(0));
for (const schema of schemas) new Ajv({strict: true}).compile(schema);
"""


@pytest.fixture(scope="module")
def schemas(registry: Registry) -> dict[str, Any]:
    """The schema of everything, and that of each type and format."""
    roots = {f"{root.family} {root.format}": json_schema(registry, type=root.family, format_version=root.format) for root in ROOTS}
    return {"all": json_schema(registry), **roots}


def faults(schema: Any, place: str = "#", kind: str | None = None, defined: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield what breaks the rules of strict validators, with its place; ``kind`` and ``defined`` come from the schemas around."""
    if isinstance(schema, bool):
        return
    own = schema.get("type", kind)
    if not (own is None or isinstance(own, str)):
        yield f"{place}: several types {own}"
        return
    if kind is not None and own != kind and (own, kind) != ("integer", "number"):
        yield f"{place}: type {own} within type {kind}"
    yield from (f"{place}: {fault}" for fault in own_faults(schema, own, defined | set(schema.get("properties", ()))))
    for where, part, is_same_value in parts_of(schema):
        around = (own, defined | set(schema.get("properties", ()))) if is_same_value else ()
        yield from faults(part, f"{place}/{where}", *around)


def own_faults(schema: dict[str, Any], own: str | None, defined: frozenset[str]) -> Iterator[str]:
    """Yield what breaks the rules in a schema itself."""
    general = "number" if own == "integer" else own
    for keyword, value in schema.items():
        if keyword not in KNOWN:
            yield f"unknown keyword {keyword}"
        if TYPE_OF.get(keyword, general) != general:
            yield f"{keyword} without type {TYPE_OF[keyword]}"
        if keyword == "required":
            yield from (f"required key {key} is no property" for key in value if key not in defined)
        if keyword == "prefixItems" and {len(value)} != {schema.get("minItems"), schema.get("maxItems")}:
            yield "a tuple without its length"


def parts_of(schema: dict[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """Yield the place of each schema within another, the schema, and whether it is about the same value."""
    for keyword in ("allOf", "anyOf", "oneOf", "prefixItems"):
        yield from ((f"{keyword}/{number}", part, keyword != "prefixItems") for number, part in enumerate(schema.get(keyword, ())))
    for keyword in ("properties", "patternProperties", "$defs"):
        yield from ((f"{keyword}/{key}", part, False) for key, part in schema.get(keyword, {}).items())
    for keyword in ("not", "if", "then", "else", "items", "additionalProperties", "propertyNames", "contains"):
        if keyword in schema:
            yield keyword, schema[keyword], keyword in ("not", "if", "then", "else")


class TestGenerated:
    """Schemas of descriptions."""

    def test_rules(self, schemas: dict[str, Any]) -> None:
        """Each keyword beside its type, one type in each place, required keys among the properties, no unknown keyword, no format."""
        assert {name: found for name, schema in schemas.items() if (found := list(faults(schema))[:3])} == {}
        assert '"format":' not in json.dumps(schemas)  # which are unknown to a validator without a library of them

    def test_ajv(self, schemas: dict[str, Any], tmp_path: Path) -> None:
        """The validator of most editors compiles them in strict mode."""
        node = shutil.which("node")
        if node is None:
            pytest.skip("node is not installed")
        environment = {**os.environ, "NODE_PATH": os.environ.get("BMZ_NODE_MODULES", "")}
        if subprocess.run([node, "-e", "require('ajv/dist/2020')"], env=environment, capture_output=True, check=False).returncode:
            pytest.skip("ajv is not installed: npm install ajv, and BMZ_NODE_MODULES names the folder")
        ran = subprocess.run(
            [node, "-e", AJV], input=json.dumps(list(schemas.values())), env=environment, capture_output=True, text=True, check=False
        )
        assert (ran.returncode, ran.stderr) == (0, "")


KINDS = st.sampled_from(["string", "number", "integer", "null", "object", "array", "boolean"])
TYPED = st.fixed_dictionaries(
    {},
    optional={
        "pattern": st.sampled_from(["^a", "b$"]),
        "maxLength": st.integers(0, 2),
        "minimum": st.integers(-1, 1),
        "minItems": st.integers(0, 2),
        "items": st.sampled_from([{"type": "number", "minimum": 0}, {"type": ["integer", "null"], "pattern": "a"}]),
        "properties": st.sampled_from([{"a": {"type": "integer", "minimum": 1}}, {"a": {"type": ["string", "null"], "pattern": "^a"}}]),
    },
)
PLAIN = st.builds(lambda kinds, rest: {**kinds, **rest}, st.just({}) | st.lists(KINDS, min_size=1, max_size=3, unique=True).map(
    lambda kinds: {"type": kinds if len(kinds) > 1 else kinds[0]}), TYPED)  # fmt: skip
ALTERNATIVES = st.builds(
    lambda parts, rest: {"anyOf": parts, **rest}, st.lists(PLAIN.filter(lambda part: "type" in part), min_size=1, max_size=3), TYPED
)
SCHEMAS = PLAIN.filter(lambda schema: "type" in schema) | ALTERNATIVES
VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1, -2, 0.5, "", "a", "ab", "ccc"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


class TestMeaning:
    """The strict form of a schema."""

    @given(SCHEMAS, st.lists(SCHEMAS, max_size=2), VALUES)
    def test_same_values(self, schema: Any, more: list[Any], value: Any) -> None:
        """It takes the same values, whatever the types, and keeps the rules."""
        whole = {**schema, "allOf": more} if more else schema
        given_form, strict_form = (jsonschema.Draft202012Validator(form) for form in (whole, strict(whole)))
        assert list(faults(strict_form.schema)) == []
        assert given_form.is_valid(value) == strict_form.is_valid(value)
