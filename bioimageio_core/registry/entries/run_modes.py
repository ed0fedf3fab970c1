"""Entries of the hook ``bioimageio_run_modes``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Protocol, runtime_checkable

import attrs

from ...typing import AxisId, FrozenMapping
from .base import DescriptionEntry, called_with, is_arguments
from .weights import WeightsAdapter

__all__ = ["Pipeline", "PipelineSize", "PipelineTensor", "RunMode", "RunModeEntry"]


@attrs.frozen(kw_only=True)
class PipelineSize:
    """Which sizes an axis can have, in pixels.

    ``min + n * step`` for n = 0, 1, 2, ...; with a ``step`` of 0 only ``min``.
    An axis that follows another has ``floor(size of the other * ratio) + offset``.
    """

    min: int | None = None
    """None: the axis follows another one, or the network decides."""

    step: int = 0
    follows: tuple[str, AxisId] | None = None
    """Tensor and axis that the size follows."""

    ratio: Fraction = Fraction(1)
    offset: int = 0


@attrs.frozen(kw_only=True)
class PipelineTensor:
    """An input or output of the network."""

    id: str
    axes: tuple[AxisId, ...]
    """In described order."""

    kinds: tuple[str, ...]
    """Of each axis: ``batch``, ``channel``, ``index``, ``time`` or ``space``."""

    dtype: str
    ops: tuple[str, ...]
    """Names of the processing ops, in order: those before the network for inputs, those after it for outputs."""

    sizes: tuple[PipelineSize, ...] = ()
    """Which sizes each axis can have; empty if unknown. A batch axis that is described with a single item has a step of 0."""


@attrs.frozen(kw_only=True)
class Pipeline:
    """How a block is predicted: what a run mode sees and may change."""

    inputs: tuple[PipelineTensor, ...]
    outputs: tuple[PipelineTensor, ...]
    halo: Mapping[AxisId, int] = FrozenMapping()
    """Pixels of each output that are dropped on either side, by axis; from the description or the user's options."""

    whole_axes: tuple[AxisId, ...] = ()
    """Axes that are not cut into blocks."""

    batch_size: int = 1
    """Blocks that the network is given at once."""

    warnings: tuple[str, ...] = ()
    """Warnings for users of this run mode, one sentence each; shown with the plan."""

    added_axes: Mapping[AxisId, AxisId] = FrozenMapping()
    """Axes of space that blocks have and the network lacks, by the axis of the network that each is like, as in ``{"z": "y"}``.

    Every input and output with the axis that it is like gets the added axis (see `block_axes`), with the same sizes, size references,
    pixel size and halo, unless `halo` names the added axis: a halo of 0 there says that its positions do not depend on each other.
    Statistics over the axis that it is like extend over the added axis.
    """

    slices_per_call: int | None = None
    """How many slices of a block the network is given at once, by which planning estimates the memory of a call; None: the whole block."""

    def block_axes(self, tensor: PipelineTensor) -> tuple[AxisId, ...]:
        """Return the axes of a tensor as the wrapped network gets or returns it: added axes stand before its first axis of space."""
        space = [axis for axis, kind in zip(tensor.axes, tensor.kinds, strict=True) if kind == "space"]
        added = tuple(axis for axis, like in self.added_axes.items() if like in space)
        first = tensor.axes.index(space[0]) if space else 0
        return (*tensor.axes[:first], *added, *tensor.axes[first:])


@runtime_checkable
class RunMode(Protocol):
    """A way of running the network other than one call per block."""

    def plan(self, pipeline: Pipeline) -> Pipeline:
        """Return the pipeline with a larger halo, axes that are not cut, added axes, or another batch size.

        Called while planning, before any data is read; `inputs` and `outputs` stay as they are.
        """
        ...

    def wrap(self, adapter: WeightsAdapter, pipeline: Pipeline) -> WeightsAdapter:
        """Return what is called for each block in place of the network, with arrays along `Pipeline.block_axes`.

        Args:
            adapter: The network; it may be called any number of times for a block.
            pipeline: The pipeline as `plan` returned it.

        """
        ...


@attrs.frozen(kw_only=True)
class RunModeEntry(DescriptionEntry):
    """A ``run_mode`` of model descriptions, or one that users ask for."""

    load: Callable[[], Callable[[Any], RunMode]] = attrs.field(validator=called_with())
    """Imports the implementation and returns the function that makes the run mode from its kwargs."""

    kwargs: type | None = attrs.field(default=None, validator=is_arguments)
    """Class of its arguments, made with `node` or attrs, or a dataclass; they are checked before anything runs. None: any mapping."""

    rewrite: Callable[[Mapping[str, Any], Callable[[str], bytes]], Mapping[str, Any]] | None = attrs.field(
        default=None, validator=attrs.validators.optional(called_with("tree", "read"))
    )
    """Rewrite a description that names this run mode, for example with ops in its place.

    Called as such a model is loaded, with its description as a tree and a function that returns the content of one of its files.
    """

    def classes(self) -> Iterator[tuple[str, type]]:
        """Yield the class of the arguments."""
        if self.kwargs is not None:
            yield "kwargs", self.kwargs
