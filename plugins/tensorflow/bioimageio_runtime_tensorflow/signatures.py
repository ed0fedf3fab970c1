"""Which input and output of a graph is which of the description."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from bioimageio_core.errors import ModelRunError

__all__ = ["choose_signature", "declared_order", "in_described_order"]

PREFERRED = ("serving_default", "serve")
"""Keras 3 writes both, all else that writes SavedModels the first."""


def choose_signature(names: Iterable[str], where: str) -> str:
    """Return the name of the signature to call.

    Raises:
        ModelRunError: There is none, or several without one of the usual names.

    """
    callable_ = sorted(name for name in names if not name.startswith("__saved_model"))
    for name in PREFERRED:
        if name in callable_:
            return name
    if len(callable_) != 1:
        found = ", ".join(callable_) or "none"
        raise ModelRunError(f"{where} has no signature to call: expected {' or '.join(PREFERRED)}, or a single one, found {found}")
    return callable_[0]


def declared_order(function: Any, names: Iterable[str]) -> list[str]:
    """Return the names of a signature's inputs in the order in which its network was written.

    A signature is a mapping without an order. What TensorFlow 2 writes calls another function, whose arguments have one;
    otherwise the names are sorted, numbers as numbers.

    Args:
        function: The concrete function.
        names: Names of its inputs.

    """
    wanted = set(names)
    for operation in function.graph.get_operations():
        if operation.type in ("StatefulPartitionedCall", "PartitionedCall"):
            called = [tensor.op.name for tensor in operation.inputs if tensor.op.name in wanted]
            if len(called) == len(wanted) and {*called} == wanted:
                return called
    return sorted(wanted, key=natural)


def in_described_order(names: Sequence[str], ids: Sequence[str], what: str, where: str) -> list[str]:
    """Return the names of inputs or outputs in described order: by id where all ids are names, else by position.

    Args:
        names: In the order of the network.
        ids: In described order.
        what: ``inputs`` or ``outputs``.
        where: How to call the weights.

    Raises:
        ModelRunError: The network takes more inputs than are described.

    """
    if {*ids} <= {*names} and (what == "outputs" or len(ids) == len(names)):
        return [*ids]
    if what == "inputs" and len(names) > len(ids):
        raise ModelRunError(f"{where} takes {len(names)} inputs ({', '.join(names)}), the description has {len(ids)} ({', '.join(ids)})")
    return list(names)


def natural(name: str) -> list[Any]:
    """Return what names are sorted by so that ``output_10`` comes after ``output_2``."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]
