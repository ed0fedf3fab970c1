"""The run mode of a prediction: how it changes the pipeline while planning, and how it wraps the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from ...blocks import FixedSize, Size, SteppedSize
from ...errors import InputError, PluginError, UnknownExtensionError
from ...registry import Pipeline, PipelineSize, PipelineTensor, Registry, RunMode, WeightsAdapter, blamed, plugin_hint
from ...spec.converters import make_converter
from ...structuring.problems import StructureProblems
from ...typing import AxisId, FrozenMapping
from ..options import PlanOptions
from .tensor_spec import DataDependentSize, ModelIO, ReferencedSize, TensorIO

__all__ = ["PlannedRunMode", "plan_run_mode"]


@attrs.frozen(kw_only=True)
class PlannedRunMode:
    """A run mode, its arguments, and the pipeline that it requires."""

    name: str
    kwargs: FrozenMapping[str, Any]
    """The arguments, as written in the description or the options."""

    pipeline: Pipeline

    def apply(self, options: PlanOptions, model: ModelIO) -> PlanOptions:
        """Return the options with the halo and batch size that the run mode changed."""
        before = _pipeline(model, options)
        halo = {axis: size for axis, size in self.pipeline.halo.items() if size != before.halo.get(axis, 0)}
        return attrs.evolve(options, halo={**options.halos, **halo}, batch_size=self.pipeline.batch_size)

    def wrap(self, adapter: WeightsAdapter, registry: Registry) -> WeightsAdapter:
        """Return an adapter that is called in place of the network."""
        mode = _make(self.name, self.kwargs, registry)
        with blamed(f"wrapping the network with {registry.words_for('run_modes', self.name)}"):
            return mode.wrap(adapter, self.pipeline)


def plan_run_mode(model: ModelIO, options: PlanOptions, registry: Registry) -> PlannedRunMode | None:
    """Return the run mode that the options request, else the described one; None without either.

    Raises:
        UnknownExtensionError: No installed plugin provides the run mode.
        InputError: The run mode refuses its arguments.
        PluginError: The run mode fails while planning, or changes what it must not change.

    """
    name = options.run_mode or model.run_mode
    if name is None:
        return None
    kwargs = options.run_mode_kwargs if options.run_mode else model.run_mode_kwargs
    mode = _make(name, kwargs, registry)
    before = _pipeline(model, options)
    what = f"planning {model.name!r} with {registry.words_for('run_modes', name)}"
    with blamed(what):
        pipeline: object = mode.plan(before)
    if not isinstance(pipeline, Pipeline):
        raise PluginError(f"{what}: expected a Pipeline, found {type(pipeline).__name__}")
    known = {axis for tensor in (*before.inputs, *before.outputs) for axis in tensor.axes}
    unknown = [axis for axis in (*pipeline.halo, *pipeline.whole_axes) if axis not in known]
    if unknown or (pipeline.inputs, pipeline.outputs) != (before.inputs, before.outputs):
        what = f"names the axis {unknown[0]!r}, which the model lacks" if unknown else "changes inputs or outputs of the network"
        raise PluginError(f"run mode {name!r} {what}: expected changes to the halo, whole axes and the batch size only")
    return PlannedRunMode(name=name, kwargs=FrozenMapping(kwargs), pipeline=pipeline)


def _make(name: str, kwargs: Mapping[str, Any], registry: Registry) -> RunMode:
    entry = registry.run_modes.get(name)
    if entry is None:
        known = ", ".join(sorted(registry.run_modes)) or "none"
        where = plugin_hint("run_modes", name)
        raise UnknownExtensionError(f"no installed plugin provides the run mode {name!r}{where}: expected one of {known}")
    arguments: Any = kwargs
    if entry.kwargs is not None:
        try:
            arguments = make_converter(registry, "0.5", entry.configure).structure(dict(kwargs), entry.kwargs)
        except StructureProblems as error:
            raise InputError(f"run mode {name!r} refuses its arguments: {error}") from None
    with blamed(f"loading {registry.words_for('run_modes', name)}"):
        return entry.load()(arguments)


def _pipeline(model: ModelIO, options: PlanOptions) -> Pipeline:
    halo: dict[AxisId, int] = {}
    for tensor in model.outputs:
        for axis in tensor.axes:
            halo[axis.id] = max(halo.get(axis.id, 0), options.halos.get(axis.id, axis.halo))
    return Pipeline(
        inputs=tuple(_tensor(t) for t in model.inputs),
        outputs=tuple(_tensor(t) for t in model.outputs),
        halo=FrozenMapping({axis: size for axis, size in halo.items() if size}),
        batch_size=options.batch_size,
    )


def _tensor(tensor: TensorIO) -> PipelineTensor:
    return PipelineTensor(
        id=tensor.id,
        axes=tensor.axis_ids,
        kinds=tuple(axis.kind for axis in tensor.axes),
        dtype=tensor.dtype,
        ops=tuple(op.name for op in tensor.ops),
        sizes=tuple(_size(axis.size) for axis in tensor.axes),
    )


def _size(size: Size | ReferencedSize | DataDependentSize) -> PipelineSize:
    match size:
        case FixedSize(value=value):
            return PipelineSize(min=value)
        case SteppedSize(min=least, step=step):
            return PipelineSize(min=least, step=step)
        case ReferencedSize():
            return PipelineSize(follows=(size.tensor, size.axis), ratio=size.ratio, offset=size.offset)
    return PipelineSize()
