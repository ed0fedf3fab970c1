"""Free-form parts of documents as immutable values, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..typing import FrozenMapping
from .fields import found

__all__ = ["freeze", "thaw"]


def freeze(tree: Any) -> Any:
    """Return the tree with mappings and lists replaced by `FrozenMapping` and tuples.

    Raises:
        ValueError: Something in it is no value of YAML: expected and found.

    """
    if tree is None or tree.__class__ in (str, int, bool):
        return tree
    if isinstance(tree, float):
        if not math.isfinite(tree):
            raise ValueError(f"expected a finite number, found {tree}")
        return tree
    if isinstance(tree, Mapping):
        return FrozenMapping({key: freeze(value) for key, value in tree.items()})
    if isinstance(tree, (list, tuple)):
        return tuple([freeze(value) for value in tree])
    if isinstance(tree, (str, int)):
        return tree
    raise ValueError(f"expected null, a boolean, number, string, list or mapping, found {found(tree)}")


def thaw(value: Any) -> Any:
    """Return a frozen value as new dicts and lists."""
    if isinstance(value, Mapping):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [thaw(item) for item in value]
    return value
