"""Hypothesis strategies for descriptions of parts, made from their classes."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from enum import Enum
from functools import cache
from itertools import product
from pathlib import PurePath
from typing import Any, Literal, get_args, get_origin

import attrs
from cattrs import Converter
from hypothesis import strategies as st

from ..registry import DescriptionEntry, Registry
from ..spec.converters import make_converter
from ..spec.node import Issue
from ..spec.schema.types import SchemaTypes
from ..structuring.class_fields import FieldInfo, fields_of, has_fields
from ..structuring.containers import is_fixed_tuple, is_list, is_mapping
from ..structuring.problems import StructureProblems
from ..structuring.rules import collect_problems
from ..structuring.unions import is_union, unwrapped
from ..typing import ModelFormat

__all__ = ["TreeReader", "trees"]

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
    "table.npy",
    "table.csv",
    "table.json",
    "1.2.3",
    "3.4.5",
    "0" * 64,
)
NUMBERS = (0, 1, 2, 3, 7, 20, -1, 0.5, 0.05, 0.001, 2.5, 99.8, 100)


@attrs.frozen(kw_only=True)
class TreeReader:
    """How trees become values of the classes of an entry."""

    version: ModelFormat
    configure: Callable[[Converter], None] | None = None

    @classmethod
    def of(cls, entry: DescriptionEntry, version: ModelFormat) -> TreeReader:
        """Return the reader for the classes that an entry has for a version of the model format."""
        return cls(version=version, configure=entry.configure)

    def structure(self, cls: type, tree: Any) -> Any:
        """Return the tree as a value of a class, as descriptions are read.

        Raises:
            StructureProblems: It does not fit.

        """
        return _converter(self).structure(tree, cls)

    def unstructure(self, value: Any) -> Any:
        """Return the value as a tree, as descriptions are written."""
        return _converter(self).unstructure(value)

    def problems(self, cls: type, tree: Any) -> list[Issue]:
        """Return everything that is wrong with a tree."""
        try:
            return collect_problems(self.structure(cls, tree))
        except StructureProblems as error:
            return error.problems

    def errors(self, cls: type, tree: Any) -> list[Issue]:
        """Return what makes a tree invalid."""
        return [problem for problem in self.problems(cls, tree) if problem.severity == "error"]


@cache
def _converter(reader: TreeReader) -> Converter:
    return make_converter(Registry(), reader.version, reader.configure)


@cache
def trees(cls: type, reader: TreeReader) -> st.SearchStrategy[Tree]:
    """Return a strategy for trees that a class accepts.

    Candidate values are tried on the class, and those that pass its checks are drawn.
    The strategy is empty where none passes for a required key.
    """
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for field in fields_of(cls):
        values = _values(cls, field, reader)
        if field.required or field.is_constant:
            required[field.key] = st.nothing() if values is None else values
        elif values is not None:
            optional[field.key] = values
    return st.fixed_dictionaries(required, optional=optional).filter(lambda tree: not reader.errors(cls, tree))


def _values(cls: type, field: FieldInfo, reader: TreeReader) -> st.SearchStrategy[Any] | None:
    """Return a strategy for the values of a field that the class takes, as far as the field alone decides; None if none is known."""

    def accepted(value: Any) -> bool:
        return _fits(cls, field.key, value, reader)

    known = [value for value in _candidates(field.type, reader, (cls,)) if accepted(value)]
    if known:
        return st.sampled_from(known)
    schema = SchemaTypes(Registry(), reader.version, {}, reader.configure).field(field, "")
    made = [st.from_regex(pattern).filter(accepted) for pattern in _patterns(schema)]
    return st.one_of(made) if made else None


def _candidates(type_: Any, reader: TreeReader, outer: tuple[Any, ...]) -> list[Any]:
    """Return values of a type; its checks may refuse some. Classes in ``outer`` are those around it, which are not made again."""
    type_ = unwrapped(type_)
    if type_ in _SCALARS:
        return list(_SCALARS[type_])
    arguments = get_args(type_)
    if get_origin(type_) is Literal:
        return list(arguments)
    if is_union(type_):
        return [value for member in arguments for value in _candidates(member, reader, outer)]
    if is_fixed_tuple(type_):
        return [list(values) for values in product(*(_candidates(a, reader, outer) for a in arguments))][:200]
    if is_list(type_):
        items = _candidates((arguments or (Any,))[0], reader, outer)
        lists = [items[at : at + size] for size in (1, 2, 3) for at in range(len(items))]
        return [*([value] * 3 for value in items), *lists, []]
    if is_mapping(type_):
        key, value = arguments or (Any, Any)
        keys = [k for k in _candidates(key, reader, outer) if isinstance(k, str)]
        return [{}, *({keys[0]: each} for each in _candidates(value, reader, outer) if keys)]
    if has_fields(type_):
        return [] if type_ in outer else list(_some_trees(type_, reader, (*outer, type_)))
    return _of_class(type_) if isinstance(type_, type) else []


def _of_class(cls: type) -> list[Any]:
    """Return values of a class without fields; for a plugin's own class these are guesses."""
    if issubclass(cls, Enum):
        return [member.value for member in cls]
    if issubclass(cls, datetime):
        return ["2024-05-31T12:00:00"]
    if issubclass(cls, (date, time)):
        return ["2024-05-31" if issubclass(cls, date) else "12:00:00"]
    return list(WORDS) if issubclass(cls, PurePath) else [*WORDS, *NUMBERS]


_SCALARS: Mapping[Any, tuple[Any, ...]] = {
    Any: (1, "x"),
    str: WORDS,
    int: tuple(n for n in NUMBERS if isinstance(n, int)),
    float: NUMBERS,
    bool: (True, False),
    None: (None,),
    types.NoneType: (None,),
}


def _some_trees(cls: type, reader: TreeReader, outer: tuple[Any, ...]) -> Iterator[Tree]:
    """Yield trees of a class within another: with the required keys, and with each of the others in turn."""
    by_key = {f.key: [v for v in _candidates(f.type, reader, outer) if _fits(cls, f.key, v, reader)] for f in fields_of(cls)}
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


def _fits(cls: type, key: str, value: Any, reader: TreeReader) -> bool:
    return not any(problem.loc[:1] == (key,) for problem in reader.errors(cls, {key: value}))


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
