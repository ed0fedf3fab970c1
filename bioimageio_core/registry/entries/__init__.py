"""What a hook may yield: frozen entries, and the protocols of what their ``load`` returns."""

from __future__ import annotations

from typing import TypeAlias

from .base import DescriptionEntry, EntryBase
from .commands import CommandEntry
from .consumers import ConsumerEntry, Judge, Judgement
from .converters import ConverterContext, WeightsConverter, WeightsConverterEntry
from .foreign_formats import ForeignFormat, ForeignFormatEntry, ForeignFormatWriter
from .image_formats import ImageReaderEntry, ImageWriterEntry
from .needs import Measure, Needs, Statistic
from .processing import Beyond, LabellingOp, Measured, OpContext, ProcessingOp, ProcessingOpEntry, ProcessingOpFactory
from .results import JoinRule, Objects, ShapeChange
from .run_modes import Pipeline, PipelineSize, PipelineTensor, RunMode, RunModeEntry
from .weights import AdapterContext, WeightsAdapter, WeightsAdapterEntry, WeightsFormatEntry

__all__ = [
    "AdapterContext",
    "Beyond",
    "CommandEntry",
    "ConsumerEntry",
    "ConverterContext",
    "DescriptionEntry",
    "Entry",
    "EntryBase",
    "ForeignFormat",
    "ForeignFormatEntry",
    "ForeignFormatWriter",
    "ImageReaderEntry",
    "ImageWriterEntry",
    "JoinRule",
    "Judge",
    "Judgement",
    "LabellingOp",
    "Measure",
    "Measured",
    "Needs",
    "Objects",
    "OpContext",
    "Pipeline",
    "PipelineSize",
    "PipelineTensor",
    "ProcessingOp",
    "ProcessingOpEntry",
    "ProcessingOpFactory",
    "RunMode",
    "RunModeEntry",
    "ShapeChange",
    "Statistic",
    "WeightsAdapter",
    "WeightsAdapterEntry",
    "WeightsConverter",
    "WeightsConverterEntry",
    "WeightsFormatEntry",
]

Entry: TypeAlias = (
    ProcessingOpEntry
    | WeightsFormatEntry
    | WeightsAdapterEntry
    | WeightsConverterEntry
    | RunModeEntry
    | ForeignFormatEntry
    | ImageReaderEntry
    | ImageWriterEntry
    | ConsumerEntry
    | CommandEntry
)
"""Every type of entry."""
