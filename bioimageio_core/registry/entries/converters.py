"""Entries of the hook ``bioimageio_weights_converters``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import attrs

from .base import EntryBase, called_with, is_a, is_name, names
from .weights import AdapterContext

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ConverterContext", "WeightsConverter", "WeightsConverterEntry"]


@attrs.frozen(kw_only=True)
class ConverterContext:
    """Input of a weights converter."""

    source: AdapterContext
    """The weights to convert, as an adapter would get them."""

    inputs: Sequence[NDArray[Any]]
    """The test inputs after preprocessing, in described order: what the network is called with."""

    target: Path
    """File to write; a zip for formats that are a folder."""

    input_axes: Sequence[tuple[str, ...]] = ()
    """Ids of the axes of each of `inputs`."""

    output_axes: Sequence[tuple[str, ...]] = ()
    """Ids of the axes of each output, in described order."""

    variable_axes: Sequence[frozenset[str]] = ()
    """For each of `inputs`, and then each output, the axes that come in more than one size, the batch axis among them:
    the converted weights have to take them all. All others have the size that the inputs have."""

    other_inputs: Sequence[Sequence[NDArray[Any]]] = ()
    """The inputs with other contents (dark, bright, inverted, shuffled), and in other valid sizes, where there are any:
    for converters that record what the network does with an example."""


@runtime_checkable
class WeightsConverter(Protocol):
    """Writes weights of one format as another."""

    def __call__(self, context: ConverterContext) -> Mapping[str, Any]:
        """Write ``context.target``.

        What it prints is discarded; its warnings, except those of deprecation, are passed on to the user.

        Returns:
            Fields of the new weights entry beside ``source``, ``sha256`` and ``parent``, such as ``opset_version``.

        """
        ...


@attrs.frozen(kw_only=True)
class WeightsConverterEntry(EntryBase):
    """A way from one weights format to another."""

    from_format: str = attrs.field(validator=is_name)
    to_format: str = attrs.field(validator=is_name)
    requires: tuple[str, ...] = attrs.field(validator=names)
    """Names that must be importable."""

    load: Callable[[], WeightsConverter] = attrs.field(validator=called_with())
    extra: str = attrs.field(default="", validator=is_a(str, "a string"))
    """What to install when ``requires`` is not met, such as ``bioimageio-runtime[torch]``."""

    preference: int = attrs.field(default=0, validator=is_a(int, "a whole number"))
    """Among installed converters between the same formats the highest preference is taken; ties go by name."""
