"""Whole tensors through ops and one call of a network: nothing padded, cropped or cut, as test tensors were made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from ..registry import WeightsAdapter
from ..typing import AxisId
from .data.tensor_view import TensorView
from .execution.passes.statistics import Scanner
from .execution.prepared_tensors import ArraySource, bind_steps, reference_statistics
from .model.loaded_model import LoadedModel
from .model.network import run_network
from .model.processing_steps import plan_steps
from .model.tensor_spec import TensorIO

__all__ = ["WholeTensorCall"]


class WholeTensorCall:
    """Inputs that are ready for the network of a model, and what is left to do with its outputs.

    Args:
        model: The model.
        inputs: Arrays by id, along the described axes; optional inputs may be missing.

    """

    def __init__(self, model: LoadedModel, inputs: Mapping[str, NDArray[Any]]) -> None:
        self._model = model
        self._scanner = Scanner(registry=model.registry, workers=1)
        tensors = (*model.io.inputs, *model.io.outputs)
        self._steps = {t.id: plan_steps(t, model.registry) for t in tensors}
        raw = {t.id: _sample(inputs[t.id], t.axis_ids) for t in model.io.inputs if t.id in inputs}
        self._references = reference_statistics(raw, [s for some in self._steps.values() for s in some], self._scanner)
        self.network_inputs = {t.id: self._process(t, raw[t.id]) for t in model.io.inputs if t.id in raw}
        """What the network is called with, by id."""

    def outputs(self, adapter: WeightsAdapter) -> dict[str, NDArray[Any]]:
        """Run a network, and return what becomes of its outputs, by id.

        Raises:
            ModelRunError: The network failed, or its outputs are not those described.

        """
        return self.postprocessed(run_network(adapter, self._model.io, self.network_inputs))

    def postprocessed(self, outputs: Sequence[NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return what becomes of outputs of the network, given in described order."""
        return {t.id: self._process(t, _sample(a, t.axis_ids)) for t, a in zip(self._model.io.outputs, outputs, strict=True)}

    def _process(self, tensor: TensorIO, sample: TensorView) -> NDArray[Any]:
        steps = self._steps[tensor.id]
        ready = bind_steps(sample, steps, self._scanner, self._references, name=tensor.id, cut=tensor.axis_ids)
        return ready.read((0,) * len(ready.shape), ready.shape)


def _sample(array: NDArray[Any], axes: Iterable[AxisId]) -> TensorView:
    return TensorView(source=ArraySource(array=array), axes=tuple(axes), shape=array.shape, chunks=array.shape, extra=0)
