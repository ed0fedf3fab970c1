"""Hypothesis strategies for descriptions of parts, made from their classes."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from typing import Annotated, Any, Literal, get_args, get_origin

from cattrs import Converter
from hypothesis import strategies as st

from ..registry import Registry
from ..spec.converters import make_converter
from ..spec.node import Node, Problem
from ..spec.schema_types import SchemaTypes
from ..structuring.class_fields import FieldInfo, fields_of
from ..structuring.problems import StructureProblems
from ..structuring.rules import collect_problems
from ..typing import FrozenMapping, ModelFormat

__all__ = ["problems_of", "structured", "trees"]

Tree = dict[str, Any]

WORDS = (
    "x",
    "y",
    "channel",
    "batch",
    "raw",
    "float32",
    "yx",
    "cyx",
    "weights",
    "weights.onnx",
    "weights.keras",
    "1.2.3",
    "3.4.5",
    "0" * 64,
)
NUMBERS = (0, 1, 2, 3, 7, 20, -1, 0.5, 0.05, 0.001, 2.5, 99.8, 100)


@cache
def trees(cls: type, version: ModelFormat) -> st.SearchStrategy[Tree]:
    """Return a strategy for trees that a class accepts.

    Values are tried on the class, so that whatever its checks are, those that pass are drawn.
    Where none passes for a key that is needed, the strategy is empty.
    """
    if not issubclass(cls, Node):  # of attrs, but not of this library: nothing is known of what it accepts
        return st.nothing()
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for field in fields_of(cls):
        values = _values(cls, field, version)
        if field.required or field.is_constant:
            required[field.key] = st.nothing() if values is None else values
        elif values is not None:
            optional[field.key] = values
    return st.fixed_dictionaries(required, optional=optional).filter(lambda tree: not _errors(problems_of(cls, tree, version)))


def structured(cls: type[Node], tree: Any, version: ModelFormat) -> Any:
    """Return the node of a tree, as descriptions are read.

    Raises:
        StructureProblems: It does not fit.

    """
    return _converter(version).structure(tree, cls)


@cache
def _converter(version: ModelFormat) -> Converter:
    return make_converter(Registry(), version)


def problems_of(cls: type[Node], tree: Any, version: ModelFormat) -> list[Problem]:
    """Return all that is wrong with a tree."""
    try:
        return collect_problems(structured(cls, tree, version))
    except StructureProblems as error:
        return error.problems
    except ValueError as error:
        return [Problem(loc=(), message=str(error))]


def _errors(problems: list[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity == "error"]


def _values(cls: type[Node], field: FieldInfo, version: ModelFormat) -> st.SearchStrategy[Any] | None:
    """Return a strategy for the values of a field that the class takes, as far as the field alone can tell; None if none is known."""

    def accepted(value: Any) -> bool:
        return _fits(cls, field.key, value, version)

    known = [value for value in _candidates(field.type, version) if accepted(value)]
    if known:
        return st.sampled_from(known)
    schema = SchemaTypes(Registry(), version, {}).field(field, "")
    made = [st.from_regex(pattern).filter(accepted) for pattern in _patterns(schema)]
    return st.one_of(made) if made else None


def _candidates(type_: Any, version: ModelFormat) -> list[Any]:
    """Return values of a type; its checks may refuse some."""
    if type_ in _SCALARS:
        return list(_SCALARS[type_])
    origin, arguments = get_origin(type_), get_args(type_)
    if origin is Annotated:
        return _candidates(arguments[0], version)
    if origin is Literal:
        return list(arguments)
    if origin in (typing.Union, types.UnionType):
        return [value for member in arguments for value in _candidates(member, version)]
    if origin is tuple and arguments[1:] == (Ellipsis,):
        items = _candidates(arguments[0], version)
        lists = [items[at : at + size] for size in (1, 2, 3) for at in range(len(items))]
        return [*([value] * 3 for value in items), *lists, []]
    if origin is tuple:
        return [list(values) for values in product(*(_candidates(a, version) for a in arguments))][:200]
    if origin is FrozenMapping:
        return [{}]
    if isinstance(type_, type) and issubclass(type_, Node):
        return list(_some_trees(type_, version))
    return []


_SCALARS: Mapping[Any, tuple[Any, ...]] = {
    Any: (1, "x"),
    str: WORDS,
    int: tuple(n for n in NUMBERS if isinstance(n, int)),
    float: NUMBERS,
    bool: (True, False),
    None: (None,),
    types.NoneType: (None,),
}


def _some_trees(cls: type[Node], version: ModelFormat) -> Iterator[Tree]:
    """Yield trees of a class within another: with the keys that are needed, and with each of the others in turn."""
    by_key = {f.key: [v for v in _candidates(f.type, version) if _fits(cls, f.key, v, version)] for f in fields_of(cls)}
    needed = [f.key for f in fields_of(cls) if f.required or f.is_constant]
    if not all(by_key[key] for key in needed):
        return
    for n in range(max([len(by_key[key]) for key in needed], default=1)):
        least = {key: by_key[key][n % len(by_key[key])] for key in needed}
        yield least
        for key, values in by_key.items():
            if values and key not in least:
                yield {**least, key: values[n % len(values)]}
    for key, values in by_key.items():
        least = {k: by_key[k][0] for k in needed}
        yield from ({**least, key: value} for value in values)


def _fits(cls: type[Node], key: str, value: Any, version: ModelFormat) -> bool:
    return not any(problem.loc[:1] == (key,) for problem in _errors(problems_of(cls, {key: value}, version)))


def _patterns(schema: Any) -> Iterator[str]:
    """Yield the regular expressions within a schema."""
    if isinstance(schema, Mapping):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        for part in schema.values():
            yield from _patterns(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _patterns(part)
