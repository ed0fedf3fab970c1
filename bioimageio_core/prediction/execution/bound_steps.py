"""Binds steps to implementations and statistics, one after the other, as statistics become known."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from math import prod
from typing import Any, Protocol

import attrs
import numpy as np

from ...errors import InputError
from ...registry import Measure, ProcessingOp, Registry
from ...typing import AxisId, FrozenMapping
from ..data.changed_tensor import changed_view
from ..data.checked_op import CheckedOp
from ..data.pooling import NO_POOLING, Pooling
from ..data.tensor_view import AxisArray, BoundStep, TensorView
from ..data.whole_tensors import ArraySource, ProcessedSource, read_whole
from ..model.processing_steps import OpsByStep, Step

__all__ = ["StepBinder", "StepChain", "bind_step", "step_statistics"]


class StatisticsLookup(Protocol):
    """Looks up statistics of a tensor, which an earlier pass measured, or measures them."""

    def __call__(self, tensor: str, step: int, view: TensorView, measures: Sequence[Measure]) -> Mapping[Measure, AxisArray]:
        """Return statistics of a view of a tensor.

        Args:
            tensor: Id of the tensor.
            step: Number of the step that needs them.
            view: The tensor after the steps before.
            measures: The statistics.

        """
        ...


@attrs.frozen(kw_only=True, eq=False)
class StepBinder:
    """Binds steps to their implementations and statistics."""

    registry: Registry
    ops: OpsByStep
    """The op of each step, made before anything runs, so that code that fails does so first."""

    measured: StatisticsLookup
    references: Mapping[Measure, AxisArray] = FrozenMapping()
    """Statistics of raw model inputs; the ``tensor`` of a measure names the input."""

    supplied: Mapping[str, Any] = FrozenMapping()
    """Supplied statistics, by `Step.key`."""

    pooling: Pooling = NO_POOLING
    report: Callable[[str, AxisArray], None] = lambda key, value: None
    """Called with `Step.key` and value of every statistic that a step uses."""

    def bind(self, step: Step, view: TensorView, *, tensor: str) -> BoundStep:
        """Return a step with its implementation and its statistics: supplied, measured, or those of another tensor.

        Raises:
            InputError: A supplied statistic has the wrong number of values, or a statistic of another tensor has the wrong shape.

        """
        keys = {m: step.key(tensor, m) for m in step.needs.measures}
        found = {m: step_statistics(key, self.supplied[key], m, view, self.pooling) for m, key in keys.items() if key in self.supplied}
        own = [m for m in keys if m.tensor is None and m not in found]
        if own:
            found |= self.measured(tensor, step.number, view, own)
        for m, key in keys.items():
            if m not in found:
                what = f"the {m.kind} of {m.tensor!r} for op {step.name!r} of {tensor!r}"
                found[m] = self.references[m].aligned(view.axes, view.shape, what=what)
            self.report(key, found[m])
        return bind_step(step, self.ops[tensor, step.number], self.registry, found)


class StepChain:
    """The steps of one tensor, bound one by one when their statistics are known.

    Args:
        tensor: Id of the tensor.
        view: The tensor before its steps.
        steps: Steps of the tensor.
        cut: Axes that blocks or boxes cut; steps that need more than a block are applied to the whole tensor, or to larger regions.
        binder: Binds steps.
        pad_value: Value of constant padding, for processed inputs.

    """

    def __init__(
        self, tensor: str, view: TensorView, steps: Sequence[Step], *, cut: Collection[AxisId], binder: StepBinder, pad_value: float = 0.0
    ) -> None:
        self._tensor, self._view, self._left = tensor, view, list(steps)
        self._cut, self._binder, self._pad_value = cut, binder, pad_value

    def view_before(self, number: int) -> TensorView:
        """Return the tensor after all steps before this number; 0 stands for the raw tensor."""
        while self._left and self._left[0].number < number:
            self._apply(self._left.pop(0))
        return self._view

    def view_after_all(self) -> TensorView:
        """Return the tensor after all steps."""
        while self._left:
            self._apply(self._left.pop(0))
        return self._view

    def _apply(self, step: Step) -> None:
        """Bind a step, and apply it to the whole tensor in memory, to larger regions, or to each region."""
        bound = self._binder.bind(step, self._view, tensor=self._tensor)
        view = changed_view(self._view, bound, step.needs.shape) if step.changes else self._view.then(bound)
        if step.sees_whole(self._cut):
            source = ProcessedSource(source=ArraySource(array=read_whole(view)), pad_value=self._pad_value)
            self._view = attrs.evolve(view, source=source, steps=())
        elif step.needs_halo(self._cut) and not step.changes:
            self._view = attrs.evolve(view, source=ProcessedSource(source=view, pad_value=self._pad_value), steps=())
        else:
            self._view = view


def bind_step(step: Step, op: ProcessingOp, registry: Registry, measured: Mapping[Measure, AxisArray]) -> BoundStep:
    """Return a step bound to its op and these statistics."""
    checked = CheckedOp(op=op, needs=step.needs, what=registry.words_for("processing_ops", step.name), axes=step.axes)
    return BoundStep(op=checked, measured=measured, whole_axes=step.needs.whole_axes, halo=step.needs.halo)


def step_statistics(key: str, value: Any, measure: Measure, view: TensorView, pooling: Pooling) -> AxisArray:
    """Return a supplied statistic along the axes of a view; without extra axes, it applies to all of their positions.

    Raises:
        InputError: The statistic has the wrong number of values.

    """
    over = pooling.axes_of(measure, view.axes, view.extra)
    sizes = [1 if a in over else size for a, size in zip(view.axes, view.shape, strict=True)]
    values = np.asarray(value, np.float64)
    for extra in ([1] * view.extra, sizes[: view.extra]):
        shape = [*extra, *sizes[view.extra :], *measure.value_shape]
        if values.size == prod(shape):
            return AxisArray(values=values.reshape(shape), axes=view.axes)
    raise InputError(
        f"the supplied statistics {key!r} have {values.size} values: expected {prod([*sizes[view.extra :], *measure.value_shape])}"
    )
