"""What the panel does, apart from its controls: looks at models, checks whether they take a layer, and predicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bioimageio_core as bc
from bioimageio_core.errors import BioimageioError
from bioimageio_core.io import Image

__all__ = ["Cancelled", "describe_fit", "describe_model", "model_axes", "predict_layers"]

GIGABYTE = 10**9


class Cancelled(BioimageioError):
    """The user cancelled the run."""


def describe_model(model: str) -> str:
    """Return a model in short: its name, inputs and outputs.

    Raises:
        BioimageioError: It cannot be found or read, or is invalid.

    """
    with bc.open_predictor(model) as predictor:
        described = predictor.model.io
        lines = [described.name]
        lines += [f"takes {tensor.id}: {', '.join(tensor.axis_ids)}" for tensor in described.inputs]
        lines += [f"gives {tensor.id}: {', '.join(tensor.axis_ids)}" for tensor in described.outputs]
    return "\n".join(lines)


def model_axes(model: str) -> tuple[str, ...]:
    """Return the axes of the first input of a model.

    Raises:
        BioimageioError: It cannot be read.

    """
    with bc.open_predictor(model) as predictor:
        return tuple(predictor.model.io.inputs[0].axis_ids)


def describe_fit(model: str, image: Image) -> str:
    """Return how a model takes an image; runs no network.

    Raises:
        BioimageioError: It does not; the message says why.

    """
    with bc.open_predictor(model) as predictor:
        plan = predictor.plan(image)
    count = plan.regions.block_count
    cautions = "".join(f"\n{line}" for line in plan.cautions)
    return f"fits, in {count} block{'s' * (count != 1)} and about {plan.estimated_memory / GIGABYTE:.1f} GB of memory{cautions}"


def predict_layers(model: str, image: Image, output: str | None, progress: Callable[[str, int, int], None]) -> list[Any]:
    """Predict an image, and return its outputs as layer data.

    Args:
        model: Any source of a model.
        image: The image.
        output: Folder to write, which ends in ``.zarr``; None keeps the result in memory.
        progress: Called as in `predict`; ends the run where it raises.

    Raises:
        BioimageioError: The model does not take the image, the run fails, or ``progress`` raises.

    """
    result = bc.predict(model, image, output, progress=progress)
    found = []
    for data, attributes, kind in bc.layers(result):
        if attributes["metadata"].get("is_output"):
            found.append((data, {**attributes, "name": f"{image.name} {attributes['name']}"}, kind))
    return found
