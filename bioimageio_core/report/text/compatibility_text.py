"""Which software can run a model, as text."""

from __future__ import annotations

from collections.abc import Iterable

from ..cards.compatibility import Compatibility
from ..plain_text import in_one_line, table

__all__ = ["compatibility_text"]


def compatibility_text(found: Compatibility | Iterable[Compatibility]) -> str:
    """Return the answers as a table, and below it the reason for each no and unknown."""
    listed = [found] if isinstance(found, Compatibility) else list(found)
    parts = [table([(c.consumer, c.answer, _reason(c)) for c in listed], ("software", "runs it", "why"))]
    for one in listed:
        unsatisfied = [j for j in one.judgements if j.answer != "yes"]
        if unsatisfied:
            parts += ["", f"{one.consumer}:"]
            for j in unsatisfied:
                known = ", ".join(part for part in (j.source, j.date) if part)
                line = f"{j.answer}: {j.rule}: {j.reason}" + (f"; {j.remedy}" if j.remedy else "") + (f" ({known})" if known else "")
                parts.append(f"  {in_one_line(line)}")
    return "\n".join(parts)


def _reason(one: Compatibility) -> str:
    return in_one_line(next((j.reason for j in one.judgements if j.answer == one.answer), ""))[:90]
