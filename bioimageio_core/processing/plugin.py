"""The built-in ops, registered as those of any plugin; their implementations are imported when first loaded."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib import import_module

from ..errors import UnknownExtensionError
from ..registry.entries import ProcessingOpEntry, ProcessingOpFactory
from ..registry.hookspecs import hookimpl
from ..typing import FrozenMapping
from . import descr_v0_4 as v0_4
from . import descr_v0_5 as v0_5
from . import descr_v0_5_objects as objects
from . import requirements as needs

__all__ = ["bioimageio_processing_ops"]


def _load(module: str, name: str) -> ProcessingOpFactory:
    factory: ProcessingOpFactory = getattr(import_module(f"{__package__}.ops.{module}"), name)
    return factory


def _missing(name: str) -> ProcessingOpFactory:
    raise UnknownExtensionError(f"no installed plugin runs the processing step {name!r}")


@hookimpl
def bioimageio_processing_ops() -> Iterator[ProcessingOpEntry]:
    """Yield the ops of formats 0.4 and 0.5."""
    yield ProcessingOpEntry(
        name="binarize",
        descr=FrozenMapping({"0.4": v0_4.BinarizeDescr, "0.5": v0_5.BinarizeDescr}),
        load=partial(_load, "bounds", "make_binarize"),
        requirements=needs.binarize_needs,
        summary="true above a threshold",
    )
    yield ProcessingOpEntry(
        name="clip",
        descr=FrozenMapping({"0.4": v0_4.ClipDescr, "0.5": v0_5.ClipDescr}),
        load=partial(_load, "bounds", "make_clip"),
        requirements=needs.clip_needs,
        summary="limit values to bounds, or to percentiles",
    )
    yield ProcessingOpEntry(
        name="ensure_dtype",
        descr=FrozenMapping({"0.5": v0_5.EnsureDtypeDescr}),
        load=partial(_load, "cast", "make_ensure_dtype"),
        requirements=needs.ensure_dtype_needs,
        summary="cast to a dtype",
    )
    yield ProcessingOpEntry(
        name="fixed_zero_mean_unit_variance",
        descr=FrozenMapping({"0.5": v0_5.FixedZeroMeanUnitVarianceDescr}),
        load=partial(_load, "scale", "make_zero_mean_unit_variance"),
        requirements=needs.zero_mean_unit_variance_needs,
        summary="subtract a known mean, divide by a known standard deviation",
    )
    yield ProcessingOpEntry(
        name="scale_linear",
        descr=FrozenMapping({"0.4": v0_4.ScaleLinearDescr, "0.5": v0_5.ScaleLinearDescr}),
        load=partial(_load, "scale", "make_scale_linear"),
        requirements=needs.scale_linear_needs,
        summary="multiply by a gain and add an offset",
    )
    yield ProcessingOpEntry(
        name="scale_mean_variance",
        descr=FrozenMapping({"0.4": v0_4.ScaleMeanVarianceDescr, "0.5": v0_5.ScaleMeanVarianceDescr}),
        load=partial(_load, "scale", "make_scale_mean_variance"),
        requirements=needs.scale_mean_variance_needs,
        where=("postprocessing",),
        summary="match mean and standard deviation of an input",
    )
    yield ProcessingOpEntry(
        name="scale_range",
        descr=FrozenMapping({"0.4": v0_4.ScaleRangeDescr, "0.5": v0_5.ScaleRangeDescr}),
        load=partial(_load, "scale", "make_scale_range"),
        requirements=needs.scale_range_needs,
        summary="map two percentiles to 0 and 1",
    )
    yield ProcessingOpEntry(
        name="sigmoid",
        descr=FrozenMapping({"0.4": v0_4.SigmoidDescr, "0.5": v0_5.SigmoidDescr}),
        load=partial(_load, "activation", "make_sigmoid"),
        requirements=needs.elementwise_needs,
        summary="the logistic function",
    )
    yield ProcessingOpEntry(
        name="softmax",
        descr=FrozenMapping({"0.5": v0_5.SoftmaxDescr}),
        load=partial(_load, "activation", "make_softmax"),
        requirements=needs.softmax_needs,
        summary="probabilities along an axis",
    )
    yield ProcessingOpEntry(
        name="zero_mean_unit_variance",
        descr=FrozenMapping({"0.4": v0_4.ZeroMeanUnitVarianceDescr, "0.5": v0_5.ZeroMeanUnitVarianceDescr}),
        load=partial(_load, "scale", "make_zero_mean_unit_variance"),
        requirements=needs.zero_mean_unit_variance_needs,
        summary="subtract the mean, divide by the standard deviation",
    )
    yield from _described_only()


def _described_only() -> Iterator[ProcessingOpEntry]:
    for name, descr, summary in (
        ("cellpose_flow_dynamics", objects.CellposeFlowDynamicsDescr, "labels from flows, as Cellpose makes them"),
        ("custom", objects.CustomProcessingDescr, "a callable that comes with the model"),
        ("stardist_postprocessing", objects.StardistPostprocessingDescr, "labels from star-convex shapes, as StarDist makes them"),
    ):
        yield ProcessingOpEntry(
            name=name,
            descr=FrozenMapping({"0.5": descr}),
            load=partial(_missing, name),
            described_only=True,
            requirements=needs.whole_sample_needs,
            where=("postprocessing",),
            summary=summary,
        )
