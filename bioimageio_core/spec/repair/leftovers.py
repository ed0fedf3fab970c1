"""Values that no version of the format can read, after all repairs: they are kept in ``config``.

Inputs, outputs, weights and what tells them apart are left alone: what they mean is not to be changed by taking something away.
Of tensors, only keys go that the format does not have, and that are no slips of keys that it has; of their steps, none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import attrs

from ...text import is_slip_of
from ..node import Issue, Loc
from ..notes import mended
from .kept import NOTHING, keep, value_at

__all__ = ["settle", "with_reason"]

_ROUNDS = 30
"""How often a description is judged: what is taken away may bring the next fault to light."""

_NEEDED = ("format_version", "inputs", "name", "outputs", "type", "weights")
_NEEDED_OF_WEIGHTS = ("architecture", "architecture_sha256", "kwargs", "sha256", "source")
_BY_POSITION = ("sample_inputs", "sample_outputs", "test_inputs", "test_outputs")


def settle(tree: dict[str, Any], judge: Callable[[dict[str, Any]], Iterable[Issue]]) -> Iterator[Issue]:
    """Move values that are at fault to ``config``, in place, until none is left or those left are needed; nulls are left out.

    Args:
        tree: A description in the latest micro version of its format.
        judge: Returns the problems of a tree.

    """
    for _ in range(_ROUNDS):
        taken: list[Issue] = []
        shortened: dict[Loc, int] = {}
        # From the back, so that paths into lists stay those of the document.
        for problem in reversed([problem for problem in judge(tree) if problem.severity == "error"]):
            target = problem.loc if _is_foreign_key_of_tensor(problem) else _target(tree, problem.loc)
            if target is None or value_at(tree, target) is NOTHING:  # nothing may go, or it went for another problem
                continue
            if not _is_moved(target, shortened):
                taken.append(_take(tree, target, problem.message.partition(", expected one of")[0]))
                if isinstance(target[-1], int):
                    shortened[target[:-1]] = target[-1]
        yield from reversed(taken)
        if not taken:
            return


def _is_foreign_key_of_tensor(problem: Issue) -> bool:
    """Return whether a problem is an unknown key within an input or output, but not within its steps, that is no slip of a known key."""
    if not problem.at_key or problem.loc[0] not in ("inputs", "outputs") or _is_in_step(problem):
        return False
    meant = _MEANT.search(problem.message)
    return meant is None or not is_slip_of(str(problem.loc[-1]), meant[1])


def _is_in_step(problem: Issue) -> bool:
    """Return whether a problem is within a pre- or postprocessing step."""
    return not {"preprocessing", "postprocessing"}.isdisjoint(problem.loc[:-1])


def with_reason(problem: Issue) -> Issue:
    """Return a problem that is left; of an unknown key within a step, its message says why it is."""
    if problem.severity != "error" or not problem.at_key or not _is_in_step(problem):
        return problem
    return attrs.evolve(problem, message=f"{problem.message}; repairs keep it, since the step may give other results without it")


_MEANT = re.compile(r"did you mean '(.*?)'\?")


def _is_moved(target: Loc, shortened: Mapping[Loc, int]) -> bool:
    """Return whether a path leads into a list behind an item that was taken out of it."""
    return any(
        target[: len(loc)] == loc and isinstance(target[len(loc)], int) and int(target[len(loc)]) >= index
        for loc, index in shortened.items()
        if len(target) > len(loc)
    )


def _target(tree: dict[str, Any], loc: Loc) -> Loc | None:
    """Return the place of the value to take away for a problem at ``loc``; None where there is none that may be."""
    value = value_at(tree, loc)
    if value is NOTHING:  # something is missing: what it is missing of is no use
        loc = loc[:-1]
        if len(loc) < 2:
            return None
    elif value is None:
        return loc or None
    if loc and loc[0] in _BY_POSITION:
        loc = loc[:1]
    if not loc or loc[0] == "config":
        return None
    if loc[0] == "weights":
        return loc[:3] if len(loc) > 2 and loc[2] not in _NEEDED_OF_WEIGHTS else None
    return None if loc[0] in _NEEDED else loc


def _take(tree: dict[str, Any], loc: Loc, why: str) -> Issue:
    holder = value_at(tree, loc[:-1])
    value = holder.pop(loc[-1])
    if value is None:
        return mended(loc, "null was left out")
    return keep(tree, loc, value, why)
