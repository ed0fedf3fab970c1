"""Which conformance class tests the entries of which kind."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from ..registry import collect
from ..typing import FrozenMapping
from .adapters import WeightsAdapterConformance
from .commands import CommandConformance
from .consumers import ConsumerConformance
from .conversion import WeightsConverterConformance
from .entry import EntryConformance
from .foreign_formats import ForeignFormatConformance
from .formats import WeightsFormatConformance
from .image_readers import ImageReaderConformance
from .image_writers import ImageWriterConformance
from .ops import ProcessingOpConformance
from .run_modes import RunModeConformance

__all__ = ["CONFORMANCE", "conformance_class"]

_CLASSES: tuple[type[EntryConformance], ...] = (
    CommandConformance,
    ConsumerConformance,
    ForeignFormatConformance,
    ImageReaderConformance,
    ImageWriterConformance,
    ProcessingOpConformance,
    RunModeConformance,
    WeightsAdapterConformance,
    WeightsConverterConformance,
    WeightsFormatConformance,
)

CONFORMANCE: Mapping[str, type[EntryConformance]] = FrozenMapping({cls.kind: cls for cls in _CLASSES})
"""The conformance class of each kind, by the field of the registry."""


def conformance_class(kind: str, name: str) -> type[EntryConformance]:
    """Return the test class of an installed entry, without any examples of the author."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other plugins
        entry = getattr(collect(), kind)[name]
    return type(f"Test_{kind}_{name}", (CONFORMANCE[kind],), {"entry": entry})
