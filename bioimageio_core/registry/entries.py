"""What a hook may yield: frozen entries, and the protocols of what their ``load`` returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

import attrs

from ..typing import AxisId, FrozenMapping, ModelFormat

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "AdapterContext",
    "Entry",
    "Measure",
    "Measured",
    "Needs",
    "ProcessingOp",
    "ProcessingOpEntry",
    "ProcessingOpFactory",
    "RunMode",
    "RunModeEntry",
    "WeightsAdapter",
    "WeightsAdapterEntry",
    "WeightsFormatEntry",
]


@attrs.frozen(kw_only=True)
class Measure:
    """A statistic of a tensor that an op wants to have before it runs.

    It is measured on the whole sample, never on a block, in float64, and without padding or NaN.
    """

    kind: Literal["mean", "std", "percentile"]
    """``std`` is the population's (ddof 0)."""

    axes: tuple[AxisId, ...]
    """Axes reduced over. With ``batch`` among them the statistic is one of the dataset, and may be supplied."""

    tensor: str | None = None
    """None: the tensor that the op works on, as the ops before it left it. Else the id of a model input, as it was given."""

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
    """Pixels that the op looks to either side, for filters."""

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
class ProcessingOpEntry:
    """A pre- or postprocessing op, known by ``name`` (``id`` in format 0.5)."""

    name: str
    descr: Mapping[ModelFormat, type]
    """For each format that has the op: its description class, with a field ``kwargs`` where the op takes any."""

    load: Callable[[], ProcessingOpFactory]
    """Imports the implementation and returns the function that makes the op."""

    requirements: Callable[[Any, tuple[AxisId, ...]], Needs]
    """``(kwargs node or None, axes of the tensor) -> Needs``; light, called while planning."""

    where: tuple[Literal["preprocessing", "postprocessing"], ...] = ("preprocessing", "postprocessing")
    described_only: bool = False
    """True: the op is part of the format, and nobody here runs it; a plugin that does takes the place of this entry."""

    summary: str = ""


@attrs.frozen(kw_only=True)
class WeightsFormatEntry:
    """A key of ``weights`` in model descriptions."""

    name: str
    descr: Mapping[ModelFormat, type]
    aliases: tuple[str, ...] = ()
    """Old spellings of the key."""

    summary: str = ""


@attrs.frozen(kw_only=True)
class AdapterContext:
    """All that an adapter may know when it loads weights."""

    weights: Any
    """The weights entry of the description."""

    path: str
    """Local path of the weights file (or folder), its hash verified."""

    files: Mapping[str, str]
    """Local paths of further files of the entry, by field name (``external_data``, ``architecture``, ...)."""

    input_ids: tuple[str, ...]
    output_ids: tuple[str, ...]
    device: str
    """``cpu``, ``cuda``, ``cuda:1``, ..."""

    threads: int
    """Threads that one call may use."""

    trust: bool = False


@runtime_checkable
class WeightsAdapter(Protocol):
    """A network in memory on one device."""

    def __call__(self, inputs: Sequence[NDArray[Any] | None]) -> Sequence[NDArray[Any]]:
        """Run the network.

        Args:
            inputs: One array per described input, in described order, axes in described order;
                None for an optional input that is absent.

        Returns:
            The outputs in described order; more than are described are dropped by the caller.

        """
        ...

    def close(self) -> None:
        """Free the memory on host and device."""
        ...


@attrs.frozen(kw_only=True)
class WeightsAdapterEntry:
    """Something that runs one weights format."""

    name: str
    weights_format: str
    requires: tuple[str, ...]
    """Names that must be importable."""

    load: Callable[[], Callable[[AdapterContext], WeightsAdapter]]
    devices: tuple[str, ...] = ("cpu",)
    """Kinds of device that it can use."""

    thread_safe: bool = True
    """One adapter may be called from several threads at once."""

    preference: int = 0
    """Among installed adapters the highest preference that the model has weights for is taken; ties go by name."""

    extra: str = ""
    """What to install when ``requires`` is not met, such as ``bioimageio-runtime[onnx]``."""

    carries_code: bool = False
    """The weights are a program of their own."""

    summary: str = ""


@runtime_checkable
class RunMode(Protocol):
    """A way of running the network other than one call per block."""

    def __call__(self, call: WeightsAdapter) -> WeightsAdapter:
        """Wrap the adapter."""
        ...


@attrs.frozen(kw_only=True)
class RunModeEntry:
    """A ``run_mode`` of model descriptions."""

    name: str
    load: Callable[[], Callable[[Mapping[str, Any]], RunMode]]
    summary: str = ""


Entry: TypeAlias = ProcessingOpEntry | WeightsFormatEntry | WeightsAdapterEntry | RunModeEntry
