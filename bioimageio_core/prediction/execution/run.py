"""The state that the passes of a running plan share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import cached_property
from typing import Any

import attrs
import numpy as np

from ...errors import OutputError
from ...objects import Numbering
from ...registry import Measure
from ...typing import FrozenMapping
from ..data.tensor_view import AxisArray, TensorView
from ..model.loaded_model import LoadedModel
from ..model.network import Network
from ..model.processing_steps import OpsByStep
from ..options import RunOptions
from ..output.encoder import MaskedRegions, OutputEncoder
from ..output.objects.object_table import ObjectTable
from ..output.open_output import OpenOutput, TensorSinks
from ..planning.passes import RegionsPass
from ..planning.plan import Plan
from ..planning.planned_tensors import PlannedInput, PlannedOutput
from .bound_steps import StepBinder, StepChain
from .cached_inputs import cached_from_statistics, input_view
from .claims import Claims
from .completion import CompletedElsewhere, CompletionMarker
from .executors.base import Executor
from .measurement import Measured
from .stage_timer import StageTimer

__all__ = ["InputRun", "OutputRun", "Run", "RunStatistics", "begin_run"]

MAX_REPORTED_VALUES = 64
"""Statistics with more values are reported by their number of values only."""


class RunStatistics:
    """Statistics that the passes of a run measured."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, int, Measure], AxisArray] = {}
        self.references: dict[Measure, AxisArray] = {}
        """Statistics of raw inputs, for ops of other tensors."""

        self.reported: dict[str, Any] = {}
        """Statistics that steps used, as plain data, by `Step.key`."""

        self._measured_nan: Counter[str] = Counter()
        self._nan_of_regions: Counter[str] = Counter()

    def add(self, tensor: str, step: int, measured: Measured) -> None:
        """Add the result of a pass: statistics for a step of a tensor, or of the raw tensor for step 0."""
        self._measured_nan[tensor] = max(self._measured_nan[tensor], measured.nan_count)
        if step == 0:
            self.references.update(measured.values)
        self._values.update({(tensor, step, m): value for m, value in measured.values.items()})

    def add_nan_counts(self, counts: Mapping[str, int]) -> None:
        """Add the number of NaN that a region found in each input."""
        self._nan_of_regions.update(counts)

    @property
    def nan_counts(self) -> dict[str, int]:
        """Number of NaN by tensor: of the complete tensor where it was measured, else of the regions; tensors without NaN are left out."""
        return {tensor: count for tensor, count in (self._measured_nan | self._nan_of_regions).items() if count}

    def __call__(self, tensor: str, step: int, view: TensorView, measures: Sequence[Measure]) -> Mapping[Measure, AxisArray]:
        """Return statistics that a pass measured; see `StatisticsLookup`."""
        return {m: self._values[tensor, step, m] for m in measures}

    def report(self, key: str, value: AxisArray) -> None:
        """Record a statistic as plain data."""
        values = np.squeeze(value.values)
        self.reported[key] = f"{values.size} values" if values.size > MAX_REPORTED_VALUES else values.tolist()


@attrs.frozen(kw_only=True, eq=False)
class InputRun:
    """An input, and its steps, bound as far as their statistics are known."""

    planned: PlannedInput
    steps: StepChain


@attrs.frozen(kw_only=True, eq=False)
class OutputRun:
    """An output, its sinks, and the steps of its late pass, bound as far as their statistics are known."""

    planned: PlannedOutput
    sinks: TensorSinks
    encoder: OutputEncoder
    _late: Callable[[], StepChain]

    @cached_property
    def late(self) -> StepChain:
        """Steps of the late pass, for the first time after all regions: only then are sizes known that the network determines."""
        return self._late()


@attrs.frozen(kw_only=True, eq=False)
class Run:
    """A running plan: everything that its passes share."""

    plan: Plan
    model: LoadedModel
    options: RunOptions
    executor: Executor
    network: Network | None
    """The network, loaded in this process; None if each worker loads its own."""

    rank_on_host: Mapping[str, int]
    """Rank of each worker among the workers of its machine, by address; they share the devices of the plan."""

    output: OpenOutput
    inputs: Mapping[str, InputRun]
    outputs: Mapping[str, OutputRun]
    binder: StepBinder
    statistics: RunStatistics
    claims: Claims | None
    """Claims on tasks of passes that this process shares with other shards; None without other shards."""

    timer: StageTimer
    notes: list[str] = attrs.field(factory=list)
    """Sentences for `Prediction.notes`."""

    object_numbers: dict[str, Numbering] = attrs.field(factory=dict)
    """The numbers of the objects of each output that labels objects, after the pass that joins them."""

    tables: dict[str, ObjectTable] = attrs.field(factory=dict)
    """The measured objects of each output."""

    def first_task(self, count: int) -> int:
        """Return the first task of a shared sweep that this shard claims."""
        number, shards = self.options.shard or (1, 1)
        return count * (number - 1) // shards

    @property
    def keeps_progress(self) -> bool:
        """Whether a resumed run continues where this one stops; not where each pass is one task of this process, and the last one
        computes the regions, after which the output is complete.
        """
        single = all(p.tasks == 1 for p in self.plan.passes) and isinstance(self.plan.passes[-1], RegionsPass)
        return self.output.state is not None and not (single and self.executor.shares_memory and self.options.shard is None)

    def marker(self, stage: str) -> CompletionMarker | None:
        """Return the completion marker of a sweep; None if the run keeps no progress."""
        if self.output.state is None or not self.keeps_progress:
            return None
        return CompletionMarker(state=self.output.state, stage=stage)


@contextmanager
def begin_run(
    plan: Plan,
    model: LoadedModel,
    options: RunOptions,
    output: OpenOutput,
    executor: Executor,
    *,
    ops: OpsByStep,
    network: Network | None = None,
    rank_on_host: Mapping[str, int] = FrozenMapping(),
) -> Iterator[Run]:
    """Yield a run of a plan; within the ``with`` block, this process shows other shards that it is alive.

    Args:
        plan: The plan.
        model: The model of the plan.
        options: The options of the run.
        output: The sinks of the outputs.
        executor: Where tasks run.
        ops: The ops of all steps of the plan.
        network: The network, if this process loaded it.
        rank_on_host: Rank of each worker among the workers of its machine, by address.

    """
    statistics = RunStatistics()
    binder = StepBinder(
        registry=model.registry,
        ops=ops,
        measured=statistics,
        references=statistics.references,
        supplied={**plan.known, **plan.supplied},
        pooling=plan.pooling,
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
    try:
        if output.state is not None and not executor.shares_memory:
            output.state.sync()  # what this process wrote: workers mark tasks as done when their own writes are on the disk
        with nullcontext() if claims is None else claims:
            yield run
    except BaseException:
        if output.state is not None:
            with suppress(OutputError, CompletedElsewhere):  # the first error is the one to report
                output.state.sync()  # so that no finished task is repeated
        raise
    finally:
        if output.store is not None:
            output.store.close()
            if not output.store.unfinished:
                output.store.tidy()  # remove what this process wrote while another one completed the run


def _input_run(planned: PlannedInput, plan: Plan, binder: StepBinder) -> InputRun:
    bound = planned.bound
    cut = planned.cut_axes(plan.grids) - {*bound.extra_axes, "batch"}
    steps = StepChain(planned.id, input_view(bound), planned.steps, cut=cut, binder=binder, pad_value=bound.tensor.pad_value)
    return InputRun(planned=planned, steps=steps)


def _output_run(sinks: TensorSinks, plan: Plan, binder: StepBinder) -> OutputRun:
    planned = sinks.planned

    def late() -> StepChain:
        cut = {a.id for a in planned.tensor.axes if a.kind != "batch"}
        view = sinks.of_blocks(plan)
        if planned.labelling is not None and plan.mask is not None:
            encoder = OutputEncoder(output=planned.of_regions, mask=plan.mask)
            view = attrs.evolve(view, source=MaskedRegions(source=view.source, encoder=encoder))
        return StepChain(planned.id, view, planned.late_steps, cut=cut, binder=binder)

    return OutputRun(planned=planned, sinks=sinks, encoder=OutputEncoder(output=planned, mask=plan.mask), late=late)
