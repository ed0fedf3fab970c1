"""Lists what the author of a drafted model must fill in."""

from __future__ import annotations

import attrs

from ..axis_names import SPACE
from .find_tensors import FoundTensors
from .network_graph import Graph

__all__ = ["Todo", "todo_list"]


@attrs.frozen(kw_only=True)
class Todo:
    """A field to fill in."""

    path: str
    """Its location in the description, as in validation reports."""

    text: str


def todo_list(tried: FoundTensors, graph: Graph, weights_format: str) -> tuple[Todo, ...]:
    """Return the fields to fill in; those that matter most for correct results come first."""
    listed = []
    for number, tensor in enumerate(tried.signature.inputs):
        text = f"how images are normalised before they go into {tensor.id!r}; without any they go in as they are"
        listed.append(Todo(path=f"inputs.{number}.preprocessing", text=text))
    for number, output in enumerate(tried.signature.outputs):
        text = f"what is done to {output.id!r}, such as sigmoid, unless the network does it itself"
        listed.append(Todo(path=f"outputs.{number}.postprocessing", text=text))
    paths = [*(f"inputs.{n}" for n in range(len(tried.signature.inputs))), *(f"outputs.{n}" for n in range(len(tried.signature.outputs)))]
    for path, one in zip(paths, tried.signature.tensors, strict=True):
        if "channel" in one.axes:
            listed.append(Todo(path=f"{path}.axes.{one.axes.index('channel')}.channel_names", text="what the channels show"))
        if set(one.axes) & {*SPACE}:
            listed.append(Todo(path=f"{path}.axes", text="unit and scale of pixels, if the model is for certain ones"))
    listed += [
        Todo(path=f"weights.{weights_format}.{name}", text="the version that the weights were made with; it was assumed")
        for name in graph.unknown
    ]
    listed += [
        Todo(path="name", text="a name for people"),
        Todo(path="description", text="what the model does, in a sentence"),
        Todo(path="authors", text="who made the model, with affiliation and ORCID"),
        Todo(path="maintainers", text="who answers questions, with the name on GitHub"),
        Todo(path="license", text="an SPDX identifier, such as MIT or CC-BY-4.0"),
        Todo(path="cite", text="what to cite, with its DOI"),
        Todo(path="tags", text="words to find the model by"),
        Todo(path="documentation", text="what the model is for, how it was trained, and how to validate it"),
        Todo(path="covers", text="a picture of real data; the one there is shows the test tensors"),
        Todo(path="inputs.0.test_tensor", text="a real image; the one there is shows made-up blobs"),
    ]
    return tuple(listed)
