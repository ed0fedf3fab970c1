"""Analyses the network of a described model, and remembers the result."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from ..errors import ModelRunError
from ..prediction.geometry.model_signature import signature_of
from ..prediction.geometry.network_geometry import NetworkAnalysis
from ..prediction.geometry.remembered_analyses import recall, remember
from ..prediction.geometry.signature import Signature
from ..prediction.model.loaded_model import LoadedModel
from ..prediction.model.network import load_adapter
from ..prediction.model.tensor_spec import TensorIO
from ..prediction.model.test_tensors import load_npy
from ..prediction.model.weights_selection import choose_weights
from ..prediction.options import PredictOptions
from ..resources import allotted_cores
from .analyse_network import analyse_network

__all__ = ["analyse_model"]


def analyse_model(
    model: LoadedModel,
    options: PredictOptions,
    report: Callable[[str, int, int], None] = lambda stage, done, total: None,
    *,
    again: bool = False,
) -> NetworkAnalysis:
    """Analyse the network of a model with weights that run here, or return its remembered analysis.

    Args:
        model: The model.
        options: `weights_format`, `device`, `imports` and `trust` are used.
        report: Progress callback.
        again: Analyse even if an analysis is remembered.

    Raises:
        ModelRunError: The network fails on inputs that the description allows.
        SourceError: The weights are missing.

    """
    choice = choose_weights(model.weights, model.registry, options)
    signature = signature_of(model.io)
    sha256 = model.sha256_of_weights(choice.weights_format)
    known = None if again else recall(sha256, choice.adapter, signature)
    if known is not None:
        return known
    # Half the cores: most calls are small, and threads that wait for each other are slow on a busy machine.
    threads = max(1, allotted_cores() // 2)
    adapter = load_adapter(choice, choice.devices[0], model, threads=threads, trust=options.trust)
    try:
        try:
            measured = analyse_network(adapter, signature, report)
        except ModelRunError:
            tested = _of_test_tensors(signature, model)
            if tested is None or tested == signature:
                raise
            measured = analyse_network(adapter, tested, report)
    finally:
        adapter.close()
    measured = attrs.evolve(measured, adapter=choice.adapter, weights_format=choice.weights_format)
    remember(sha256, measured, signature)
    return measured


def _of_test_tensors(signature: Signature, model: LoadedModel) -> Signature | None:
    """Return the signature with the sizes of the test tensors; None where there are none."""
    tensors: dict[str, TensorIO] = {t.id: t for t in model.io.inputs}
    inputs = []
    for known in signature.inputs:
        file = tensors[known.id].test_tensor
        if file is None:
            return None
        shape = load_npy(model.package.local(file.source, sha256=file.sha256)).shape
        inputs.append(attrs.evolve(known, shape=tuple(map(int, shape))))
    return attrs.evolve(signature, inputs=tuple(inputs))
