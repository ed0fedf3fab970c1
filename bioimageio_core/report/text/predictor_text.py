"""An open predictor as text."""

from __future__ import annotations

from collections.abc import Iterator

from ...errors import BioimageioError
from ...prediction.model.weights_selection import choose_weights
from ...prediction.predictor import Predictor
from ..plain_text import in_one_line

__all__ = ["predictor_facts", "predictor_text"]


def predictor_text(predictor: Predictor) -> str:
    """Return the model of a predictor, its tensors, weights and device, and the options that differ from their defaults."""
    facts = [(label, in_one_line(text)) for label, text in predictor_facts(predictor)]
    width = max(len(label) for label, _ in facts)
    return "\n".join([in_one_line(predictor.model.io.name), *(f"  {label:<{width}}  {text}" for label, text in facts)])


def predictor_facts(predictor: Predictor) -> Iterator[tuple[str, str]]:
    """Yield labels and texts; loads no network."""
    io = predictor.model.io
    for kind, tensors in (("input", io.inputs), ("output", io.outputs)):
        for tensor in tensors:
            optional = ", optional" if tensor.optional else ""
            yield f"{kind} {tensor.id}", f"{', '.join(tensor.axis_ids)}; {tensor.dtype}{optional}"
    try:
        weights = choose_weights(predictor.model.weights, predictor.model.registry, predictor.options)
    except BioimageioError as error:
        yield "cannot run", str(error)
    else:
        yield "weights", f"{weights.weights_format}, with {weights.adapter}"
        yield "device", ", ".join(weights.devices)
    yield from predictor.options.given.items()
