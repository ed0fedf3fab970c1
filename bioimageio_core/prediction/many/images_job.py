"""The job whose tasks are complete images, as workers of a cluster carry it out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

import attrs

from ...errors import BlockError, OutputError
from ...io import holds_something, local_path
from ...io.reading.scenes import ImagePart
from ...io.writing.chosen_writer import writer_of
from ...places import absolute_path
from ...registry import collect
from ...sources import Package
from ..execution.executors.base import device_of
from ..files.file_set import FileSet, file_set
from ..model.loaded_model import LoadedModel
from ..options import PredictOptions
from ..output.result import Prediction
from ..predictor import Predictor
from .attempts import Failed, attempt, check_axes_known
from .requests import PredictionRequest

__all__ = ["ImagesJob", "can_be_sent", "files_of", "is_new", "sent_request"]


def can_be_sent(request: PredictionRequest) -> bool:
    """Return whether another process can read the images of a request, and write where this one sees it."""
    read = all(isinstance(image, str | os.PathLike) and not _in_memory(os.fsdecode(image)) for image in request.images)
    return read and not _in_memory(request.output)


def _in_memory(location: str) -> bool:
    return location.startswith("memory:")


def sent_request(request: PredictionRequest, table: str | None) -> tuple[PredictionRequest, str | None]:
    """Return a request and its table with absolute paths: other processes may work in other folders."""
    images = request.inputs
    placed = {name: _absolute(image) for name, image in images.items()} if isinstance(images, Mapping) else _absolute(images)
    output: str = _absolute(request.output)
    return attrs.evolve(request, inputs=placed, output=output), _absolute(table)


def _absolute(location: Any) -> Any:
    """Return a local path as an absolute one; everything else as it is."""
    if isinstance(location, ImagePart):
        return attrs.evolve(location, location=_absolute(location.location), within=_absolute(location.within))
    if not isinstance(location, str | os.PathLike):
        return location
    local = local_path(os.fsdecode(location))
    return location if local is None else absolute_path(local)


def files_of(output: str, outputs: Sequence[str], options: PredictOptions) -> FileSet | None:
    """Return the files of an output; None for zarr.

    Args:
        output: Local path.
        outputs: Ids of the outputs of the model.
        options: `output_format` is used.

    Raises:
        OutputError: There are several outputs, and the name does not tell them apart.

    """
    return None if writer_of(output, options.output_format) is None else file_set(output, outputs)


def is_new(request: PredictionRequest, table: str | None, outputs: Sequence[str], options: PredictOptions) -> bool:
    """Return whether nothing that a request writes is there yet; False on servers, where it takes long to ask for many outputs."""
    if local_path(request.output) is None or (table is not None and Path(table).exists()):
        return False
    try:
        files = files_of(request.output, outputs, options)
    except OutputError:
        return False
    if files is None:
        return not holds_something(request.output)
    return not files.existing and not holds_something(files.run_place)


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
    """How each image is predicted, on threads of one process; `memory` is that of one image."""

    requests: tuple[PredictionRequest, ...]
    tables: tuple[str | None, ...]
    new: frozenset[int]
    """Requests of which nothing was written before: a task that is repeated after its worker died continues what it wrote."""

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
        """Return the work that predicts images."""
        return _Images(self, attrs.evolve(self.options, device=device_of(worker, self.rank_on_host, self.options.devices)))


class _Images:
    """Predicts images with networks that stay loaded."""

    def __init__(self, job: ImagesJob, options: PredictOptions) -> None:
        self._job, self._options = job, options
        self._model = LoadedModel.of(job.descr, job.package, collect())
        self._planner = Predictor(self._model, attrs.evolve(options, workers=1))  # more would cut an image that is small
        self._by_network: dict[Any, Predictor] = {}
        self._loading = Lock()

    def __call__(self, task: int) -> Prediction | Failed | None:
        """Predict an image; return None if it has to be cut into blocks."""
        request = self._job.requests[task]
        resume = self._options.resume or task in self._job.new
        return attempt(request, partial(self._predicted, request, self._job.tables[task], resume=resume))

    def _predicted(self, request: PredictionRequest, table: str | None, *, resume: bool) -> Prediction | Failed | None:
        try:
            plan = self._planner.plan(request.inputs, request.output, table=table, resume=resume)
        except BlockError:  # its part of the memory is too small
            return None
        check_axes_known(plan)
        if plan.regions.count > 1:
            return None
        threads = self._job.threads_per_worker
        calls = min(threads, plan.weights.calls(self._options.workers, threads))
        plan = attrs.evolve(plan, workers=calls, threads=max(1, threads // calls))
        with self._loading:
            predictor = self._by_network.setdefault((plan.weights, plan.run_mode), Predictor(self._model, self._options))
            predictor.network(plan.weights, plan.run_mode, threads=plan.threads, calls=calls, trust=self._options.trust)
        return predictor.run(plan, request.output, resume=resume)

    def close(self) -> None:
        """Unload the networks."""
        for predictor in self._by_network.values():
            predictor.close()
        self._model.package.close()
