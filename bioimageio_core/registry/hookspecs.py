"""The hooks, as pluggy sees them.

A plugin is a module with functions of these names, marked with ``hookimpl`` and named by an entry point in group ``bioimageio_core``.
Every hook takes no argument and returns an iterable of frozen entries.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from .entries import ProcessingOpEntry, RunModeEntry, WeightsAdapterEntry, WeightsFormatEntry

__all__ = ["GROUP", "hookimpl"]

GROUP = "bioimageio_core"
"""Name of the entry-point group, and of the pluggy project."""

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def bioimageio_processing_ops() -> Iterable[ProcessingOpEntry]:  # type: ignore[empty-body]
    """Yield the pre- and postprocessing ops that this plugin brings."""


@hookspec
def bioimageio_weights_formats() -> Iterable[WeightsFormatEntry]:  # type: ignore[empty-body]
    """Yield the weights formats whose description classes this plugin brings."""


@hookspec
def bioimageio_weights_adapters() -> Iterable[WeightsAdapterEntry]:  # type: ignore[empty-body]
    """Yield the adapters that run weights."""


@hookspec
def bioimageio_run_modes() -> Iterable[RunModeEntry]:  # type: ignore[empty-body]
    """Yield the run modes that this plugin brings."""
