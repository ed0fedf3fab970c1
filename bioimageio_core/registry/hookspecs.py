"""The hooks, as pluggy sees them.

A plugin is a module with functions of these names, marked with ``hookimpl`` and named by an entry point in group ``bioimageio_core``.
Every hook takes no argument and returns an iterable of frozen entries.
A module may say which version of this interface it was written for: ``bioimageio_api_version = 1``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
import pluggy

from ..typing import FrozenMapping
from .entries import (
    CommandEntry,
    ConsumerEntry,
    Entry,
    ForeignFormatEntry,
    ImageReaderEntry,
    ImageWriterEntry,
    ProcessingOpEntry,
    RunModeEntry,
    WeightsAdapterEntry,
    WeightsConverterEntry,
    WeightsFormatEntry,
)

__all__ = ["API_VERSION", "GROUP", "HOOKS", "Hook", "hookimpl"]

GROUP = "bioimageio_core"
"""Name of the entry-point group, and of the pluggy project."""

API_VERSION = 1
"""Version of the interface between plugins and the library; it grows when a plugin could need to be changed."""

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@attrs.frozen(kw_only=True)
class Hook:
    """A hook, and what it is called elsewhere."""

    name: str
    kind: str
    """Field of the registry that holds what it yields."""

    entry: type[Entry]
    since: int = 1
    """The `API_VERSION` that it came with."""


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
def bioimageio_weights_converters() -> Iterable[WeightsConverterEntry]:  # type: ignore[empty-body]
    """Yield the ways from one weights format to another."""


@hookspec
def bioimageio_run_modes() -> Iterable[RunModeEntry]:  # type: ignore[empty-body]
    """Yield the run modes that this plugin brings."""


@hookspec
def bioimageio_foreign_formats() -> Iterable[ForeignFormatEntry]:  # type: ignore[empty-body]
    """Yield the formats of other systems that models are read from, or written to."""


@hookspec
def bioimageio_image_readers() -> Iterable[ImageReaderEntry]:  # type: ignore[empty-body]
    """Yield the formats of image files that are read."""


@hookspec
def bioimageio_image_writers() -> Iterable[ImageWriterEntry]:  # type: ignore[empty-body]
    """Yield the formats of image files that results are written in."""


@hookspec
def bioimageio_consumers() -> Iterable[ConsumerEntry]:  # type: ignore[empty-body]
    """Yield the software about which this plugin knows what it can run."""


@hookspec
def bioimageio_commands() -> Iterable[CommandEntry]:  # type: ignore[empty-body]
    """Yield the subcommands of ``bmz`` that this plugin brings."""


HOOKS: Mapping[str, Hook] = FrozenMapping(
    {
        hook.kind: hook
        for hook in (
            Hook(name="bioimageio_processing_ops", kind="processing_ops", entry=ProcessingOpEntry),
            Hook(name="bioimageio_weights_formats", kind="weights_formats", entry=WeightsFormatEntry),
            Hook(name="bioimageio_weights_adapters", kind="weights_adapters", entry=WeightsAdapterEntry),
            Hook(name="bioimageio_weights_converters", kind="weights_converters", entry=WeightsConverterEntry),
            Hook(name="bioimageio_run_modes", kind="run_modes", entry=RunModeEntry),
            Hook(name="bioimageio_foreign_formats", kind="foreign_formats", entry=ForeignFormatEntry),
            Hook(name="bioimageio_image_readers", kind="image_readers", entry=ImageReaderEntry),
            Hook(name="bioimageio_image_writers", kind="image_writers", entry=ImageWriterEntry),
            Hook(name="bioimageio_consumers", kind="consumers", entry=ConsumerEntry),
            Hook(name="bioimageio_commands", kind="commands", entry=CommandEntry),
        )
    }
)
"""Every hook, by the field of the registry."""
