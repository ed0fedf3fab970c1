"""Types that all layers share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias, TypeVar

__all__ = ["AxisId", "FrozenMapping", "ModelFormat", "Precision", "Severity"]

AxisId: TypeAlias = str
"""Id of an axis in format 0.5: ``batch``, ``channel``, ``index``, ``time``, ``z``, ``y``, ``x``, ..."""

ModelFormat: TypeAlias = Literal["0.4", "0.5"]
"""Format versions (major.minor) of model descriptions that have classes of their own."""

Precision: TypeAlias = Literal["fp32", "bf16", "fp16"]
"""Floating point type of a network: ``fp32``, or a narrower type, which costs accuracy."""

Severity: TypeAlias = Literal["error", "alert", "warning", "info"]
"""Severity of a problem: only an ``error`` makes a description invalid."""

K = TypeVar("K")
V_co = TypeVar("V_co", covariant=True)


class FrozenMapping(Mapping[K, V_co]):
    """An immutable, ordered, picklable mapping; hashable where its values are.

    The only mapping type of frozen classes.
    Equality ignores order, like that of ``dict``.
    """

    __slots__ = ("_items",)
    _items: dict[K, V_co]

    def __init__(self, items: Mapping[K, V_co] | None = None, /, **named: V_co) -> None:
        object.__setattr__(self, "_items", {**(items or {}), **named})

    def __getitem__(self, key: K) -> V_co:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FrozenMapping):
            return self._items == other._items
        if isinstance(other, Mapping):
            return self._items == dict(other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return f"FrozenMapping({self._items!r})"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"FrozenMapping is immutable: cannot set {name!r}")

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenMapping, (self._items,)
