"""Small images on a cluster: each is one task, and workers keep the network from one image to the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

import attrs

from ...errors import BioimageioError, OutputError
from ...io import local_path, run_of_output
from ..execution.chosen_executor import executor_of
from ..execution.executors.base import Executor
from ..options import LEAST_MEMORY
from ..output.result import Prediction
from ..planning.profiling.profile import UNMEASURED
from ..predictor import Predictor
from .attempts import Failed, attempt, may_run_ahead
from .images_job import ImagesJob, can_be_sent, files_of, is_new, sent_request
from .requests import PredictionRequest

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Alone", "Result", "results_of_workers"]

PER_THREAD = 4
"""Images per thread that may have been running when the cluster reported an error: the tasks that a scheduler holds for each thread."""


@attrs.frozen
class Alone:
    """Stands for an image that is predicted by all workers together, not as a task of one."""

    continued: bool = False
    """Whether a task may have begun its output."""


Result: TypeAlias = "Prediction | Failed | Alone"


def results_of_workers(
    predictor: Predictor, requests: Sequence[PredictionRequest], tables: Sequence[str | None], client: Client
) -> Iterator[Result]:
    """Yield what workers predicted, in the order of the requests; `Alone` for each image that is too large for one task.

    Args:
        predictor: The predictor.
        requests: All images; arrays in memory are not sent to workers.
        tables: The table of each image.
        client: The client of the cluster.

    """
    sent = [number for number, request in enumerate(requests) if can_be_sent(request)] if may_run_ahead(predictor) else []
    try:
        job = _job(predictor, requests, tables, client) if len(sent) > 1 else None
    except BioimageioError:  # of a cluster without workers, or of what cannot be sent: each image says so
        job = None
    if job is None:
        yield from [Alone()] * len(requests)
        return
    with executor_of(client, wait_for_workers=predictor.options.wait_for_workers) as cluster:
        tasks = _Tasks(cluster, job, sent)
        for number, request in enumerate(requests):
            yield _checked(tasks.result(number), request, predictor)


class _Tasks:
    """The tasks of a job, whose results are asked for one by one.

    An error of the cluster, such as workers that die in the same task again and again, ends a job. Images that may have been running
    are then left to be predicted alone, where the one that causes it fails, and another job takes the others.

    Args:
        cluster: The workers.
        job: The job.
        numbers: Numbers of its tasks, in order.

    """

    def __init__(self, cluster: Executor, job: ImagesJob, numbers: Sequence[int]) -> None:
        self._cluster, self._job = cluster, job
        self._running = PER_THREAD * len(job.rank_on_host) * job.threads_per_worker
        self._left = dict.fromkeys(numbers)
        self._early: dict[int, Prediction | Failed | None] = {}
        self._results: Iterator[tuple[int, Prediction | Failed | None]] | None = None

    def result(self, number: int) -> Result:
        """Return the result of a task; `Alone` for what is no task, or no longer."""
        while number in self._left:
            self._results = self._results or self._cluster.run(self._job, list(self._left), at_once=1)
            try:
                done, found = next(self._results)
            except (BioimageioError, StopIteration):
                self._results = None
                for running in list(self._left)[: self._running]:
                    del self._left[running]
            else:
                self._early[done] = found
                del self._left[done]
        result = self._early.pop(number, None)
        return Alone(continued=number in self._job.new) if result is None else result


def _job(predictor: Predictor, requests: Sequence[PredictionRequest], tables: Sequence[str | None], client: Client) -> ImagesJob:
    """Return the job that predicts the images."""
    from ..execution.executors.cluster_workers import ranks_on_hosts, worker_machines

    options = predictor.options
    machines = worker_machines(client, options.wait_for_workers)
    budget = options.memory_bytes if options.memory is not None else machines.budget(options.memory_bytes)
    networks = machines.processes * UNMEASURED.base  # each process holds one
    placed = [sent_request(request, table) for request, table in zip(requests, tables, strict=True)]
    outputs = [o.id for o in predictor.model.io.outputs]
    memory = max(LEAST_MEMORY, UNMEASURED.base + max(0, budget - networks) // machines.threads)
    return ImagesJob(
        descr=predictor.model.descr,
        package=predictor.model.package,
        options=attrs.evolve(options, client=False, progress=False, memory=memory),
        requests=tuple(request for request, _ in placed),
        tables=tuple(table for _, table in placed),
        new=frozenset(n for n, (request, table) in enumerate(placed) if not options.overwrite and is_new(request, table, outputs, options)),
        rank_on_host=ranks_on_hosts(client),
        threads_per_worker=-(-machines.threads // machines.processes),
    )


def _checked(result: Result, request: PredictionRequest, predictor: Predictor) -> Result:
    """Return a result, after warnings about its image; a failure for an output that this process cannot see."""
    if isinstance(result, Failed):
        return attrs.evolve(result, inputs=request.inputs, output=request.output)
    if not isinstance(result, Prediction) or result.plan is None:
        return result
    warned = attempt(request, result.plan.warn)
    if isinstance(warned, Failed):
        return warned
    if local_path(request.output) is not None and result.finished and not _is_here(request.output, predictor):
        error = OutputError(
            f"a worker of the cluster wrote {request.output} where this process does not see it: "
            "give a path of a disk that all machines share"
        )
        return Failed(inputs=request.inputs, output=request.output, error=error)
    return result


def _is_here(output: str, predictor: Predictor) -> bool:
    files = files_of(output, [o.id for o in predictor.model.io.outputs], predictor.options)
    return run_of_output(output)[0] if files is None else all(path.exists() for path in files.paths.values())
