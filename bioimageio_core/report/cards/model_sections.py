"""Sections of a model card: purpose, training, evaluation, limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...structuring.converter import unstructure
from .description_values import source_of, value_in_words
from .resource_card import Fact, Section, Table

__all__ = ["model_sections"]

_SECTIONS: tuple[tuple[str, tuple[str, ...], dict[str, str]], ...] = (
    ("Purpose", (), {"task": "task", "modality": "modality", "target_structure": "target structure", "out_of_scope_use": "not meant for"}),
    (
        "Architecture",
        (),
        {"architecture_type": "type", "architecture_description": "description", "model_parameter_count": "parameters"},
    ),
    (
        "Training",
        ("training",),
        {
            "training_preprocessing": "preprocessing",
            "training_epochs": "epochs",
            "training_batch_size": "batch size",
            "initial_learning_rate": "initial learning rate",
            "learning_rate_schedule": "learning rate schedule",
            "loss_function": "loss",
            "loss_function_kwargs": "arguments of the loss",
            "optimizer": "optimizer",
            "optimizer_kwargs": "arguments of the optimizer",
            "regularization": "regularization",
            "training_duration": "duration in hours",
        },
    ),
    (
        "Biases, risks and limitations",
        ("bias_risks_limitations",),
        {"known_biases": "known biases", "risks": "risks", "limitations": "limitations", "recommendations": "recommendations"},
    ),
    (
        "Environmental impact",
        ("environmental_impact",),
        {
            "hardware_type": "hardware",
            "hours_used": "hours used",
            "cloud_provider": "cloud provider",
            "compute_region": "region",
            "co2_emitted": "kg of CO2 equivalents",
        },
    ),
    (
        "Needs",
        (),
        {
            "inference_time": "time of inference",
            "memory_requirements_inference": "memory of inference",
            "memory_requirements_training": "memory of training",
            "funded_by": "funded by",
            "new_version": "newer version",
        },
    ),
)
"""Title, path below ``config.bioimageio``, and the keys there with their labels."""

_EVALUATION = {
    "model_id": "model",
    "dataset_id": "dataset",
    "dataset_source": "source",
    "dataset_role": "role of the dataset",
    "sample_count": "samples",
    "results_summary": "summary",
}


def model_sections(descr: Any) -> tuple[Section, ...]:
    """Return the sections of a model that are not empty; only format 0.5 defines keys of ``config``."""
    config = descr.config.get("bioimageio") if descr.format_version.startswith("0.5") else None
    metadata: Mapping[str, Any] = config if isinstance(config, Mapping) else {}
    sections = [_training_data(descr.training_data)]
    for title, path, labels in _SECTIONS:
        part: Any = metadata
        for key in path:
            part = part.get(key)
        sections.append(Section(title=title, facts=tuple(_facts(part, labels))))
        if title == "Training":
            sections.append(Section(title="Evaluation", tables=tuple(map(_evaluation, metadata.get("evaluations") or ()))))
    return tuple(s for s in sections if s.facts or s.tables)


def _training_data(data: Any) -> Section:
    facts = []
    if data is not None:
        tree = unstructure(data)
        for key, label in (("name", "name"), ("id", "id"), ("version", "version"), ("description", "description"), ("source", "source")):
            if tree.get(key) not in (None, ""):
                facts.append(Fact(label, value_in_words(source_of(tree[key]))))
    return Section(title="Training data", facts=tuple(facts))


def _facts(values: Any, labels: Mapping[str, str]) -> Iterator[Fact]:
    for key, label in labels.items():
        value = values.get(key) if isinstance(values, Mapping) else None
        if value is not None and value != "" and value != () and value != {}:
            yield Fact(label, value_in_words(value))


def _evaluation(evaluation: Mapping[str, Any]) -> Table:
    """Return a table with a row for each metric and a column for each factor."""
    metrics, factors = _labels(evaluation, "metrics"), _labels(evaluation, "evaluation_factors")
    rows = tuple((metric, *map(value_in_words, row)) for metric, row in zip(metrics, evaluation["results"], strict=True))
    facts = tuple(_facts(evaluation, _EVALUATION))
    return Table(title=f"On {evaluation['dataset_id']}", header=("metric", *factors), rows=rows, facts=facts)


def _labels(evaluation: Mapping[str, Any], key: str) -> list[str]:
    """Return names of metrics or factors, the short one with the long one in brackets."""
    pairs = zip(evaluation[key], evaluation[f"{key}_long"], strict=True)
    return [short if long in (short, "") else f"{short} ({long})" for short, long in pairs]
