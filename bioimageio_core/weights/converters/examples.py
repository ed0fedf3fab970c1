"""Examples for the comparison of converted networks: inputs in all known sizes, and the outputs of the original network."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from ...errors import ModelRunError
from ...registry import ConverterContext
from ...text import in_brief
from ..torch_network import ordered_outputs

__all__ = ["Agreed", "Example", "called", "first_that_agrees", "make_examples"]

RTOL, ATOL = 1e-3, 1e-4
"""Tolerances; the absolute one is relative to the greatest value of an output. Exporters reorder and fuse operations."""

Arrays: TypeAlias = Sequence[NDArray[Any]]

N = TypeVar("N", bound=Callable[[Any], Any])


@attrs.frozen(kw_only=True)
class Agreed(Generic[N]):
    """A converted network with the outputs of the original one."""

    network: N
    warning: str
    """What the exporter warned of, in one line; empty if of nothing."""


@attrs.frozen(kw_only=True)
class Example:
    """Inputs, and the outputs of the original network."""

    inputs: Arrays
    outputs: Arrays
    name: str
    """What the inputs are, for messages."""

    def complaint(self, network: Callable[[Arrays], Arrays]) -> str:
        """Return how the outputs of a network differ; empty where they agree."""
        try:
            found = network(self.inputs)
        except Exception as error:  # frameworks may raise anything
            return f"fails on {self.name}: {in_brief(error)}"
        if len(found) < len(self.outputs):
            return f"returns {len(found)} outputs, the network {len(self.outputs)}"
        for number, (array, expected) in enumerate(zip(found, self.outputs, strict=False)):
            if array.shape != expected.shape:
                return f"returns output {number} of shape {array.shape} for {self.name}, the network {expected.shape}"
            scale = float(np.nanmax(np.abs(expected), initial=0, where=np.isfinite(expected)))
            if not np.allclose(array, expected, rtol=RTOL, atol=ATOL * max(scale, 1e-30), equal_nan=True):
                return f"returns other values than the network for {self.name}, in output {number}"
        return ""


def called(module: Any, inputs: Arrays, output_ids: Sequence[str]) -> list[NDArray[Any]]:
    """Return the outputs of a PyTorch module for arrays, in described order."""
    import torch

    with torch.inference_mode():
        result = module(*(torch.from_numpy(np.array(array, order="C")) for array in inputs))
    return [output.numpy() for output in ordered_outputs(result, output_ids)[: len(output_ids)]]


def make_examples(context: ConverterContext, module: Any) -> list[Example]:
    """Return examples; the first is with the test inputs.

    If the batch size is variable, the last example has two items, since traces treat a size of one specially.
    Contents and sizes that the network does not accept are left out.

    Raises:
        ModelRunError: The network does not accept the test inputs.

    """
    ids = context.source.output_ids
    try:
        examples = [Example(inputs=context.inputs, outputs=called(module, context.inputs, ids), name="the test inputs")]
    except ModelRunError:
        raise
    except Exception as error:  # what the code of a model raises
        shapes = ", ".join(str(array.shape) for array in context.inputs)
        raise ModelRunError(f"the network to convert fails on the test inputs, of shapes {shapes}: {in_brief(error)}") from error
    for inputs in [*context.other_inputs, _twice(context)]:
        with suppress(Exception):  # what the code of a model raises
            examples.append(Example(inputs=inputs, outputs=called(module, inputs, ids), name=_name(inputs, context.inputs)))
    return examples


def _name(inputs: Arrays, test_inputs: Arrays) -> str:
    """Return what inputs are beside the test inputs, for messages."""
    shapes = [array.shape for array in inputs]
    if shapes == [array.shape for array in test_inputs]:
        return "test inputs with other contents"
    return f"inputs of sizes {', '.join(map(str, shapes))}"


def _twice(context: ConverterContext) -> Arrays:
    axes = [tuple(ids) if "batch" in variable else () for ids, variable in zip(context.input_axes, context.variable_axes, strict=False)]
    return [
        np.concatenate([array, array], axis=ids.index("batch")) if "batch" in ids and array.shape[ids.index("batch")] == 1 else array
        for array, ids in zip(context.inputs, axes or [()] * len(context.inputs), strict=True)
    ]


def first_that_agrees(attempts: Mapping[str, Callable[[], N]], examples: Sequence[Example], *, name: str, to_format: str) -> Agreed[N]:
    """Return the first converted network with the outputs of the original one for all examples.

    Args:
        attempts: Functions that convert and return the converted network, by a name for messages.
        examples: What it is tried with.
        name: Name of the original file, for errors.
        to_format: Name of the target format, for errors.

    Raises:
        ModelRunError: No network agrees; the message gives the difference of each.

    """
    failures, differences = [], []
    for words, convert in attempts.items():
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                network = convert()
        except Exception as error:  # exporters raise almost anything
            failures.append(f"{words} fails: {in_brief(error, named=True)}")
            continue
        warning = _of_trace(words, caught)
        complaint = next(filter(None, (example.complaint(network) for example in examples)), "")
        if not complaint:
            return Agreed(network=network, warning=warning)
        differences.append(f"what {words} gives {complaint}" + (f" ({warning})" if warning else ""))
    raise ModelRunError(f"{name} cannot be converted to {to_format}: {'; '.join([*differences, *failures])}"[:900])


def _of_trace(words: str, caught: Sequence[warnings.WarningMessage]) -> str:
    """Return what PyTorch warned about a trace, in one line; its other warnings are for its developers."""
    import torch

    traced = list(dict.fromkeys((Path(w.filename).name, w.lineno, str(w.message)) for w in caught if w.category is torch.jit.TracerWarning))
    if not traced:
        return ""
    file, line, message = traced[0]
    others = f", and {len(traced) - 1} further warnings" if len(traced) > 1 else ""
    return f"{words} warns of line {line} of {file}: {in_brief(message)}{others}"
