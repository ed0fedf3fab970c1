"""What a model says of its purpose, training and limits, in sections of a card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..structuring.converter import unstructure
from .resource_card import Fact, Section, Table, source_of

__all__ = ["arguments_in_words", "model_sections", "value_in_words"]

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
"""Title, path below ``config.bioimageio``, and keys there with what to call them."""

_EVALUATION = {
    "model_id": "model",
    "dataset_id": "dataset",
    "dataset_source": "source",
    "dataset_role": "role of the dataset",
    "sample_count": "samples",
    "results_summary": "summary",
}


def model_sections(descr: Any) -> tuple[Section, ...]:
    """Return the sections of a model that say something; only format 0.5 gives ``config`` a meaning."""
    config = descr.config.get("bioimageio") if descr.format_version.startswith("0.5") else None
    said: Mapping[str, Any] = config if isinstance(config, Mapping) else {}
    sections = [_training_data(descr.training_data)]
    for title, path, labels in _SECTIONS:
        part: Any = said
        for key in path:
            part = part.get(key)
        sections.append(Section(title=title, facts=tuple(_facts(part, labels))))
        if title == "Training":
            sections.append(Section(title="Evaluation", tables=tuple(map(_evaluation, said.get("evaluations") or ()))))
    return tuple(s for s in sections if s.facts or s.tables)


def _training_data(data: Any) -> Section:
    facts = []
    if data is not None:
        tree = unstructure(data)
        for key, label in (("name", "name"), ("id", "id"), ("version", "version"), ("description", "description"), ("source", "source")):
            if tree.get(key) not in (None, ""):
                facts.append(Fact(label, value_in_words(source_of(tree[key]))))
    return Section(title="Training data", facts=tuple(facts))


def _facts(said: Any, labels: Mapping[str, str]) -> Iterator[Fact]:
    for key, label in labels.items():
        value = said.get(key) if isinstance(said, Mapping) else None
        if value is not None and value != "" and value != () and value != {}:
            yield Fact(label, value_in_words(value))


def _evaluation(said: Mapping[str, Any]) -> Table:
    """Return a row for each metric, with a column for each factor."""
    metrics, factors = _named(said, "metrics"), _named(said, "evaluation_factors")
    rows = tuple((metric, *map(value_in_words, row)) for metric, row in zip(metrics, said["results"], strict=True))
    return Table(title=f"On {said['dataset_id']}", header=("metric", *factors), rows=rows, facts=tuple(_facts(said, _EVALUATION)))


def _named(said: Mapping[str, Any], key: str) -> list[str]:
    pairs = zip(said[key], said[f"{key}_long"], strict=True)
    return [short if long in (short, "") else f"{short} ({long})" for short, long in pairs]


def value_in_words(value: Any) -> str:
    """Return a value of a description for people; lists within others are in brackets."""
    if isinstance(value, Mapping):
        return arguments_in_words(value)
    return ", ".join(map(_inner, value)) if _is_list(value) else _inner(value)


def arguments_in_words(arguments: Mapping[str, Any]) -> str:
    """Return named values as in a call."""
    return ", ".join(f"{key}={_inner(value)}" for key, value in arguments.items())


def _inner(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{arguments_in_words(value)}}}"
    if _is_list(value):
        return f"[{', '.join(map(_inner, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
