"""The inputs of ONNX graphs: which described input each of them is, and the sizes that it insists on; read without a framework.

The messages and the numbers of their fields: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

import mmap
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import ModelRunError, PredictionWarning
from ..protobuf import messages, number, text
from ..text import in_brief

__all__ = ["names_by_input", "required_shapes"]

MODEL_GRAPH, GRAPH_TENSOR, GRAPH_INPUT, TENSOR_NAME = 7, 5, 11, 8
LARGEST_SIZE = 1 << 32
"""Sizes that are as large stand for -1, which some writers put in place of a name."""


def names_by_input(names: Sequence[str], input_ids: Sequence[str]) -> list[str | None]:
    """Return the name in the graph of each described input; None if the graph lacks it.

    Args:
        names: Names of the inputs of the graph, in its order.
        input_ids: Ids of the described inputs, in described order.

    Raises:
        ModelRunError: The numbers differ, and names do not tell which inputs of the description the graph takes.

    """
    if len(names) == len(input_ids):
        return list(names)
    if set(names) <= set(input_ids):
        return [i if i in names else None for i in input_ids]
    raise ModelRunError(
        f"the ONNX graph takes {len(names)} inputs ({in_brief(', '.join(names))}), "
        f"the description has {len(input_ids)} ({', '.join(input_ids)}): "
        "expected the same number, or names of the graph that are ids of described inputs"
    )


def required_shapes(path: str, input_ids: Sequence[str]) -> list[tuple[int | None, ...]]:
    """Return the sizes that a graph requires of each described input; None along axes that may have any size.

    An input that the graph lacks has no axes.

    Warns:
        PredictionWarning: The inputs of the graph have the described names in another order.

    Raises:
        ModelRunError: The inputs of the graph are not the described ones.
        ValueError: The file is not an ONNX file, or is cut off.
        OSError: It cannot be read.

    """
    shapes = dict(_inputs(_content(Path(path))))
    names = names_by_input(list(shapes), input_ids)
    if names != list(input_ids) and sorted(shapes) == sorted(input_ids):
        warnings.warn(
            f"the ONNX graph takes the inputs in the order {', '.join(shapes)}, the description in the order {', '.join(input_ids)}: "
            "they are matched by position, as the format says; 'bmz test' tells whether that is right",
            PredictionWarning,
            stacklevel=2,
        )
    return [() if name is None else shapes[name] for name in names]


def _content(path: Path) -> memoryview:
    with path.open("rb") as file:
        if file.seek(0, 2) == 0:
            raise ValueError("the file is empty")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))  # closed with the last view of it


def _inputs(model: memoryview) -> Iterator[tuple[str, tuple[int | None, ...]]]:
    """Yield name and sizes of the inputs of a graph."""
    for graph in messages(model, MODEL_GRAPH):
        initial = {text(tensor, TENSOR_NAME) for tensor in messages(graph, GRAPH_TENSOR)}
        for info in messages(graph, GRAPH_INPUT):
            if text(info, 1) not in initial:  # old files list weights among the inputs
                yield text(info, 1), _shape(info)


def _shape(info: memoryview) -> tuple[int | None, ...]:
    for kind in messages(info, 2):
        for tensor in messages(kind, 1):
            for dims in messages(tensor, 2):
                return tuple(size if 0 < (size := number(dim, 1)) < LARGEST_SIZE else None for dim in messages(dims, 1))
    return ()
