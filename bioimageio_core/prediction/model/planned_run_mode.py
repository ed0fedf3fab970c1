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
from .tensor_spec import AxisIO, DataDependentSize, ModelIO, ReferencedSize, TensorIO

__all__ = ["PlannedRunMode", "chosen_run_mode", "plan_run_mode"]


@attrs.frozen(kw_only=True)
class PlannedRunMode:
    """A run mode, its arguments, and the pipeline that it requires."""

    name: str
    kwargs: FrozenMapping[str, Any]
    """The arguments, as written in the description or the options."""

    pipeline: Pipeline

    @property
    def added_axes(self) -> FrozenMapping[AxisId, AxisId]:
        """Axes that blocks have and the network lacks, by the axis of the network that each is like."""
        return FrozenMapping(self.pipeline.added_axes)

    def apply(self, options: PlanOptions, model: ModelIO) -> PlanOptions:
        """Return the options with the halo and batch size that the run mode changed.

        Args:
            options: Options by the axes of blocks.
            model: The model without added axes.

        """
        before, wanted = _pipeline(model, options), self.pipeline.halo
        halo = {axis: size for axis, size in wanted.items() if axis not in self.added_axes and size != before.halo.get(axis, 0)}
        stride = dict(options.network_stride)
        for axis, like in self.added_axes.items():
            halo[axis] = max(options.halos.get(axis, 0), wanted.get(axis, wanted.get(like, 0)))
            if like in stride:
                stride.setdefault(axis, stride[like])
        unknown = options.halo == "measured"  # by no analysis: planning refuses it where a halo is needed
        return attrs.evolve(
            options,
            halo="measured" if unknown else {**options.halos, **halo},
            network_stride=FrozenMapping(stride),
            batch_size=self.pipeline.batch_size,
        )

    def of_blocks(self, model: ModelIO) -> ModelIO:
        """Return inputs and outputs as blocks have them: with the added axes.

        Raises:
            InputError: An axis follows another one than the axis that it is like does, so the added axis has no size.

        """
        inputs, outputs = (tuple(self._of_blocks(t, p) for t, p in pairs) for pairs in self._pairs(model))
        return attrs.evolve(model, inputs=inputs, outputs=outputs) if self.added_axes else model

    def _pairs(self, model: ModelIO) -> tuple[zip[tuple[TensorIO, PipelineTensor]], zip[tuple[TensorIO, PipelineTensor]]]:
        return zip(model.inputs, self.pipeline.inputs, strict=True), zip(model.outputs, self.pipeline.outputs, strict=True)

    def _of_blocks(self, tensor: TensorIO, piped: PipelineTensor) -> TensorIO:
        own = {axis.id: axis for axis in tensor.axes}
        added = self.added_axes
        axes = tuple(own[a] if a in own else self._added(tensor, own[added[a]], a) for a in self.pipeline.block_axes(piped))
        return attrs.evolve(tensor, axes=axes)

    def _added(self, tensor: TensorIO, like: AxisIO, axis: AxisId) -> AxisIO:
        size = like.size
        if isinstance(size, ReferencedSize):
            if size.axis != like.id:
                raise InputError(
                    f"run mode {self.name!r} cannot add the axis {axis!r} to {tensor.id!r}, like axis {like.id!r}: "
                    f"expected an axis with a size of its own, or that of an axis {like.id!r}, "
                    f"found the size of axis {size.axis!r} of {size.tensor!r}"
                )
            size = attrs.evolve(size, axis=axis)
        independent = self.pipeline.halo.get(axis) == 0
        return attrs.evolve(like, id=axis, size=size, concatenable=like.concatenable or independent)

    def wrap(self, adapter: WeightsAdapter, registry: Registry) -> WeightsAdapter:
        """Return an adapter that is called in place of the network."""
        mode = _make(self.name, self.kwargs, registry)
        with blamed(f"wrapping the network with {registry.words_for('run_modes', self.name)}"):
            return mode.wrap(adapter, self.pipeline)


def chosen_run_mode(model: ModelIO, options: PlanOptions) -> tuple[str, FrozenMapping[str, Any]] | None:
    """Return name and arguments of the run mode that the options request, else of the described one; None without either."""
    if options.run_mode is not None:
        return options.run_mode, options.run_mode_kwargs
    return None if model.run_mode is None else (model.run_mode, model.run_mode_kwargs)


def plan_run_mode(model: ModelIO, options: PlanOptions, registry: Registry) -> PlannedRunMode | None:
    """Return the run mode that the options request, else the described one; None without either.

    Raises:
        UnknownExtensionError: No installed plugin provides the run mode.
        InputError: The run mode refuses its arguments.
        PluginError: The run mode fails while planning, or changes what it must not change.

    """
    chosen = chosen_run_mode(model, options)
    if chosen is None:
        return None
    name, kwargs = chosen
    mode = _make(name, kwargs, registry)
    before = _pipeline(model, options)
    what = f"planning {model.name!r} with {registry.words_for('run_modes', name)}"
    with blamed(what):
        pipeline: object = mode.plan(before)
    if not isinstance(pipeline, Pipeline):
        raise PluginError(f"{what}: expected a Pipeline, found {type(pipeline).__name__}")
    wrong = _wrong_change(before, pipeline)
    if wrong:
        raise PluginError(f"run mode {name!r} {wrong}: expected changes to the halo, whole axes, added axes and the batch size only")
    return PlannedRunMode(name=name, kwargs=FrozenMapping(kwargs), pipeline=pipeline)


def _wrong_change(before: Pipeline, pipeline: Pipeline) -> str:
    """Return what a run mode must not change; empty if it keeps the rules."""
    tensors = (*before.inputs, *before.outputs)
    kinds = {axis: kind for tensor in tensors for axis, kind in zip(tensor.axes, tensor.kinds, strict=True)}
    for axis, like in pipeline.added_axes.items():
        if axis in kinds:
            return f"adds the axis {axis!r}, which the model has"
        if kinds.get(like) != "space":
            return f"adds the axis {axis!r}, like {like!r}, which is no axis of space of the model"
    unknown = [axis for axis in (*pipeline.halo, *pipeline.whole_axes) if axis not in kinds and axis not in pipeline.added_axes]
    if unknown:
        return f"names the axis {unknown[0]!r}, which the model lacks"
    same = (pipeline.inputs, pipeline.outputs) == (before.inputs, before.outputs)
    return "" if same else "changes inputs or outputs of the network"


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
        batch_size=options.blocks_per_call,
    )


def _tensor(tensor: TensorIO) -> PipelineTensor:
    return PipelineTensor(
        id=tensor.id,
        axes=tensor.axis_ids,
        kinds=tuple(axis.kind for axis in tensor.axes),
        dtype=tensor.dtype,
        ops=tuple(op.name for op in tensor.ops),
        sizes=tuple(PipelineSize(min=1) if axis.one_at_a_time else _size(axis.size) for axis in tensor.axes),
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
