"""What a model takes, gives and needs, as data to be shown."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import attrs

from ..blocks import FixedSize, SteppedSize
from ..network_analysis.model_signature import remembered_analysis
from ..network_analysis.network_geometry import NetworkAnalysis
from ..network_analysis.shortfalls import Shortfall, shortfalls
from ..prediction.model.from_v0_4 import model_io_v0_4
from ..prediction.model.from_v0_5 import model_io_v0_5
from ..prediction.model.tensor_spec import AxisIO, DataDependentSize, ReferencedSize, TensorIO
from ..prediction.model.weights_selection import runnable_formats
from ..registry import Registry, missing_requirements
from ..sources import Package
from ..spec.extensions import OpaqueOp
from ..spec.structuring import unstructure
from ..spec.validation import ValidationReport
from ..typing import FrozenMapping
from .model_sections import arguments_in_words, model_sections
from .resource_card import ResourceCard, common_facts
from .values_text import values_in_words

__all__ = ["AxisCard", "ModelCard", "OpCard", "TensorCard", "WeightsCard", "model_card"]


@attrs.frozen(kw_only=True)
class AxisCard:
    """An axis of a tensor."""

    id: str
    kind: str
    size: FixedSize | SteppedSize | ReferencedSize | DataDependentSize
    halo: int
    scale: float
    unit: str | None
    channel_names: tuple[str, ...]

    def size_in_words(self) -> str:
        """Return the size for people, as in ``32 + 16 n`` or ``that of raw.y``."""
        size = self.size
        if isinstance(size, SteppedSize):
            return "any" if (size.min, size.step) == (1, 1) else f"{size.min} + {'' if size.step == 1 else f'{size.step} '}n"
        if isinstance(size, DataDependentSize):
            bounds = f"at least {size.min}" + (f", at most {size.max}" if size.max is not None else "")
            return f"decided by the network ({bounds})"
        if isinstance(size, ReferencedSize):
            times = "" if size.ratio == 1 else f"{size.ratio} x "
            offset = f" {'+' if size.offset > 0 else '-'} {abs(size.offset)}" if size.offset else ""
            return f"{times}that of {size.tensor}.{size.axis}{offset}"
        return str(size.value)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data; ``size`` is a number where fixed, else a mapping."""
        size: Any
        if isinstance(self.size, FixedSize):
            size = self.size.value
        elif isinstance(self.size, ReferencedSize):
            size = {"tensor": self.size.tensor, "axis": self.size.axis, "ratio": _plain_ratio(self.size.ratio), "offset": self.size.offset}
        elif isinstance(self.size, SteppedSize):
            size = {"min": self.size.min, "step": self.size.step}
        else:
            size = {"min": self.size.min, "max": self.size.max, "decided_by": "network"}
        return {
            "id": self.id,
            "type": self.kind,
            "size": size,
            "size_in_words": self.size_in_words(),
            "halo": self.halo,
            "scale": self.scale,
            "unit": self.unit,
            "channel_names": list(self.channel_names),
        }


@attrs.frozen(kw_only=True)
class OpCard:
    """A pre- or postprocessing op, or a run mode, as it is written."""

    name: str
    kwargs: FrozenMapping[str, Any]
    known: bool
    """Whether an installed plugin brings it."""

    fits: bool = True
    """Whether that plugin takes the arguments."""

    summary: str = ""
    """What it does, in a few words of whoever brings it."""

    def in_words(self) -> str:
        """Return the op as a call."""
        why_not = "" if self.fits else " (the installed plugin does not take this)"
        return f"{self.name}({arguments_in_words(self.kwargs)})" + (why_not if self.known else " (no installed plugin brings it)")

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"name": self.name, "kwargs": dict(self.kwargs), "known": self.known, "fits": self.fits, "summary": self.summary}


@attrs.frozen(kw_only=True)
class TensorCard:
    """An input or output."""

    id: str
    description: str
    dtype: str
    values: str
    """Which values it holds, in words; empty where nobody says."""

    optional: bool
    axes: tuple[AxisCard, ...]
    ops: tuple[OpCard, ...]

    def as_dict(self, ops: str) -> dict[str, Any]:
        """Return plain data; ``ops`` is the key for the ops."""
        return {
            "id": self.id,
            "description": self.description,
            "dtype": self.dtype,
            "values": self.values,
            "optional": self.optional,
            "axes": [a.as_dict() for a in self.axes],
            ops: [o.as_dict() for o in self.ops],
        }


@attrs.frozen(kw_only=True)
class WeightsCard:
    """The weights in one format."""

    weights_format: str
    source: str
    size: int | None
    """Bytes of the file; None where it is not at hand."""

    adapter: str
    """What would run them here; empty where nothing does."""

    why_not: str
    """Why they cannot be run here; empty where they can."""

    carries_code: bool
    """The weights are a program of their own."""


@attrs.frozen(kw_only=True)
class ModelCard(ResourceCard):
    """A model at a glance."""

    run_mode: OpCard | None
    """Written and shown as an op is; None: one call of the network per block."""

    inputs: tuple[TensorCard, ...]
    outputs: tuple[TensorCard, ...]
    weights: tuple[WeightsCard, ...]
    measured: NetworkAnalysis | None = None
    """What is remembered of the network's sizes, stride and reach; None where it has not been measured."""

    shortfalls: tuple[Shortfall, ...] = ()
    """Where the description says less than was measured."""

    def as_dict(self) -> dict[str, Any]:
        """Return the card as plain data for JSON; of covers and documentation their names."""
        return {
            **super().as_dict(),
            "run_mode": None if self.run_mode is None else self.run_mode.as_dict(),
            "inputs": [t.as_dict("preprocessing") for t in self.inputs],
            "outputs": [t.as_dict("postprocessing") for t in self.outputs],
            "weights": [
                {
                    "weights_format": w.weights_format,
                    "source": w.source,
                    "size": w.size,
                    "runs_here": not w.why_not,
                    "adapter": w.adapter or None,
                    "why_not": w.why_not,
                    "carries_code": w.carries_code,
                }
                for w in self.weights
            ],
            "measured": None if self.measured is None else self.measured.as_dict(),
            "shortfalls": [s.as_dict() for s in self.shortfalls],
        }


def model_card(descr: Any, package: Package, registry: Registry, report: ValidationReport) -> ModelCard:
    """Return the card of a model; unknown ops, weights and run modes are shown as such, and no framework is imported.

    Args:
        descr: A model description of format 0.4 or 0.5.
        package: Where its files are; none of them is fetched.
        registry: What is registered here.
        report: What validation said of the description.

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
        weights=_weights(descr.weights, package, registry),
        measured=measured,
        shortfalls=() if measured is None else shortfalls(io, measured),
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
    kwargs = step.as_tree().get("kwargs") if isinstance(step, OpaqueOp) else unstructure(getattr(step, "kwargs", None))
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
        kwargs=FrozenMapping(unstructure(run_mode.kwargs)),
        known=entry is not None,
        fits=not getattr(run_mode, "refused", ()),
        summary=entry.summary if entry is not None else "",
    )


def _weights(weights: Any, package: Package, registry: Registry) -> tuple[WeightsCard, ...]:
    cards = []
    for name, why_not in runnable_formats(weights, registry).items():
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


def _plain_ratio(ratio: Fraction) -> float | int:
    return ratio.numerator if ratio.denominator == 1 else float(ratio)
