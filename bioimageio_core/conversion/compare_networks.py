"""Compares converted weights with the original ones, on the test inputs in several sizes and with several contents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, MissingRequirementError, ModelRunError, UnknownExtensionError
from ..model_tests.compare_outputs import compare, difference
from ..prediction.model.loaded_model import LoadedModel
from ..prediction.model.network import run_network
from ..prediction.model.tensor_spec import TensorIO
from ..prediction.model.weights_selection import choose_weights
from ..prediction.options import PredictOptions
from ..prediction.predictor import Predictor
from ..registry import WeightsConverterEntry
from ..spec.model.tolerances import Tolerance
from ..typing import FrozenMapping

__all__ = ["Compared", "compare_networks"]

RELATIVE, ABSOLUTE, PER_MILLION = 1e-3, 1e-4, 100
"""Allowed difference of outputs of converted weights: relative to each value, plus relative to the greatest value, and elements per
million that may differ by more, as near the threshold of an argmax.

Exports of float32 networks differ by about 1e-6, since they sum in another order; half precision would not pass."""

Inputs: TypeAlias = Mapping[str, NDArray[Any]]


@attrs.frozen(kw_only=True)
class Compared:
    """The comparison of converted weights with the original ones."""

    deviations: FrozenMapping[str, float] = FrozenMapping()
    """Greatest absolute difference by output; empty if the original weights cannot run here."""

    contents: int = 0
    """Number of contents on which both ran: the test inputs, and altered ones."""


def compare_networks(
    model: LoadedModel,
    converted: LoadedModel,
    converter: WeightsConverterEntry,
    options: PredictOptions,
    examples: Sequence[Inputs],
    altered: Mapping[str, Inputs],
) -> Compared:
    """Run the original and the converted weights on examples, and compare their outputs.

    Args:
        model: The model with the original weights.
        converted: The model with the converted weights.
        converter: What converted them.
        options: `device` and `trust` are used.
        examples: Network inputs by id: the test inputs, and the same in other sizes.
        altered: Network inputs with other contents, by a word for them; what the original network refuses is left out.

    Raises:
        ModelRunError: A difference is larger than `RELATIVE` and `ABSOLUTE` allow, or a network fails.

    """
    before = attrs.evolve(options, weights_format=converter.from_format)
    try:
        choose_weights(model.weights, model.registry, before)
    except (InputError, MissingRequirementError, UnknownExtensionError):
        return Compared()  # a converter does not need an adapter for the original weights
    after = attrs.evolve(options, weights_format=converter.to_format)
    tried = [*(("", e) for e in examples), *altered.items()]
    inputs = [example for _, example in tried]
    deviations, contents = dict.fromkeys((t.id for t in model.io.outputs), 0.0), 1
    for (words, _), expected, found in zip(tried, _outputs(model, before, inputs), _outputs(converted, after, inputs), strict=True):
        if isinstance(expected, ModelRunError):
            if words:
                continue
            raise expected
        if isinstance(found, ModelRunError):
            raise found
        for tensor, want, got in zip(model.io.outputs, expected, found, strict=True):
            complaint = _complaint(tensor, want, got)
            if complaint:
                where = f" for {words} test inputs" if words else ""
                raise ModelRunError(
                    f"the converted {converter.to_format} weights give other outputs than the {converter.from_format} weights{where}, "
                    f"so nothing is written: {complaint}"
                )
            deviations[tensor.id] = max(deviations[tensor.id], float(difference(got, want).max(initial=0.0)))
        contents += bool(words)
    return Compared(deviations=FrozenMapping(deviations), contents=contents)


def _complaint(tensor: TensorIO, want: NDArray[Any], got: NDArray[Any]) -> str:
    """Return how an output differs; empty if it does not."""
    size = np.abs(want[np.isfinite(want)].astype(np.float64)).max(initial=0.0)
    allowed = Tolerance(relative=RELATIVE, absolute=ABSOLUTE * float(size), mismatched_per_million=PER_MILLION, output_ids=())
    compared = compare(tensor.id, got, want, allowed)
    return "" if compared.passed else f"output {tensor.id!r} {compared.message}"


def _outputs(model: LoadedModel, options: PredictOptions, examples: Iterable[Inputs]) -> Iterator[list[NDArray[Any]] | ModelRunError]:
    """Yield the outputs of the network of a model for each example, or why it fails."""
    with Predictor(model, options) as predictor, predictor.open_network() as network:
        for example in examples:
            try:
                yield run_network(network, model.io, example)
            except ModelRunError as error:
                yield error
