"""Prediction of whole tensors in one call of the network: without padding, cropping or blocks, as for test tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from ..registry import Measure, WeightsAdapter
from ..typing import AxisId
from .data.tensor_view import AxisArray, TensorView
from .data.whole_tensors import ArraySource
from .execution.bound_steps import StepBinder, StepChain
from .execution.measure_unplanned import measure_view
from .model.loaded_model import LoadedModel
from .model.network import run_network
from .model.processing_steps import check_references, make_ops, plan_steps
from .model.tensor_spec import TensorIO

__all__ = ["WholeTensorCall"]


class WholeTensorCall:
    """Preprocesses whole inputs, runs the network once, and postprocesses its outputs.

    Args:
        model: The model.
        inputs: Arrays by id, along the described axes; optional inputs may be missing.
        trust: Whether ops that are code of the model may run; otherwise such an op raises `TrustError`.

    """

    def __init__(self, model: LoadedModel, inputs: Mapping[str, NDArray[Any]], *, trust: bool = False) -> None:
        self._model, self._trust = model, trust
        tensors = (*model.io.inputs, *model.io.outputs)
        self._steps = {t.id: plan_steps(t, model.registry) for t in tensors}
        raw = {t.id: _view(inputs[t.id], t.axis_ids) for t in model.io.inputs if t.id in inputs}
        check_references([(t, s) for t, steps in self._steps.items() for s in steps], raw, model.registry)
        references: dict[Measure, AxisArray] = {}
        for name, view in raw.items():
            needed = [m for steps in self._steps.values() for s in steps for m in s.needs.measures if m.tensor == name]
            if needed:
                references |= measure_view(view, needed, name=name).values
        self._references = references
        self.network_inputs = {t.id: self._process(t, raw[t.id]) for t in model.io.inputs if t.id in raw}
        """Preprocessed inputs of the network, by id."""

    def outputs(self, adapter: WeightsAdapter) -> dict[str, NDArray[Any]]:
        """Run a network, and return its postprocessed outputs by id.

        Raises:
            ModelRunError: The network failed, or its outputs differ from the description in number or rank.

        """
        return self.postprocessed(run_network(adapter, self._model.io, self.network_inputs))

    def postprocessed(self, outputs: Sequence[NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Return postprocessed outputs by id, from the outputs of the network in described order."""
        return {t.id: self._process(t, _view(a, t.axis_ids)) for t, a in zip(self._model.io.outputs, outputs, strict=True)}

    def _process(self, tensor: TensorIO, view: TensorView) -> NDArray[Any]:
        steps, registry = self._steps[tensor.id], self._model.registry
        ops = make_ops([(tensor.id, step) for step in steps], self._model, trust=self._trust)
        binder = StepBinder(registry=registry, ops=ops, measured=_measured, references=self._references)
        view = StepChain(tensor.id, view, steps, cut=tensor.axis_ids, binder=binder).view_after_all()
        return view.read((0,) * len(view.shape), view.shape)


def _measured(tensor: str, step: int, view: TensorView, measures: Sequence[Measure]) -> Mapping[Measure, AxisArray]:
    """Measure a view of a tensor; see `StatisticsLookup`."""
    return measure_view(view, measures, name=tensor).values


def _view(array: NDArray[Any], axes: Iterable[AxisId]) -> TensorView:
    return TensorView(source=ArraySource(array=array), axes=tuple(axes), shape=array.shape, chunks=array.shape, extra=0)
