"""A description that was started from a file of weights, as text."""

from __future__ import annotations

from typing import Any

from ..plain_text import table

__all__ = ["draft_text"]


def draft_text(drafted: Any) -> str:
    """Return what was found and guessed, and what is left to fill in.

    Args:
        drafted: A `bioimageio_core.description_init.draft_model.DraftedModel`, whose room is above this one.

    """
    folder = drafted.folder
    lines = [f"{folder}: model {drafted.report.format_version}, {drafted.report.status}, started from {drafted.weights_format} weights"]
    for title, sentences in (("guessed", drafted.guessed), ("found", drafted.notes)):
        if sentences:
            lines += ["", title, *(f"  {s}" for s in sentences)]
    lines += ["", "to fill in", table([(f"  {t.path}", t.text) for t in drafted.todo])]
    return "\n".join([*lines, "", f"show it: bmz info {folder}; test it: bmz test {folder}"])
