"""Values that are made at their first use, once per process."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar

__all__ = ["Lazy"]

T = TypeVar("T")


class Lazy(Generic[T]):
    """A value that the first call of this object makes, once per process.

    Pickling takes the function and its arguments, not the value.
    A value with a method ``close`` is closed when this object is garbage collected.
    """

    __slots__ = ("__weakref__", "_args", "_lock", "_made", "_make")

    def __init__(self, make: Callable[..., T], *args: Any) -> None:
        self._make = make
        self._args = args
        self._lock = threading.Lock()
        self._made: tuple[int, T] | None = None

    @classmethod
    def holding(cls, value: T, make: Callable[..., T], *args: Any) -> Lazy[T]:
        """Return a value that this process has already, and does not close; other processes make it."""
        lazy = cls(make, *args)
        lazy._made = os.getpid(), value
        return lazy

    def __call__(self) -> T:
        """Return the value."""
        made = self._made
        # A forked child must not share the file position of its parent.
        if made is not None and made[0] == os.getpid():
            return made[1]
        with self._lock:
            if self._made is None or self._made[0] != os.getpid():
                value = self._make(*self._args)
                close = getattr(value, "close", None)
                if callable(close):
                    weakref.finalize(self, close)
                self._made = os.getpid(), value
            return self._made[1]

    def __reduce__(self) -> tuple[Any, ...]:
        return Lazy, (self._make, *self._args)
