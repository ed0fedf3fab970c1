"""A description that was started from a file of weights, in a notebook."""

from __future__ import annotations

from typing import Any

from ..html.fragment import Fragment, FragmentTable
from ..text.draft_text import draft_text

__all__ = ["draft_fragment"]


def draft_fragment(drafted: Any) -> Fragment:
    """Return what is left to fill in, and what was guessed.

    Args:
        drafted: A `bioimageio_core.description_init.draft_model.DraftedModel`, whose room is above this one.

    """
    return Fragment(
        kind="drafted model",
        title=str(drafted.folder),
        status=drafted.report.status,
        good=drafted.report.status == "valid",
        facts=(
            ("weights", drafted.weights_format),
            *(("guessed", line) for line in drafted.guessed),
            *(("found", line) for line in drafted.notes),
        ),
        tables=(FragmentTable(title="to fill in", header=("path", ""), rows=tuple((t.path, t.text) for t in drafted.todo)),),
        more=draft_text(drafted),
        repeats=True,
    )
