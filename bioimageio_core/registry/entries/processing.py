"""Entries of the hook ``bioimageio_processing_ops``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

import attrs

from ...typing import AxisId, FrozenMapping, ModelFormat
from .base import DescriptionEntry, called_with, is_a, is_description, some_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Measure", "Measured", "Needs", "ProcessingOp", "ProcessingOpEntry", "ProcessingOpFactory"]


@attrs.frozen(kw_only=True)
class Measure:
    """A statistic of a tensor that an op needs before it runs.

    It is measured on the whole sample, never on a block, in float64, and without padding or NaN.
    """

    kind: Literal["mean", "std", "percentile"]
    """``std`` is the population's (ddof 0)."""

    axes: tuple[AxisId, ...]
    """Axes to reduce. With ``batch`` among them it is a statistic of the dataset, which users may supply."""

    tensor: str | None = None
    """None: the input of the op, after the ops before it. Otherwise the id of a model input, before any op."""

    q: float | None = None
    """For ``percentile``: 0 to 100."""

    method: Literal["linear", "inverted_cdf"] = "linear"
    """For ``percentile``: the method in the words of `numpy.percentile`."""


@attrs.frozen(kw_only=True)
class Needs:
    """What an op needs from the planner. The default is an elementwise op: any block can be processed on its own."""

    measures: tuple[Measure, ...] = ()
    """Statistics to have before the op runs."""

    whole_axes: tuple[AxisId, ...] = ()
    """Axes that must not be cut, because the op reduces over them or its arguments vary along them."""

    whole_sample: bool = False
    """True: the op sees the whole sample at once, after all blocks are done."""

    halo: Mapping[AxisId, int] = FrozenMapping()
    """Pixels that the op needs on either side, for filters; the output has the size of the input."""

    dtype: str | None = None
    """Name of the resulting dtype, where the op changes it."""


Measured: TypeAlias = "Mapping[Measure, NDArray[Any]]"
"""Measures and their values: float64 arrays that broadcast against the op's tensor (reduced axes have size 1)."""


@runtime_checkable
class ProcessingOp(Protocol):
    """An op with its arguments bound; called on blocks, from several threads at once."""

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
        """Return the processed tensor; ``tensor`` is not changed.

        Args:
            tensor: The sample or a block of it; its axes are those that the op was made for.
            measured: A value for each of the op's `Needs.measures`.
        """
        ...


ProcessingOpFactory: TypeAlias = "Callable[[Any, tuple[AxisId, ...]], ProcessingOp]"
"""``(kwargs node or None, axes of the tensor) -> ProcessingOp``."""


@attrs.frozen(kw_only=True)
class ProcessingOpEntry(DescriptionEntry):
    """A pre- or postprocessing op, known by ``name`` (``id`` in format 0.5)."""

    descr: Mapping[ModelFormat, type] = attrs.field(validator=is_description)
    """For each format that has the op: its description class, with a field ``kwargs`` where the op takes any."""

    load: Callable[[], ProcessingOpFactory] = attrs.field(validator=called_with())
    """Imports the implementation and returns the function that makes the op."""

    requirements: Callable[[Any, tuple[AxisId, ...]], Needs] = attrs.field(validator=called_with("kwargs", "axes"))
    """``(kwargs node or None, axes of the tensor) -> Needs``; light, called while planning."""

    where: tuple[Literal["preprocessing", "postprocessing"], ...] = attrs.field(
        default=("preprocessing", "postprocessing"), validator=some_of("preprocessing", "postprocessing")
    )
    """The lists of steps that may hold it."""

    described_only: bool = attrs.field(default=False, validator=is_a(bool, "true or false"))
    """True: the op is part of the format but the library has no implementation; the entry of a plugin that has one replaces it."""

    reference_implementation: str = attrs.field(default="", validator=is_a(str, "a string"))
    """``module:function`` of an independent implementation, called as ``function(tensor, kwargs, axes)``, for the conformance kit."""

    def classes(self) -> Iterator[tuple[str, type]]:
        """Yield the description class of each format version."""
        yield from ((f"descr[{version!r}]", cls) for version, cls in self.descr.items())
