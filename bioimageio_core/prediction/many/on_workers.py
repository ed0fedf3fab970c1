"""Small images on a cluster: each is one task, and the network stays loaded in each worker process from one image to the next."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import attrs

from ...errors import BioimageioError, BlockError
from ...io import holds_something, local_path
from ...io.reading.scenes import ImagePart
from ...io.writing.chosen_writer import EACH, writer_of
from ...registry import collect
from ...sources import Package
from ..execution.chosen_executor import executor_of
from ..files.file_set import run_place
from ..model.loaded_model import LoadedModel
from ..options import LEAST_MEMORY, PredictOptions
from ..output.result import Prediction
from ..predictor import Predictor
from .attempts import Failed, attempt, check_axes_known
from .requests import PredictionRequest

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["ImagesJob", "results_of_workers"]

Result: TypeAlias = "Prediction | Failed | None"
"""What a task returns; None for an image that is predicted by all workers together."""


def results_of_workers(
    predictor: Predictor, requests: Sequence[PredictionRequest], tables: Sequence[str | None], client: Client
) -> Iterator[Result]:
    """Yield what workers predicted, in the order of the requests; None for each image that is too large for one task.

    Args:
        predictor: The predictor.
        requests: All images; arrays in memory are not sent to workers.
        tables: The table of each image.
        client: The client of the cluster.

    """
    sent = {number for number, request in enumerate(requests) if _can_be_sent(request)} if _are_tasks(predictor) else set()
    if len(sent) < 2:
        yield from [None] * len(requests)
        return
    early: dict[int, Result] = {}
    with executor_of(client, wait_for_workers=predictor.options.wait_for_workers) as cluster:
        job = _job(predictor, requests, tables, client)
        results = cluster.run(job, sorted(sent), at_once=1)
        for number in range(len(requests)):
            while number in sent and number not in early:
                try:
                    done, result = next(results)
                except (BioimageioError, StopIteration):  # of the cluster: images that are left fail or succeed one by one
                    sent.clear()
                else:
                    early[done] = result
            found = early.pop(number, None)
            if isinstance(found, Prediction) and found.plan is not None:
                found.plan.warn()
            yield found


def _are_tasks(predictor: Predictor) -> bool:
    options = predictor.options
    reports = options.progress is True or options.callback is not None
    return predictor.runs_side_by_side and options.shard is None and not options.probe and not reports


def _can_be_sent(request: PredictionRequest) -> bool:
    return all(isinstance(image, str | os.PathLike | ImagePart) for image in request.images)


def _job(predictor: Predictor, requests: Sequence[PredictionRequest], tables: Sequence[str | None], client: Client) -> ImagesJob:
    from ..execution.executors.cluster_workers import ranks_on_hosts, worker_machines

    options = predictor.options
    machines = worker_machines(client, options.wait_for_workers)
    budget = options.memory_bytes if options.memory is not None else machines.budget(options.memory_bytes)
    return ImagesJob(
        descr=predictor.model.descr,
        package=predictor.model.package,
        options=attrs.evolve(
            options, client=False, progress=False, workers=options.workers or 1, memory=max(LEAST_MEMORY, budget // machines.threads)
        ),
        requests=tuple(requests),
        tables=tuple(tables),
        new=frozenset(number for number, request in enumerate(requests) if _is_new(request.output, options)),
        rank_on_host=ranks_on_hosts(client),
        threads_per_worker=-(-machines.threads // machines.processes),
    )


def _is_new(output: str, options: PredictOptions) -> bool:
    """Return whether there is nothing yet at the place of an output; False on servers, where it takes long to ask for many outputs."""
    if local_path(output) is None:
        return False
    if writer_of(output, options.output_format) is None:
        return not holds_something(output)
    files = Path(output.replace(EACH, "*"))
    return not holds_something(run_place(output)) and not any(files.parent.glob(files.name))


@attrs.frozen(kw_only=True, eq=False)
class ImagesJob:
    """Predicts complete images; the number of a task is that of its request."""

    prefers_locality: ClassVar[bool] = False
    is_picklable: ClassVar[bool] = True
    marker: ClassVar[None] = None
    units_per_task: ClassVar[int] = 1

    descr: Any
    """The description of the model."""

    package: Package
    """The files of the model; every worker must be able to read them."""

    options: PredictOptions
    requests: tuple[PredictionRequest, ...]
    tables: tuple[str | None, ...]
    new: frozenset[int]
    """Requests of which nothing is written yet: a task that is repeated after its worker died continues what it wrote."""

    rank_on_host: Mapping[str, int]
    """Rank of each worker among the workers of its machine, by address; they share the devices."""

    threads_per_worker: int

    @property
    def task_count(self) -> int:
        """Number of images."""
        return len(self.requests)

    @property
    def units(self) -> int:
        """Number of images."""
        return len(self.requests)

    def open(self, worker: str) -> _Images:
        """Return the work that predicts images, each on one thread of the worker."""
        devices = self.options.devices
        device = devices[self.rank_on_host.get(worker, len(self.rank_on_host)) % len(devices)]
        return _Images(self, attrs.evolve(self.options, device=device))


class _Images:
    """Predicts images with networks that stay loaded."""

    def __init__(self, job: ImagesJob, options: PredictOptions) -> None:
        self._job, self._options = job, options
        self._model = LoadedModel.of(job.descr, job.package, collect())
        self._planner = Predictor(self._model, options)
        self._by_network: dict[Any, Predictor] = {}
        self._loading = Lock()

    def __call__(self, task: int) -> Result:
        """Predict an image; return None if it has to be cut into blocks."""
        request = self._job.requests[task]
        return attempt(request, partial(self._predicted, request, self._job.tables[task], is_new=task in self._job.new))

    def _predicted(self, request: PredictionRequest, table: str | None, *, is_new: bool) -> Result:
        resume = self._options.resume or (is_new and not self._options.overwrite)
        try:
            plan = self._planner.plan(request.inputs, request.output, table=table, resume=resume)
        except BlockError:  # its part of the memory is too small
            return None
        check_axes_known(plan)
        if plan.regions.count > 1:
            return None
        plan = attrs.evolve(plan, workers=self._job.threads_per_worker, threads=1)
        with self._loading:
            predictor = self._by_network.setdefault((plan.weights, plan.run_mode), Predictor(self._model, self._options))
            predictor.network(plan.weights, plan.run_mode, threads=1, calls=plan.workers, trust=self._options.trust)
        return attempt(request, lambda: predictor.run(plan, request.output, resume=resume))

    def close(self) -> None:
        """Unload the networks."""
        for predictor in self._by_network.values():
            predictor.close()
        self._model.package.close()
