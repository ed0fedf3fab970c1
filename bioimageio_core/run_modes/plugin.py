"""Run modes that come with the library: none beyond the default, which is one call of the network per block."""

from __future__ import annotations

from collections.abc import Iterable

from ..registry import RunModeEntry, hookimpl

__all__ = ["bioimageio_run_modes"]


@hookimpl
def bioimageio_run_modes() -> Iterable[RunModeEntry]:
    """Yield no run mode."""
    return ()
