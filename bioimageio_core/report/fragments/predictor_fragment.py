"""An open predictor in a notebook."""

from __future__ import annotations

from ...prediction.predictor import Predictor
from ..html.fragment import Fragment
from ..text.predictor_text import predictor_facts, predictor_text

__all__ = ["predictor_fragment"]


def predictor_fragment(predictor: Predictor) -> Fragment:
    """Return the model of a predictor, its tensors, weights, device and options."""
    return Fragment(
        kind="predictor",
        title=predictor.model.io.name,
        facts=tuple(predictor_facts(predictor)),
        more=predictor_text(predictor),
        repeats=True,
    )
