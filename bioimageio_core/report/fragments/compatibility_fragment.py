"""Whether a software can run a model, in a notebook."""

from __future__ import annotations

from ..cards.compatibility import Compatibility
from ..html.fragment import Fragment, FragmentTable
from ..text.compatibility_text import compatibility_text

__all__ = ["compatibility_fragment"]


def compatibility_fragment(found: Compatibility) -> Fragment:
    """Return the answer of a software, and its rules."""
    rows = tuple((j.answer, j.rule, j.reason, j.remedy or "") for j in found.judgements)
    return Fragment(
        kind="compatibility",
        title=found.consumer,
        status=found.answer,
        good={"yes": True, "no": False}.get(found.answer),
        tables=(FragmentTable(header=("", "rule", "reason", "what to do"), rows=rows),),
        opens="sources",
        more=compatibility_text(found),
    )
