"""Free-form parts of documents as immutable values, and back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeAlias

from ..typing import FrozenMapping
from .format_value import format_value

__all__ = ["FiniteMapping", "as_finite", "freeze", "thaw"]


def freeze(tree: Any) -> Any:
    """Return the tree with mappings and lists replaced by `FrozenMapping` and tuples.

    Raises:
        ValueError: Something in it is no value of YAML: expected and found.

    """
    if tree is None or tree.__class__ in (str, int, bool, float):
        return tree
    if isinstance(tree, Mapping):
        return FrozenMapping({key: freeze(value) for key, value in tree.items()})
    if isinstance(tree, (list, tuple)):
        return tuple([freeze(value) for value in tree])
    if isinstance(tree, (str, int, float)):
        return tree
    raise ValueError(f"expected null, a boolean, number, string, list or mapping, found {format_value(tree)}")


def _finite(value: FrozenMapping[str, Any]) -> FrozenMapping[str, Any]:
    for path, number in _floats(value):
        if not math.isfinite(number):
            raise ValueError(f"expected finite numbers, found {number} as {path}")
    return value


def _floats(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, float):
        yield path[1:], value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _floats(item, f"{path}.{key}")
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _floats(item, f"{path}.{index}")


FiniteMapping: TypeAlias = Annotated[FrozenMapping[str, Any], _finite]
"""A free-form mapping where the format wants finite numbers; elsewhere NaN and infinities are kept as they are."""


def as_finite(value: Any) -> Any:
    """Return a tree as a `FiniteMapping` may hold it, in new dicts and lists: keys are text, and so are numbers that are not finite."""
    if isinstance(value, Mapping):
        return {str(key): as_finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_finite(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def thaw(value: Any) -> Any:
    """Return a frozen value as new dicts and lists."""
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [thaw(item) for item in value]
    return value
