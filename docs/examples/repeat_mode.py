"""The run mode ``repeat``: the network is given its own output again, a number of times."""

from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from bioimageio_core.registry import Pipeline, RunModeEntry, WeightsAdapter, hookimpl
from bioimageio_core.spec.node import Node, node


@node
class RepeatKwargs(Node):
    times: int = attrs.field(default=2, validator=attrs.validators.ge(1))


class Repeated:
    def __init__(self, network: WeightsAdapter, times: int) -> None:
        self.network, self.times, self.close = network, times, network.close

    def __call__(self, inputs: Sequence[Any]) -> Sequence[Any]:
        for _ in range(self.times):
            inputs = self.network(inputs)
        return inputs


@attrs.frozen
class Repeat:
    kwargs: RepeatKwargs

    def plan(self, pipeline: Pipeline) -> Pipeline:
        return attrs.evolve(pipeline, halo={axis: size * self.kwargs.times for axis, size in pipeline.halo.items()})

    def wrap(self, adapter: WeightsAdapter, pipeline: Pipeline) -> WeightsAdapter:
        return Repeated(adapter, self.kwargs.times)


@hookimpl
def bioimageio_run_modes() -> Iterator[RunModeEntry]:
    yield RunModeEntry(name="repeat", load=lambda: Repeat, kwargs=RepeatKwargs, summary="the network on its own output")
