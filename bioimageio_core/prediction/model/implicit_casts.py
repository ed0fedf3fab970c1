"""Casts that the formats imply, and ops as planned."""

from __future__ import annotations

from typing import Any

import attrs

from .tensor_spec import OpCall

__all__ = ["CAST", "call_of", "cast_to", "with_input_casts", "with_output_cast"]

CAST = "ensure_dtype"


@attrs.frozen(kw_only=True)
class CastKwargs:
    """Arguments of a cast that the format implies."""

    dtype: str


def cast_to(dtype: str) -> OpCall:
    """Return the op that casts to a dtype."""
    return OpCall(name=CAST, kwargs=CastKwargs(dtype=dtype))


def call_of(step: Any, name: str) -> OpCall:
    """Return the op call of a described step."""
    return OpCall(name=name, kwargs=getattr(step, "kwargs", None), step=step)


def with_input_casts(ops: tuple[OpCall, ...], *, described: str, network: str) -> tuple[OpCall, ...]:
    """Return preprocessing that first casts to the described dtype and last to the dtype of the network.

    An explicit cast at either end replaces the implied one.
    """
    first = () if ops and ops[0].name == CAST else (cast_to(described),)
    last = () if ops and ops[-1].name == CAST else (cast_to(network),)
    if not ops and described == network:
        return first
    return (*first, *ops, *last)


def with_output_cast(ops: tuple[OpCall, ...], *, described: str) -> tuple[OpCall, ...]:
    """Return postprocessing that ends with a cast to the described dtype.

    A list that ends in ``binarize`` gets this cast, too: users expect labels of the described dtype, not bool.
    """
    done = bool(ops) and ops[-1].name == CAST and ops[-1].kwargs.dtype == described
    return ops if done else (*ops, cast_to(described))
