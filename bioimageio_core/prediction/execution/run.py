"""A plan under way: what its passes share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import attrs
import numpy as np

from ...registry import Measure
from ...typing import FrozenMapping
from ..data.tensor_view import AxisArray, TensorView
from ..model.loaded_model import LoadedModel
from ..model.network import Network
from ..options import RunOptions
from ..output.encoder import OutputEncoder
from ..output.open_output import OpenOutput, TensorSinks
from ..planning.plan import Plan
from ..planning.planned_tensors import PlannedInput, PlannedOutput
from .bound_steps import BoundSteps, StepBinder
from .cached_inputs import cached_from_statistics, input_view
from .claims import Claims
from .completion import CompletionMarker
from .executors.base import Executor
from .measurement import Measured
from .stage_timer import StageTimer

__all__ = ["InputRun", "OutputRun", "Run", "RunStatistics", "begin_run"]

MANY = 64
"""Statistics with more values than this are not reported value by value."""


class RunStatistics:
    """Statistics that passes have measured."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, int, Measure], AxisArray] = {}
        self.references: dict[Measure, AxisArray] = {}
        """Those of inputs as they were given, for ops of other tensors."""

        self.reported: dict[str, Any] = {}
        """Those that steps got, as plain data, by `Step.key`."""

        self.nan_counts: dict[str, int] = {}
        """NaN found by input."""

    def add(self, tensor: str, step: int, measured: Measured) -> None:
        """Take the result of a pass: statistics for a step of a tensor, or, for step 0, of the tensor as it was given."""
        if measured.nan_count:
            self.nan_counts[tensor] = measured.nan_count
        if step == 0:
            self.references.update(measured.values)
        self._values.update({(tensor, step, m): value for m, value in measured.values.items()})

    def __call__(self, tensor: str, step: int, view: TensorView, measures: Sequence[Measure]) -> Mapping[Measure, AxisArray]:
        """Return statistics that a pass has measured; see `StatisticsLookup`."""
        return {m: self._values[tensor, step, m] for m in measures}

    def report(self, key: str, value: AxisArray) -> None:
        """Keep a statistic as plain data."""
        values = np.squeeze(value.values)
        self.reported[key] = f"{values.size} values" if values.size > MANY else values.tolist()


@attrs.frozen(kw_only=True, eq=False)
class InputRun:
    """An input, with as many steps applied as have their statistics."""

    planned: PlannedInput
    steps: BoundSteps


@attrs.frozen(kw_only=True, eq=False)
class OutputRun:
    """An output and its sinks, with the steps of a late pass applied as far as they have their statistics."""

    planned: PlannedOutput
    sinks: TensorSinks
    encoder: OutputEncoder
    late: BoundSteps | None
    """None where no pass follows the regions."""


@attrs.frozen(kw_only=True, eq=False)
class Run:
    """What the passes of a plan share while they are carried out."""

    plan: Plan
    model: LoadedModel
    options: RunOptions
    executor: Executor
    network: Network | None
    """The network, loaded in this process; None where each worker loads its own."""

    rank_on_host: Mapping[str, int]
    """The number of each worker among those on its machine, by address: they share the devices of the plan."""

    output: OpenOutput
    inputs: Mapping[str, InputRun]
    outputs: Mapping[str, OutputRun]
    binder: StepBinder
    statistics: RunStatistics
    claims: Claims | None
    """What this process claims of the passes that it shares with other shards; None where it shares none."""

    timer: StageTimer

    def first_task(self, count: int) -> int:
        """Return the task of a shared sweep with which this shard begins."""
        number, shards = self.options.shard or (1, 1)
        return count * (number - 1) // shards

    def marker(self, stage: str) -> CompletionMarker | None:
        """Return where tasks of a sweep record that they are done; None where outputs stay in memory."""
        return None if self.output.state is None else CompletionMarker(state=self.output.state, stage=stage)


@contextmanager
def begin_run(
    plan: Plan,
    model: LoadedModel,
    options: RunOptions,
    output: OpenOutput,
    executor: Executor,
    *,
    network: Network | None = None,
    rank_on_host: Mapping[str, int] = FrozenMapping(),
) -> Iterator[Run]:
    """Yield a run of a plan; within the ``with`` block, other shards see that this process is alive.

    Args:
        plan: The plan.
        model: The model that it was made for.
        options: How to run it.
        output: The sinks of the outputs.
        executor: Where tasks run.
        network: The network, where it is loaded in this process.
        rank_on_host: The number of each worker among those on its machine, by address.

    """
    statistics = RunStatistics()
    binder = StepBinder(
        registry=model.registry,
        measured=statistics,
        references=statistics.references,
        supplied={**plan.known, **plan.supplied},
        pool_over=plan.pool_over,
        report=statistics.report,
    )
    claims = None if options.shard is None or output.state is None else Claims(output.state)
    run = Run(
        plan=plan,
        model=model,
        options=options,
        executor=executor,
        network=network,
        rank_on_host=rank_on_host,
        output=output,
        inputs={i.id: _input_run(i, plan, binder) for i in cached_from_statistics(plan)},
        outputs={t.planned.id: _output_run(t, plan, binder) for t in output.tensors},
        binder=binder,
        statistics=statistics,
        claims=claims,
        timer=StageTimer(),
    )
    if claims is None:
        yield run
        return
    try:
        with claims:
            yield run
    finally:
        if output.store is not None and not output.store.unfinished:
            output.store.tidy()  # what this process wrote while another one completed the run


def _input_run(planned: PlannedInput, plan: Plan, binder: StepBinder) -> InputRun:
    bound = planned.bound
    cut = planned.cut_axes(plan.grids) - {*bound.extra_axes, "batch"}
    steps = BoundSteps(planned.id, input_view(bound), planned.steps, cut=cut, binder=binder, pad_value=bound.tensor.pad_value)
    return InputRun(planned=planned, steps=steps)


def _output_run(sinks: TensorSinks, plan: Plan, binder: StepBinder) -> OutputRun:
    planned = sinks.planned
    late = None
    if planned.has_late_pass:
        cut = {a.id for a in planned.tensor.axes if a.kind != "batch"}
        late = BoundSteps(planned.id, sinks.of_blocks(plan), planned.late_steps, cut=cut, binder=binder)
    return OutputRun(planned=planned, sinks=sinks, encoder=OutputEncoder(output=planned, mask=plan.mask), late=late)
