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
    """All that a converter may know."""

    source: AdapterContext
    """The weights to convert, as an adapter would get them."""

    inputs: Sequence[NDArray[Any]]
    """The test inputs after preprocessing, in described order: what the network is called with."""

    target: Path
    """File (or folder, for formats that are one) to write."""


@runtime_checkable
class WeightsConverter(Protocol):
    """Writes weights of one format as another."""

    def __call__(self, context: ConverterContext) -> Mapping[str, Any]:
        """Write ``context.target``.

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
    preference: int = attrs.field(default=0, validator=is_a(int, "a whole number"))
    """Among installed converters between the same formats the highest preference is taken; ties go by name."""
