"""How consoles and notebooks show descriptions of all types and versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..shown import Shown
from ..text import in_one_line

__all__ = ["ShownDescription"]


class ShownDescription(Shown):
    """Base class of descriptions: one line in consoles, YAML by ``print``, the main facts in notebooks."""

    __slots__ = ()

    def __repr__(self) -> str:
        descr: Any = self
        about = "; ".join(_of_model(descr)) if hasattr(descr, "weights") else ""
        return f"<{type(self).__name__} {descr.format_version} {in_one_line(descr.name)!r}{f': {about}' if about else ''}>"


def _of_model(descr: Any) -> Iterator[str]:
    yield f"{_ids(descr.inputs)} -> {_ids(descr.outputs)}"
    yield f"weights {', '.join(map(str, descr.weights))}"


def _ids(tensors: Iterable[Any]) -> str:
    return ", ".join(str(getattr(tensor, "id", None) or getattr(tensor, "name", "?")) for tensor in tensors)
