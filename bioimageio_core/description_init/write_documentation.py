"""Writes the documentation of a drafted model: what is known, and what its author should add."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..text import in_one_line
from .describe_tensors import DraftedAxes
from .find_tensors import FoundTensors
from .todo_list import Todo

__all__ = ["documentation_of"]

_PAGE = """\
# {name}

TODO: what the model does, for whom, and for which images.

## Inputs and outputs

{tensors}

## Measured

{measured}

## Training

TODO: on which data, and how.

## Validation

TODO: how to find out whether the model does well on images of one's own, by which measure.

## To be filled in

{todo}
"""


def documentation_of(name: str, tried: FoundTensors, drafted: DraftedAxes, todo: Sequence[Todo], notes: Sequence[str]) -> str:
    """Return the page as Markdown."""
    return _PAGE.format(
        name=in_one_line(name),
        tensors="\n".join(_tensors(tried)),
        measured="\n".join([*_measured(drafted), *(f"- {in_one_line(n)}" for n in notes)])
        or "Nothing: the network has no axes that could vary.",
        todo="\n".join(f"- `{t.path}`: {t.text}" for t in todo),
    )


def _tensors(tried: FoundTensors) -> Iterator[str]:
    for tensor in tried.signature.tensors:
        yield f"- `{tensor.id}` ({', '.join(tensor.axes)}): TODO"


def _measured(drafted: DraftedAxes) -> Iterator[str]:
    for axis in drafted.measured.axes:
        for output in axis.outputs:
            need = "the whole axis" if output.halo is None else f"{output.halo} pixels"
            stride = "no stride was found" if axis.stride is None else f"the stride is {axis.stride}"
            name = f"{axis.inputs[0][0]}.{axis.axis}"
            yield f"- `{name}`: size {axis.size}, {stride}; `{output.tensor}.{output.axis}` needs a halo of {need}."
