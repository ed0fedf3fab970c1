"""Chooses the converter for the weights of a model."""

from __future__ import annotations

from typing import Any

from ..errors import InputError, MissingRequirementError, UnknownExtensionError
from ..prediction.model.loaded_model import LoadedModel
from ..registry import WeightsConverterEntry, missing_requirements
from ..spec.extensions import OpaqueWeights

__all__ = ["choose_converter"]


def choose_converter(model: LoadedModel, to_format: str, from_format: str | None) -> WeightsConverterEntry:
    """Return the installed converter of highest preference from weights of the model to another format.

    Raises:
        InputError: The model has weights of this format already, lacks those to convert from, or its format version does not know them.
        UnknownExtensionError: No plugin describes the format, or converts to it.
        MissingRequirementError: The packages that converters need are not installed.

    """
    registry = model.registry
    if to_format not in registry.weights_formats:
        raise UnknownExtensionError(
            f"no installed plugin describes weights in the format {to_format!r}: expected one of {', '.join(registry.weights_formats)}"
        )
    if model.io.format not in registry.weights_formats[to_format].descr:
        raise InputError(
            f"descriptions of format {model.io.format} cannot have {to_format!r} weights: "
            "bring the model to the newest format first (bmz update)"
        )
    if to_format in model.weights:
        raise InputError(f"the model has {to_format!r} weights already: to convert them again, package it without them first (bmz package)")
    if from_format is not None and from_format not in model.weights:
        raise InputError(f"the model has no {from_format!r} weights: expected one of {', '.join(model.weights)}")
    from_formats = [name for name, entry in model.weights.items() if from_format in (None, name) and not isinstance(entry, OpaqueWeights)]
    ways = [c for c in registry.weights_converters.values() if c.to_format == to_format and c.from_format in from_formats]
    if not ways:
        known = sorted({f"{c.from_format} to {c.to_format}" for c in registry.weights_converters.values()})
        raise UnknownExtensionError(
            f"no installed plugin converts {' or '.join(from_formats)} to {to_format}: expected one of {'; '.join(known) or 'none'}"
        )
    ways.sort(key=lambda c: (-c.preference, c.name))
    for converter in ways:
        if not missing_requirements(converter.requires):
            return converter
    needs = "; ".join(f"{c.from_format} to {c.to_format} needs {_missing(c)}" for c in ways)
    raise MissingRequirementError(f"no converter for the weights of this model is installed: {needs}")


def _missing(converter: Any) -> str:
    remedy = f" (pip install '{converter.extra}')" if converter.extra else ""
    return f"{', '.join(missing_requirements(converter.requires))}{remedy}"
