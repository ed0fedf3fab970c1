"""Running single ops on whole arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from bioimageio_core.processing.plugin import bioimageio_processing_ops
from bioimageio_core.registry import Measure, ProcessingOpEntry
from bioimageio_core.statistics import StreamingStatistics

Array = np.ndarray[Any, Any]


@pytest.fixture(scope="session")
def entries() -> dict[str, ProcessingOpEntry]:
    """The built-in ops by name."""
    return {entry.name: entry for entry in bioimageio_processing_ops()}


@pytest.fixture(scope="session")
def apply(entries: dict[str, ProcessingOpEntry]) -> Callable[..., Array]:
    """Run an op as a planner would: measure what it needs, call it."""

    def run(
        name: str,
        kwargs: Any,
        tensor: Any,
        axes: tuple[str, ...],
        references: Mapping[str, Any] | None = None,
    ) -> Array:
        tensor = np.asarray(tensor)
        needs = entries[name].requirements(kwargs, axes)
        measured: dict[Measure, Any] = {}
        for measure in needs.measures:
            data = tensor if measure.tensor is None else np.asarray((references or {})[measure.tensor])
            stats = StreamingStatistics([measure], axes=axes, shape=data.shape, dtype=data.dtype)
            while not stats.done:
                part = stats.partial()
                part.update(data, (0,) * data.ndim)
                stats.end_pass(part)
            measured.update(stats.results())
        return entries[name].load()(kwargs, axes)(tensor, measured)

    return run
