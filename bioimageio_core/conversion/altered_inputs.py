"""Test inputs with other contents: networks that branch on what they see show it, and conversions that record one branch fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import BioimageioError
from ..prediction.model.loaded_model import LoadedModel
from ..prediction.whole_tensor import WholeTensorCall

__all__ = ["ALTERATIONS", "altered_examples"]

Values: TypeAlias = NDArray[np.float64]

CONTRAST = 0.1
"""Contrast of dark and bright images, relative to the test input."""


def _dark(values: Values, high: float, top: float) -> Values:
    return values * CONTRAST


def _bright(values: Values, high: float, top: float) -> Values:
    return top - CONTRAST * (high - values)


def _inverted(values: Values, high: float, top: float) -> Values:
    return high - (values - np.min(values, initial=np.inf, where=np.isfinite(values)))


def _shuffled(values: Values, high: float, top: float) -> Values:
    return np.random.default_rng(0).permutation(values.reshape(-1)).reshape(values.shape)


ALTERATIONS: Mapping[str, Callable[[Values, float, float], Values]] = {
    "dark": _dark,
    "bright": _bright,
    "inverted": _inverted,
    "shuffled": _shuffled,
}
"""How test inputs are altered: functions of the values, their maximum, and the maximum of a bright image.
Shuffled pixels are noise of the values that the model knows."""


def altered_examples(
    model: LoadedModel, inputs: Mapping[str, NDArray[Any]], *, trust: bool
) -> Iterator[tuple[str, dict[str, NDArray[Any]]]]:
    """Yield name and network inputs, by id, of altered test inputs, unless preprocessing makes them equal, as where it normalises.

    Args:
        model: The model.
        inputs: Test inputs by id.
        trust: Whether code that comes with the model may run.

    """
    known = [WholeTensorCall(model, inputs, trust=trust).network_inputs]
    for words, alter in ALTERATIONS.items():
        try:
            arrays = {name: _altered(array, alter) for name, array in inputs.items()}
            example = WholeTensorCall(model, arrays, trust=trust).network_inputs
        except BioimageioError:  # an op refuses these values
            continue
        if not any(_are_equal(example, other) for other in known):
            known.append(example)
            yield words, example


def _altered(array: NDArray[Any], alter: Callable[[Values, float, float], Values]) -> NDArray[Any]:
    """Return altered values in the same dtype; of floats up to 1, none is above 1."""
    values = array.astype(np.float64)
    high = float(np.max(values, initial=-np.inf, where=np.isfinite(values)))
    if not np.isfinite(high):  # no number at all
        return array
    if array.dtype.kind == "f":
        return alter(values, high, 1.0 if high <= 1 else 2 * high).astype(array.dtype)
    most = 1 if array.dtype.kind == "b" else int(np.iinfo(array.dtype).max)
    return np.rint(alter(values, high, min(max(2 * high, high), most))).astype(array.dtype)


def _are_equal(first: Mapping[str, NDArray[Any]], second: Mapping[str, NDArray[Any]]) -> bool:
    return all(np.allclose(first[name], second[name], rtol=1e-4, atol=1e-6, equal_nan=True) for name in first)
