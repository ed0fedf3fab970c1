"""Which software can run a model, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...registry import Judgement
from ..cards.compatibility import Compatibility
from ..plain_text import in_one_line, table

__all__ = ["compatibility_text"]

LONGEST = 90
"""Characters of a reason in the table; it is complete below."""

MEANING = "unknown: nothing speaks against it, but not all that the model needs is documented for this software, so try it"


def compatibility_text(found: Compatibility | Iterable[Compatibility]) -> str:
    """Return the answers as a table, and below it what to do about each that is not yes, and who says so."""
    listed = [found] if isinstance(found, Compatibility) else list(found)
    parts = [table([(c.consumer, c.answer, _reason(c)) for c in listed], ("software", "can run it", "why"))]
    if any(c.answer == "unknown" for c in listed):
        parts += ["", MEANING]
    for one in listed:
        unsatisfied = [j for j in one.judgements if j.answer != "yes"]
        if unsatisfied:
            parts += ["", one.consumer]
            parts += [f"  {in_one_line(line)}" if first else f"      {in_one_line(line)}" for j in unsatisfied for first, line in _lines(j)]
    return "\n".join(parts)


def _lines(judgement: Judgement) -> Iterator[tuple[bool, str]]:
    """Yield the lines about an answer, and whether each is the first."""
    yield True, f"{judgement.answer}: {judgement.reason or judgement.rule}"
    if judgement.remedy:
        yield False, f"what to do: {judgement.remedy}"
    known = ", ".join(part for part in (judgement.source, judgement.date) if part)
    if known:
        yield False, f"source: {known}"


def _reason(one: Compatibility) -> str:
    reason = in_one_line(next((j.reason for j in one.judgements if j.answer == one.answer and j.reason), ""))
    return reason if len(reason) <= LONGEST else f"{reason[: LONGEST - 3]}..."
