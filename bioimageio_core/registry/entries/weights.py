"""Entries of the hooks ``bioimageio_weights_formats`` and ``bioimageio_weights_adapters``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, get_args, runtime_checkable

import attrs

from ...typing import ModelFormat, Precision
from .base import DescriptionEntry, EntryBase, called_with, is_a, is_description, is_name, names, some_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AdapterContext", "WeightsAdapter", "WeightsAdapterEntry", "WeightsFormatEntry"]


@attrs.frozen(kw_only=True)
class WeightsFormatEntry(DescriptionEntry):
    """A key of ``weights`` in model descriptions."""

    descr: Mapping[ModelFormat, type] = attrs.field(validator=is_description)
    aliases: tuple[str, ...] = attrs.field(default=(), validator=names)
    """Old spellings of the key."""

    suffix: str = attrs.field(default="", validator=is_a(str, "a string"))
    """Usual ending of the names of such files, with its dot."""

    def classes(self) -> Iterator[tuple[str, type]]:
        """Yield the description class of each format version."""
        yield from ((f"descr[{version!r}]", cls) for version, cls in self.descr.items())


@attrs.frozen(kw_only=True)
class AdapterContext:
    """Input of a weights adapter when it loads weights."""

    weights: Any
    """The weights entry of the description."""

    path: str
    """Local path of the weights file (or folder), its hash verified."""

    files: Mapping[str, str]
    """Local paths of further files of the entry: by field name (``external_data``, ``architecture``), or, where a field
    holds several, by field and place in the package (``attachments/code/layers.py``); those of the model are among the attachments.
    A file is fetched and verified when it is asked for."""

    input_ids: tuple[str, ...]
    output_ids: tuple[str, ...]
    device: str
    """``cpu``, ``cuda``, ``cuda:1``, ..."""

    threads: int
    """Threads that one call may use."""

    trust: bool = False
    imports: tuple[str, ...] = ()
    """Names of libraries that the user has imported for the weights; to name one is to trust it."""

    precision: Precision = "fp32"
    """Precision of computation; one of the entry's `precisions`."""

    compile: bool = False
    """Whether to translate the network ahead of time; only where the entry says that the adapter can."""


@runtime_checkable
class WeightsAdapter(Protocol):
    """A network in memory on one device.

    An attribute ``native``, where there is one, is the object of the framework,
    such as a ``torch.nn.Module`` or a ``keras.Model``.
    An attribute ``input_shapes``, where there is one, holds the sizes that the weights require: a tuple for each input,
    with None for axes that may have any size.
    """

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
class WeightsAdapterEntry(EntryBase):
    """An implementation that runs weights of one format."""

    weights_format: str = attrs.field(validator=is_name)
    requires: tuple[str, ...] = attrs.field(validator=names)
    """Names that must be importable."""

    load: Callable[[], Callable[[AdapterContext], WeightsAdapter]] = attrs.field(validator=called_with())
    """Imports the framework and returns what makes the adapter."""

    devices: tuple[str, ...] = attrs.field(default=("cpu",), validator=names)
    """Kinds of device that it can use."""

    precisions: tuple[str, ...] = attrs.field(default=("fp32",), validator=some_of(*get_args(Precision)))
    """What it can compute with."""

    compiles: bool = attrs.field(default=False, validator=is_a(bool, "true or false"))
    """It can translate the network ahead of time."""

    thread_safe: bool = attrs.field(default=True, validator=is_a(bool, "true or false"))
    """One adapter may be called from several threads at once."""

    preference: int = attrs.field(default=0, validator=is_a(int, "a whole number"))
    """Among installed adapters the highest preference that the model has weights for is taken; ties go by name."""

    extra: str = attrs.field(default="", validator=is_a(str, "a string"))
    """What to install when ``requires`` is not met, such as ``bioimageio-runtime[onnx]``."""

    environment: Callable[[Any], Sequence[str]] | None = attrs.field(
        default=None, validator=attrs.validators.optional(called_with("entry"))
    )
    """Returns requirements for pip for a weights entry of a description, such as ``torch==2.4.1``; None: ``extra`` is enough."""

    input_shapes: Callable[[str, Sequence[str]], Sequence[Sequence[int | None]]] | None = attrs.field(
        default=None, validator=attrs.validators.optional(called_with("path", "input_ids"))
    )
    """Returns the sizes that the weights in a file require of each described input, with None along axes that may have any size;
    reads the file without the framework, while planning. None: plans go by the description."""

    carries_code: bool = attrs.field(default=False, validator=is_a(bool, "true or false"))
    """The weights contain code."""
