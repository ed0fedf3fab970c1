"""Models in format 0.4."""

from __future__ import annotations

from collections.abc import Iterator

from ...node import Issue, node
from . import rules
from .model_fields import LATEST, LinkedModel, ModelFields

__all__ = ["LATEST", "LinkedModel", "ModelDescr"]


@node
class ModelDescr(ModelFields):
    """A model: what it takes and returns, its weights, and who made it."""

    def problems(self) -> Iterator[Issue]:
        """Yield issues between the parts of the model, then missing metadata."""
        for rule in rules.ALL:
            yield from rule(self)
