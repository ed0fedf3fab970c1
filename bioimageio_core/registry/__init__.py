"""Plugins: hooks, entries, and the immutable registry that they are collected into."""

from .collect import collect
from .entries import (
    AdapterContext,
    Entry,
    Measure,
    Measured,
    Needs,
    ProcessingOp,
    ProcessingOpEntry,
    ProcessingOpFactory,
    RunMode,
    RunModeEntry,
    WeightsAdapter,
    WeightsAdapterEntry,
    WeightsFormatEntry,
)
from .hookspecs import GROUP, hookimpl
from .registry import Plugin, PluginFailure, Registry, missing_requirements

__all__ = [
    "GROUP",
    "AdapterContext",
    "Entry",
    "Measure",
    "Measured",
    "Needs",
    "Plugin",
    "PluginFailure",
    "ProcessingOp",
    "ProcessingOpEntry",
    "ProcessingOpFactory",
    "Registry",
    "RunMode",
    "RunModeEntry",
    "WeightsAdapter",
    "WeightsAdapterEntry",
    "WeightsFormatEntry",
    "collect",
    "hookimpl",
    "missing_requirements",
]
