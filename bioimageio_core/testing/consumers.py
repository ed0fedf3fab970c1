"""What rules of consumers have to keep."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from ..registry import ConsumerEntry, Judgement, collect
from ..spec.validation import read_tree
from .entry import EntryConformance, one_sentence
from .fixtures import model_tree

__all__ = ["ConsumerConformance"]

WEIGHTS: Mapping[str, Mapping[str, Any]] = {
    "onnx": {"source": "weights.onnx", "opset_version": 17},
    "torchscript": {"source": "weights.pt", "pytorch_version": "2.2"},
    "keras_hdf5": {"source": "weights.h5", "tensorflow_version": "2.15"},
    "tensorflow_saved_model_bundle": {"source": "weights.zip", "tensorflow_version": "1.15"},
}


class ConsumerConformance(EntryConformance):
    """The laws of consumers; a subclass sets ``entry`` to a `ConsumerEntry`."""

    kind = "consumers"
    entry: ConsumerEntry

    @pytest.fixture
    def models(self) -> Sequence[Any]:
        """Model descriptions to judge; override it to add those that the rules are about."""
        registry = collect()
        each = [model_tree(f"model with {name}", {name: entry}) for name, entry in WEIGHTS.items()]
        return [read_tree(tree, registry)[0] for tree in (*each, model_tree("model with all weights", WEIGHTS))]

    def judgements(self, model: Any) -> list[Judgement]:
        """Return the judgements of all rules on a model."""
        return list(self.entry.load()(model))

    def test_judges(self, models: Sequence[Any]) -> None:
        """Of every model the rules say something, as `Judgement`, each rule once."""
        for model in models:
            found = self.judgements(model)
            assert found, f"expected at least one judgement of the model {model.name!r}, found none"
            assert all(isinstance(j, Judgement) for j in found), f"expected Judgement, found {[type(j).__name__ for j in found]}"
            rules = [j.rule for j in found]
            assert len({*rules}) == len(rules), f"rules are answered more than once: {rules}"

    def test_says_why(self, models: Sequence[Any]) -> None:
        """Every judgement has a rule, all but a yes a reason, a no a remedy, and a source a date: in one line each."""
        for judgement in (j for model in models for j in self.judgements(model)):
            one_sentence(judgement.rule)
            if judgement.answer != "yes":
                one_sentence(judgement.reason)
            if judgement.answer == "no":
                one_sentence(judgement.remedy)
            if judgement.source:
                date = judgement.date
                assert re.fullmatch(r"\d{4}(-\d{2}){0,2}", date), f"expected a date like 2024-05-31 or 2024 beside a source, found {date!r}"

    def test_repeats(self, models: Sequence[Any]) -> None:
        """The same model is judged in the same way, whatever was judged before."""
        first = [self.judgements(model) for model in models]
        assert [self.judgements(model) for model in reversed(models)] == first[::-1], "expected equal judgements of equal models"
