"""Finds the tensors of a network by calling it: axes, channels, and sizes that it accepts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ..axis_names import parse_axes
from ..errors import AxesError, InputError, ModelRunError
from ..prediction.geometry.signature import NetworkInput, NetworkOutput, Signature
from ..registry import WeightsAdapter
from ..typing import AxisId, FrozenMapping
from .guess_axes import guess_input_axes, guess_output_axes
from .network_graph import Dim, Graph, GraphTensor

__all__ = ["FoundTensors", "find_tensors", "ids_of"]

SIZES: Mapping[int, tuple[int, ...]] = {
    1: (256, 512, 1024, 128, 64, 100),
    2: (64, 128, 256, 96, 160, 512, 224, 188, 572, 100, 32, 16, 80, 299),
    3: (32, 64, 48, 96, 128, 16, 100, 132),
}
"""Sizes to try, by the number of axes of space, if the file has no sizes."""

CHANNELS = (1, 3, 2, 4)
MOST_CALLS = 400
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,31}")


@attrs.frozen(kw_only=True)
class FoundTensors:
    """The tensors of a network, with sizes that it accepts."""

    signature: Signature
    output_shapes: tuple[tuple[int, ...], ...]
    output_dtypes: tuple[str, ...]
    one_at_a_time: bool
    """Whether it accepts only batches of one."""

    guessed: tuple[str, ...]
    """The guesses, in sentences."""

    original_names: FrozenMapping[str, str]
    """Names of tensors in the file that differ from their ids, by id."""


def ids_of(names: Sequence[str], word: str) -> tuple[str, ...]:
    """Return ids for tensors: their names if all of them are valid ids, else numbered ids."""
    if all(_ID.fullmatch(n) for n in names) and len({n.lower() for n in names}) == len(names):
        return tuple(names)
    return (word,) if len(names) == 1 else tuple(f"{word}{n}" for n in range(len(names)))


def find_tensors(
    network: WeightsAdapter, graph: Graph, *, axes: Mapping[str, str], sizes: Mapping[AxisId, int], channels_last: bool = False
) -> FoundTensors:
    """Call a network with images of several sizes, numbers of channels and axes until it accepts some.

    Args:
        network: Takes and returns arrays in the order of the graph.
        graph: The information in its file.
        axes: Axes by id of the input, as `parse_axes` reads them; those under ``""`` apply to all other inputs.
        sizes: Sizes that it is known to accept, by axis.
        channels_last: Whether channels usually come last in its framework.

    Raises:
        AxesError: Axes are unknown, or their number differs from that in the file.
        InputError: The network accepts none of the images.

    """
    ids = ids_of([t.name for t in graph.inputs], "input")
    unknown = set(axes) - {"", *ids}
    if unknown:
        raise AxesError(f"axes are given for {', '.join(sorted(unknown))}, which the network lacks: expected some of {', '.join(ids)}")
    last: Exception | None = None
    for inputs in islice(_candidates(graph, ids, axes, sizes, channels_last), MOST_CALLS):
        try:
            outputs = [np.asarray(o) for o in network([_plain(i) for i in inputs])]
        except (ModelRunError, InputError) as error:
            last = error
            continue
        if outputs and all(o.size for o in outputs):
            return _tried(network, graph, ids, inputs, outputs, given=bool(axes))
    what = f"; the last error: {last}" if last is not None else ""
    raise InputError(
        f"the network accepts none of the images that were tried: name them, as in axes='bcyx' "
        f"(--axes bcyx), and their sizes, as in size={{'y': 256}} (--size y=256){what}"
    )


def _tried(
    network: WeightsAdapter,
    graph: Graph,
    ids: tuple[str, ...],
    inputs: tuple[NetworkInput, ...],
    outputs: list[NDArray[Any]],
    *,
    given: bool,
) -> FoundTensors:
    names = [t.name for t in graph.outputs] if len(graph.outputs) == len(outputs) else []
    output_ids = ids_of(names or ["not an id"] * len(outputs), "output")
    if set(output_ids) & set(ids):
        output_ids = ids_of(["not an id"] * len(outputs), "output")
    output_axes = [guess_output_axes(o.shape, [i.axes for i in inputs]) for o in outputs]
    guessed = [] if given else [f"the axes of input {i.id!r} are {', '.join(i.axes)}" for i in inputs]
    guessed += [f"the axes of output {o!r} are {', '.join(a)}" for o, a in zip(output_ids, output_axes, strict=True)]
    analysed = dict.fromkeys(a for i in inputs for a in i.axes if a not in ("batch", "channel"))
    fixed = {
        (i.id, a) for i, t in zip(inputs, graph.inputs, strict=True) for a, d in zip(i.axes, t.shape or (None,) * len(i.axes), strict=True)
        if isinstance(d, int)
    }  # fmt: skip
    signature = Signature(
        inputs=inputs,
        outputs=tuple(NetworkOutput(id=o, axes=a) for o, a in zip(output_ids, output_axes, strict=True)),
        analysed=tuple(analysed),
        fixed=frozenset(fixed),
    )
    pairs = [*zip(ids, (t.name for t in graph.inputs), strict=True), *(zip(output_ids, names, strict=True) if names else ())]
    return FoundTensors(
        signature=signature,
        output_shapes=tuple(o.shape for o in outputs),
        output_dtypes=tuple(str(o.dtype) for o in outputs),
        one_at_a_time=not _takes_batches(network, signature),
        guessed=tuple(guessed),
        original_names=FrozenMapping({i: n for i, n in pairs if i != n}),
    )


def _candidates(
    graph: Graph, ids: tuple[str, ...], axes: Mapping[str, str], sizes: Mapping[AxisId, int], channels_last: bool
) -> Iterator[tuple[NetworkInput, ...]]:
    """Yield candidate inputs; ranks vary slowest, then numbers of channels, then sizes."""
    for ranks in _ranks(graph, ids, axes):
        layouts = [_layout(t, i, rank, axes, channels_last) for t, i, rank in zip(graph.inputs, ids, ranks, strict=True)]
        space = max(sum(a not in ("batch", "channel") for a in layout) for layout in layouts)
        for channels, size in product(_channels(graph), SIZES.get(space, SIZES[2])):
            yield tuple(
                NetworkInput(
                    id=i, axes=layout, dtype=t.dtype, shape=_shape(t.shape or (None,) * len(layout), layout, sizes, size, channels)
                )
                for t, i, layout in zip(graph.inputs, ids, layouts, strict=True)
            )


def _ranks(graph: Graph, ids: tuple[str, ...], axes: Mapping[str, str]) -> Iterator[tuple[int, ...]]:
    free = (graph.spatial + 2,) if graph.spatial is not None else (4, 5, 3)
    given = [axes.get(i, axes.get("")) for i in ids]
    known = [len(parse_axes(g)) if g else len(t.shape or ()) for t, g in zip(graph.inputs, given, strict=True)]
    for rank in free if 0 in known else (0,):
        yield tuple(k or rank for k in known)


def _layout(tensor: GraphTensor, tensor_id: str, rank: int, axes: Mapping[str, str], channels_last: bool) -> tuple[AxisId, ...]:
    letters = axes.get(tensor_id, axes.get(""))
    layout = parse_axes(letters) if letters else guess_input_axes(tensor, rank, channels_last)
    if tensor.shape is not None and len(layout) != len(tensor.shape):
        raise AxesError(f"input {tensor_id!r} has {len(tensor.shape)} axes: found {len(layout)} in {letters!r}")
    return layout


def _channels(graph: Graph) -> tuple[int, ...]:
    if graph.channels is None:
        return CHANNELS
    share = graph.channels // len(graph.inputs)
    return tuple(dict.fromkeys(c for c in (share, graph.channels, *CHANNELS) if c > 0))


def _shape(dims: Sequence[Dim], layout: tuple[AxisId, ...], sizes: Mapping[AxisId, int], size: int, channels: int) -> tuple[int, ...]:
    free = {"batch": 1, "channel": channels}
    return tuple(d if isinstance(d, int) else sizes.get(a, free.get(a, size)) for d, a in zip(dims, layout, strict=True))


def _plain(tensor: NetworkInput) -> NDArray[Any]:
    random = np.random.default_rng(0)
    return (random.random(tensor.shape, np.float32) * (1 if np.dtype(tensor.dtype).kind == "f" else 100)).astype(tensor.dtype)


def _takes_batches(network: Callable[[Sequence[NDArray[Any]]], Sequence[NDArray[Any]]], signature: Signature) -> bool:
    """Return whether a batch of two gives outputs of two items."""
    if any("batch" not in t.axes or (t.id, "batch") in signature.fixed for t in signature.inputs):
        return False
    twice = [np.concatenate([_plain(t)] * 2, axis=t.axes.index("batch")) for t in signature.inputs]
    try:
        outputs = network(twice)
    except (ModelRunError, InputError):
        return False
    return all("batch" not in o.axes or a.shape[o.axes.index("batch")] == 2 for o, a in zip(signature.outputs, outputs, strict=False))
