"""The part of ``config`` that model format 0.5 gives a meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import attrs

from ....typing import FrozenMapping
from ...extensions import AlsoAs
from ...fields import TensorId, each, in_range, length
from ...node import Issue, Node, node
from ...strings import HttpUrl, ResourceId

__all__ = ["BioimageioConfig", "Config", "ConfigMapping", "Evaluation", "ReproducibilityTolerance"]


@node
class _Open(Node):
    allows_unknown_keys: ClassVar[bool] = True


@node
class ReproducibilityTolerance(_Open):
    """How far outputs may be from the test tensors."""

    output_ids: Literal["any_continuous_output", "any_discrete_output"] | tuple[TensorId, ...] = ()
    """Outputs that it is for; none listed means all."""

    relative_tolerance: float = attrs.field(default=1e-3, validator=in_range(0, 0.01))
    absolute_tolerance: float = attrs.field(default=1e-3, validator=in_range(0))
    mismatched_elements_per_million: int = attrs.field(default=100, validator=in_range(0, 30000))
    weights_formats: tuple[str, ...] = ()
    """Weights formats that it is for; none listed means all."""

    def problems(self) -> Iterator[Issue]:
        """Yield tolerances that discrete values cannot have."""
        if self.output_ids == "any_discrete_output":
            for key in ("relative_tolerance", "absolute_tolerance"):
                if key in self.written.keys and getattr(self, key) != 0:
                    yield Issue(loc=(key,), message=f"expected 0 for discrete outputs, found {getattr(self, key)}")


@node
class Evaluation(_Open):
    """How well the model did on a dataset."""

    model_id: ResourceId | None = None
    dataset_id: ResourceId
    dataset_source: HttpUrl
    dataset_role: Literal["train", "validation", "test", "independent", "unknown"]
    sample_count: int
    evaluation_factors: tuple[str, ...] = attrs.field(validator=each(length(0, 16)))
    evaluation_factors_long: tuple[str, ...]
    metrics: tuple[str, ...] = attrs.field(validator=each(length(0, 16)))
    metrics_long: tuple[str, ...]
    results: tuple[tuple[str | int | float, ...], ...]
    """A row for each metric, with a value for each factor."""

    results_summary: str | None = None

    def problems(self) -> Iterator[Issue]:
        """Yield lists whose lengths do not agree."""
        for key in ("evaluation_factors", "metrics"):
            short, long = len(getattr(self, key)), len(getattr(self, f"{key}_long"))
            if short != long:
                yield Issue(loc=(f"{key}_long",), message=f"expected as many as {key} has, {short}, found {long}")
        if len(self.results) != len(self.metrics):
            yield Issue(loc=("results",), message=f"expected a row for each of {len(self.metrics)} metrics, found {len(self.results)}")
        for index, row in enumerate(self.results):
            if len(row) != len(self.evaluation_factors):
                message = f"expected a value for each of {len(self.evaluation_factors)} evaluation factors, found {len(row)}"
                yield Issue(loc=("results", index), message=message)


@node
class BiasRisksLimitations(_Open):
    """What users should beware of."""

    known_biases: str = ""
    risks: str = ""
    limitations: str | None = None
    recommendations: str = ""


@node
class TrainingDetails(_Open):
    """How the model was trained."""

    training_preprocessing: str | None = None
    training_epochs: float | None = None
    training_batch_size: float | None = None
    initial_learning_rate: float | None = None
    learning_rate_schedule: str | None = None
    loss_function: str | None = None
    loss_function_kwargs: FrozenMapping[str, Any] = FrozenMapping()
    optimizer: str | None = None
    optimizer_kwargs: FrozenMapping[str, Any] = FrozenMapping()
    regularization: str | None = None
    training_duration: float | None = None
    """In hours."""


@node
class EnvironmentalImpact(_Open):
    """What the training cost the environment."""

    hardware_type: str | None = None
    hours_used: float | None = None
    cloud_provider: str | None = None
    compute_region: str | None = None
    co2_emitted: float | None = None
    """In kg of CO2 equivalents."""


@node
class BioimageioConfig(_Open):
    """``config.bioimageio``."""

    reproducibility_tolerance: tuple[ReproducibilityTolerance, ...] = ()
    funded_by: str | None = None
    architecture_type: str | None = attrs.field(default=None, validator=length(0, 32))
    architecture_description: str | None = None
    modality: str | None = None
    target_structure: tuple[str, ...] = ()
    task: str | None = None
    new_version: ResourceId | None = None
    out_of_scope_use: str | None = None
    bias_risks_limitations: BiasRisksLimitations = BiasRisksLimitations()
    model_parameter_count: int | None = None
    training: TrainingDetails = TrainingDetails()
    inference_time: str | None = None
    memory_requirements_inference: str | None = None
    memory_requirements_training: str | None = None
    evaluations: tuple[Evaluation, ...] = ()
    environmental_impact: EnvironmentalImpact = EnvironmentalImpact()


@node
class Config(_Open):
    """``config``."""

    stardist: Any = None
    bioimageio: BioimageioConfig = BioimageioConfig()


ConfigMapping: TypeAlias = Annotated[FrozenMapping[str, Any], AlsoAs(Config)]
"""A free mapping; its content must fit `Config`."""
