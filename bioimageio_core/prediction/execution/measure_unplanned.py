"""Statistics of tensors without a plan: of datasets, and of whole tensors in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs
import numpy as np

from ...errors import InputError
from ...progress import Progress
from ...registry import Measure
from ...statistics import DatasetStatistics
from ..data.pooling import NO_POOLING, Pooling
from ..data.tensor_view import AxisArray, TensorView
from ..planning.plan_passes import pooled_measure
from .executors.base import Executor
from .executors.threads import Threads
from .measurement import Measured, Measurement, ViewMeasurement
from .progress import Reporter

__all__ = ["measure_dataset", "measure_view"]


def measure_view(
    view: TensorView,
    measures: Iterable[Measure],
    *,
    name: str,
    pooling: Pooling = NO_POOLING,
    executor: Executor | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Measured:
    """Measure a tensor without a plan.

    Args:
        view: The tensor.
        measures: What to measure.
        name: Name of the tensor, for progress.
        pooling: Axes that statistics are pooled over.
        executor: Where tasks run; None for threads.
        workers: Concurrent tasks.
        progress: Progress callback; None disables it.

    """
    measurement = ViewMeasurement(view, measures, pooling)
    _run(measurement, name, executor, workers, progress)
    return measurement.measured()


def measure_dataset(
    views: Sequence[TensorView],
    measures: Iterable[Measure],
    *,
    name: str,
    pooling: Pooling = NO_POOLING,
    executor: Executor | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Measured:
    """Measure several tensors together; extra axes are reduced.

    Args:
        views: The tensors, along the same axes.
        measures: What to measure.
        name: Name of the dataset, for progress and errors.
        pooling: Axes that statistics are pooled over, beside extra axes.
        executor: Where tasks run; None for threads.
        workers: Concurrent tasks.
        progress: Progress callback; None disables it.

    Raises:
        InputError: The tensors differ in size along an axis that is not reduced.

    """
    first = views[0]
    pooling = attrs.evolve(pooling, extra=first.axes[: first.extra])
    pooled_measures = {m: pooled_measure(m, first.axes, first.extra, pooling) for m in measures}
    dtype = np.result_type(*(view.dtype() for view in views))
    try:
        statistics = DatasetStatistics(pooled_measures.values(), axes=first.axes, shapes=[v.shape for v in views], dtype=dtype)
    except ValueError as error:
        raise InputError(f"statistics of {name!r} over several images: {error}") from None
    measurement = Measurement([(statistics, tuple(views))])
    _run(measurement, name, executor, workers, progress)
    results = statistics.results()
    values = {m: AxisArray(values=results[pooled], axes=first.axes) for m, pooled in pooled_measures.items()}
    return Measured(values=values, nan_count=measurement.nan_count)


def _run(measurement: Measurement, name: str, executor: Executor | None, workers: int, progress: Progress | None) -> None:
    for job in measurement.sweeps():
        chosen = executor if executor is not None and (job.is_picklable or executor.shares_memory) else Threads()
        report = Reporter(f"statistics of {name}", job.units, progress)
        for task, result in chosen.run(job, range(job.task_count), at_once=workers):
            report.more(measurement.collect(task, result))
