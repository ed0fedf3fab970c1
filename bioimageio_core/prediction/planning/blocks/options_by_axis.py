"""Options for axes, by the names that a model has for them."""

from __future__ import annotations

from typing import Any

import attrs

from ....axis_names import axis_of_name
from ....typing import AxisId, FrozenMapping
from ...geometry.network_geometry import NetworkAnalysis
from ...geometry.shortfalls import measured_halos
from ...model.tensor_spec import ModelIO
from ...option_values import by_axis_of_model
from ...options import PlanOptions

__all__ = ["options_by_axis"]


def options_by_axis(options: PlanOptions, model: ModelIO, analysis: NetworkAnalysis | None) -> PlanOptions:
    """Return the options with the model's names of axes, sizes for each axis, and the halo in pixels if it is given or known."""
    ids = {a.id for t in (*model.inputs, *model.outputs) for a in t.axes}
    inputs, outputs = (
        tuple(dict.fromkeys(a.id for t in tensors for a in t.axes if a.kind == "space")) for tensors in (model.inputs, model.outputs)
    )

    def by_axis(name: str, space: tuple[AxisId, ...]) -> FrozenMapping[AxisId, Any]:
        return by_axis_of_model(name, getattr(options, name), ids, space)

    options = attrs.evolve(
        options,
        block=by_axis("block", inputs),
        network_stride=by_axis("network_stride", inputs),
        pixel_size=by_axis("pixel_size", inputs),
        roi=by_axis("roi", inputs),
        chunks=by_axis("chunks", outputs),
        shards=by_axis("shards", outputs),
        object_size=by_axis("object_size", outputs),
        join_slices=by_axis("join_slices", outputs),
        halo=options.halo if options.halo == "measured" else by_axis("halo", outputs),
        stats_over=tuple(axis if axis in ids else axis_of_name(axis) for axis in options.stats_over),
    )
    if options.halo != "measured" or analysis is None:
        return options
    return attrs.evolve(options, halo=measured_halos(model, analysis))
