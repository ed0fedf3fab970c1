"""Make the card of a model from its description."""

from __future__ import annotations

from typing import Any

from ...model_tests.remembered_tests import last_test
from ...prediction.geometry.model_signature import remembered_analysis
from ...prediction.geometry.shortfalls import shortfalls
from ...prediction.model.from_v0_4 import model_io_v0_4
from ...prediction.model.from_v0_5 import model_io_v0_5
from ...prediction.model.missing_plugins import why_not_runnable
from ...prediction.model.tensor_spec import AxisIO, TensorIO
from ...prediction.model.weights_selection import runnable_formats
from ...registry import Registry, missing_requirements
from ...sources import Package
from ...spec.converters import unstructured
from ...spec.validation import ValidationReport
from ...structuring.freezing import thaw
from ...typing import FrozenMapping
from .make_resource_card import common_facts
from .model_card import ModelCard, WeightsCard
from .model_sections import model_sections
from .result_in_words import result_in_words
from .tensor_card import AxisCard, OpCard, TensorCard
from .value_range import values_in_words

__all__ = ["model_card"]


def model_card(descr: Any, package: Package, registry: Registry, report: ValidationReport) -> ModelCard:
    """Return the card of a model; unknown ops, weights and run modes are shown as unknown, and no framework is imported.

    Args:
        descr: A model description of format 0.4 or 0.5.
        package: The package with its files; none of them is downloaded.
        registry: The installed plugins.
        report: The validation report of the description.

    """
    io = (model_io_v0_4 if descr.format_version.startswith("0.4") else model_io_v0_5)(descr)
    measured = remembered_analysis(io, descr.weights, package, registry)
    return ModelCard(
        **common_facts(descr, package, report),
        content=None,
        sections=model_sections(descr),
        run_mode=None if descr.run_mode is None else _run_mode(descr.run_mode, registry),
        inputs=tuple(_tensor(t, d, d.preprocessing, registry) for t, d in zip(io.inputs, descr.inputs, strict=True)),
        outputs=tuple(_tensor(t, d, d.postprocessing, registry) for t, d in zip(io.outputs, descr.outputs, strict=True)),
        weights=_weights(descr.weights, package, registry, why_not_runnable(descr, io, registry)),
        measured=measured,
        shortfalls=() if measured is None else shortfalls(io, measured),
        last_test=last_test(package),
    )


def _tensor(io: TensorIO, descr: Any, ops: tuple[Any, ...], registry: Registry) -> TensorCard:
    return TensorCard(
        id=io.id,
        description=descr.description,
        dtype=io.dtype,
        values=values_in_words(descr),
        optional=io.optional,
        axes=tuple(_axis(a) for a in io.axes),
        ops=tuple(_op(o, registry) for o in ops),
        result=result_in_words(io, registry),
    )


def _axis(axis: AxisIO) -> AxisCard:
    return AxisCard(
        id=axis.id,
        kind=axis.kind,
        size=axis.size,
        halo=axis.halo,
        scale=axis.scale,
        unit=axis.unit,
        channel_names=axis.channel_names or (),
    )


def _op(step: Any, registry: Registry) -> OpCard:
    kwargs = unstructured(step, registry).get("kwargs")
    name = step.name if hasattr(step, "name") else step.id
    entry = registry.processing_ops.get(name)
    return OpCard(
        name=name,
        kwargs=FrozenMapping(kwargs if isinstance(kwargs, dict) else {}),
        known=entry is not None and not entry.described_only,
        fits=not getattr(step, "refused", ()),
        summary=entry.summary if entry is not None else "",
    )


def _run_mode(run_mode: Any, registry: Registry) -> OpCard:
    entry = registry.run_modes.get(run_mode.name)
    return OpCard(
        name=run_mode.name,
        kwargs=FrozenMapping(thaw(run_mode.kwargs)),
        known=entry is not None,
        fits=not getattr(run_mode, "refused", ()),
        summary=entry.summary if entry is not None else "",
    )


def _weights(weights: Any, package: Package, registry: Registry, why_not_at_all: str) -> tuple[WeightsCard, ...]:
    cards = []
    for name, why_not_these in runnable_formats(weights, registry).items():
        why_not = why_not_these or why_not_at_all
        entry = weights[name]
        source = entry.as_tree().get("source") if hasattr(entry, "as_tree") else entry.source
        installed = [] if why_not else [a for a in registry.adapters_for(name) if not missing_requirements(a.requires)]
        cards.append(
            WeightsCard(
                weights_format=name,
                source=str(source or ""),
                size=package.size_of(source) if isinstance(source, str) else None,
                adapter=installed[0].name if installed else "",
                why_not=why_not,
                carries_code=any(a.carries_code for a in registry.adapters_for(name)),
            )
        )
    return tuple(cards)
