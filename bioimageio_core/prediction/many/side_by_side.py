"""Small images, predicted side by side: while the network computes one, others are opened, read and written."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from ...resources import allotted_cores
from ..planning.plan import Plan
from .attempts import may_run_ahead

if TYPE_CHECKING:
    from ..predictor import Predictor

__all__ = ["SideBySide"]

R = TypeVar("R")

MOST = 32
"""Images at a time; with more, threads wait for each other, since Python runs one at a time."""


class SideBySide(Generic[R]):
    """Runs the plans of small images, several at a time with one network; a context manager, which waits for those that run.

    Args:
        predictor: The predictor.
        count: Number of images.

    """

    def __init__(self, predictor: Predictor, count: int) -> None:
        self._predictor, self._count = predictor, count
        self._pool = ThreadPoolExecutor(MOST, thread_name_prefix="bioimageio_core-image")
        self._started: deque[Future[R]] = deque()
        self._network: Any = None

    def __enter__(self) -> SideBySide[R]:
        return self

    def __exit__(self, *exc: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def at_once(self, plan: Plan) -> int:
        """Return how many images with such a plan run at a time.

        One more than calls of the network, so that it never waits; 1 for a large image, and where too few fit into the memory to use
        the cores better than blocks of one image do.
        """
        if not may_run_ahead(self._predictor) or plan.regions.count > 1:
            return 1
        base = plan.profile.base  # of the network and the process, which images share
        fitting = (plan.memory - base) // max(1, plan.estimated_memory - base)
        calls = self._calls(plan)
        found = min(MOST, calls + 1, self._count, fitting)
        return found if 2 * found >= min(MOST, calls) else 1

    def _calls(self, plan: Plan) -> int:
        """Return the calls of the network at a time: those of any image in blocks, so that images of all sizes share one network."""
        return plan.weights.calls(self._predictor.options.workers, allotted_cores())

    def add(self, plan: Plan, run: Callable[[Plan], R]) -> Iterator[R]:
        """Start to run a plan; yield the results of images that have to end first, in the order in which they were added.

        Args:
            plan: The plan of a small image.
            run: Runs a plan, and raises nothing.

        """
        at_once, calls = self.at_once(plan), self._calls(plan)
        plan = attrs.evolve(plan, workers=calls, threads=max(1, allotted_cores() // calls))
        network = (plan.weights, plan.run_mode)
        while self._started and (len(self._started) >= at_once or network != self._network):
            yield self._started.popleft().result()
        trust = self._predictor.options.trust
        with suppress(Exception):  # the run fails in the same way, and says so in its place
            self._predictor.network(plan.weights, plan.run_mode, threads=plan.threads, calls=calls, trust=trust)
        self._network = network
        self._started.append(self._pool.submit(run, plan))

    def rest(self) -> Iterator[R]:
        """Yield the results of all images that were started."""
        while self._started:
            yield self._started.popleft().result()
