"""``module_specification.json``: what a module takes and gives, and how a user is asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["image_keys", "specification_of"]

READ = ("tif", "tiff", "npy")
"""Endings of images that the module reads."""

LEAST_MEMORY, MOST_MEMORY, MEMORY = 0.5, 64.0, 2.0
"""GiB."""


def specification_of(descr: Any, weights_formats: Sequence[str], *, gpu: bool) -> dict[str, Any]:
    """Return the specification of a model's module.

    Args:
        descr: The model.
        weights_formats: What is in the module; a user chooses where there are several.
        gpu: Whether it asks for a GPU.

    """
    inputs: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    for tensor in descr.inputs:
        key = image_keys(descr)[_id(tensor)]
        words = f" ({_id(tensor)})" if len(descr.inputs) > 1 else ""
        inputs[key] = ({"type:file": {"format": [*READ]}}, {"label": f"Image{words}", "widget:file_dialog": {}})
        axes = {
            "label": f"Axes of the image{words}",
            "description": "As in zyx or tczyx; empty: those of the file, else a guess. "
            f"The model takes {', '.join(_axes(tensor))}; what it lacks is run through one by one.",
            "widget:textbox": {},
        }
        inputs[f"axes{key.removeprefix('image')}"] = ({"type:string": {}, "default": ""}, axes)
    inputs["channel"] = (
        {"type:string": {}, "default": ""},
        {"label": "Channel", "description": "Name or number of the channel to use, several with commas; empty: all.", "widget:textbox": {}},
    )
    inputs["block"] = (
        {"type:string": {}, "default": ""},
        {"label": "Largest block", "description": "In pixels, as in y=512,x=512; empty: as memory allows.", "widget:textbox": {}},
    )
    inputs["memory"] = (
        {"type:number": {"lower_inclusive": LEAST_MEMORY, "upper_inclusive": MOST_MEMORY}, "default": MEMORY},
        {"label": "Memory in GiB", "description": "What the blocks are chosen for.", "widget:slider": {"step": 0.5}},
    )
    if len(weights_formats) > 1:
        items = [{"key": name, "label": name} for name in weights_formats]
        inputs["weights_format"] = (
            {"type:choice_single": [*weights_formats], "default": weights_formats[0]},
            {"label": "Weights", "widget:dropdown": {"items": items}},
        )
    outputs = {_id(tensor): {"type:file": {"format": ["tif"] if _is_image(tensor) else ["npy"]}} for tensor in descr.outputs}
    return {
        "spec": {"inputs": {key: spec for key, (spec, _) in inputs.items()}, "outputs": outputs},
        "requirements": {"hardware": {"gpu": {}}} if gpu else {},
        "ui": {
            "inputs": {key: {"index": n, **ui} for n, (key, (_, ui)) in enumerate(inputs.items(), 1)},
            "outputs": {_id(tensor): {"index": n, "label": _id(tensor)} for n, tensor in enumerate(descr.outputs, 1)},
        },
    }


def image_keys(descr: Any) -> dict[str, str]:
    """Return by which name each input of the model is given: ``image`` for the only one."""
    ids = [_id(tensor) for tensor in descr.inputs]
    return {name: "image" if len(ids) == 1 else f"image_{name}" for name in ids}


def _id(tensor: Any) -> str:
    return str(tensor.id if hasattr(tensor, "id") else tensor.name)


def _axes(tensor: Any) -> list[str]:
    return [*tensor.axes] if isinstance(tensor.axes, str) else [axis.id for axis in tensor.axes]


def _is_image(tensor: Any) -> bool:
    return {"y", "x"} <= {*_axes(tensor)}
