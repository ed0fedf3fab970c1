"""The built-in ops, registered like those of a plugin; their implementations are imported when they are first used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any, Literal, TypeAlias

import attrs

from ..errors import UnknownExtensionError
from ..registry.entries import Needs, ProcessingOpEntry, ProcessingOpFactory
from ..registry.hookspecs import hookimpl
from ..registry.plugin_hints import plugin_hint
from ..typing import AxisId, FrozenMapping
from . import descr_v0_4 as v0_4
from . import descr_v0_5 as v0_5
from . import descr_v0_5_objects as objects
from . import op_needs as needs

__all__ = ["bioimageio_processing_ops"]

Place: TypeAlias = Literal["preprocessing", "postprocessing"]
Version: TypeAlias = Literal["0.4", "0.5"]


@attrs.frozen
class _Op:
    """A row of the table of built-in ops."""

    name: str
    v0_4: type | None
    v0_5: type
    module: str
    """Module in `ops`; it makes the op with the function ``make_NAME``, unless `make` says otherwise."""

    needs: Callable[[Any, tuple[AxisId, ...]], Needs]
    summary: str
    make: str = ""
    where: tuple[Place, ...] = ("preprocessing", "postprocessing")
    runs_model_code: bool = False

    def descr(self) -> dict[Version, type]:
        """Return its class in each version of the model format that knows it."""
        later: dict[Version, type] = {"0.5": self.v0_5}
        return later if self.v0_4 is None else {"0.4": self.v0_4, **later}


OPS = (
    _Op("binarize", v0_4.BinarizeDescr, v0_5.BinarizeDescr, "bounds", needs.binarize_needs, "true above a threshold"),
    _Op("clip", v0_4.ClipDescr, v0_5.ClipDescr, "bounds", needs.clip_needs, "limit values to bounds, or to percentiles"),
    _Op(
        "custom",
        None,
        objects.CustomProcessingDescr,
        "custom",
        needs.custom_needs,
        "a callable that comes with the model, if it is trusted",
        where=("postprocessing",),
        runs_model_code=True,
    ),
    _Op("ensure_dtype", None, v0_5.EnsureDtypeDescr, "cast", needs.ensure_dtype_needs, "cast to a dtype"),
    _Op(
        "fixed_zero_mean_unit_variance",
        None,
        v0_5.FixedZeroMeanUnitVarianceDescr,
        "scale",
        needs.zero_mean_unit_variance_needs,
        "subtract a known mean, divide by a known standard deviation",
        make="zero_mean_unit_variance",
    ),
    _Op(
        "scale_linear",
        v0_4.ScaleLinearDescr,
        v0_5.ScaleLinearDescr,
        "scale",
        needs.scale_linear_needs,
        "multiply by a gain and add an offset",
    ),
    _Op(
        "scale_mean_variance",
        v0_4.ScaleMeanVarianceDescr,
        v0_5.ScaleMeanVarianceDescr,
        "scale",
        needs.scale_mean_variance_needs,
        "match mean and standard deviation of an input",
        where=("postprocessing",),
    ),
    _Op("scale_range", v0_4.ScaleRangeDescr, v0_5.ScaleRangeDescr, "scale", needs.scale_range_needs, "map two percentiles to 0 and 1"),
    _Op("sigmoid", v0_4.SigmoidDescr, v0_5.SigmoidDescr, "activation", needs.elementwise_needs, "the logistic function"),
    _Op("softmax", None, v0_5.SoftmaxDescr, "activation", needs.softmax_needs, "probabilities along an axis"),
    _Op(
        "zero_mean_unit_variance",
        v0_4.ZeroMeanUnitVarianceDescr,
        v0_5.ZeroMeanUnitVarianceDescr,
        "scale",
        needs.zero_mean_unit_variance_needs,
        "subtract the mean, divide by the standard deviation",
    ),
)
"""The ops that the library runs."""

DESCRIBED_ONLY = (
    ("cellpose_flow_dynamics", objects.CellposeFlowDynamicsDescr, "labels from flows, as Cellpose makes them"),
    ("stardist_postprocessing", objects.StardistPostprocessingDescr, "labels from star-convex shapes, as StarDist makes them"),
)
"""Ops that are described by the format and run by plugins: name, class and summary."""


@hookimpl
def bioimageio_processing_ops() -> Iterator[ProcessingOpEntry]:
    """Yield the ops of formats 0.4 and 0.5."""
    for op in OPS:
        yield ProcessingOpEntry(
            name=op.name,
            descr=FrozenMapping(op.descr()),
            load=partial(_load, op.module, f"make_{op.make or op.name}"),
            requirements=op.needs,
            summary=op.summary,
            where=op.where,
            runs_model_code=op.runs_model_code,
        )
    for name, descr, summary in DESCRIBED_ONLY:
        yield ProcessingOpEntry(
            name=name,
            descr=FrozenMapping({"0.5": descr}),
            load=partial(_not_run, name),
            described_only=True,
            requirements=needs.whole_sample_needs,
            where=("postprocessing",),
            summary=summary,
        )


def _load(module: str, name: str) -> ProcessingOpFactory:
    factory: ProcessingOpFactory = getattr(import_module(f"{__package__}.ops.{module}"), name)
    return factory


def _not_run(name: str) -> ProcessingOpFactory:
    raise UnknownExtensionError(f"no installed plugin runs the processing step {name!r}{plugin_hint('processing_ops', name)}")
