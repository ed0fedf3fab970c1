"""Values that the Tab key completes: names of what is installed, and of what an option takes."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import click

__all__ = ["codec_names", "device_names", "installed_names"]

Completion = Callable[[click.Context, click.Parameter, str], list[str]]


def installed_names(kind: str) -> Completion:
    """Return a function that completes the names of installed entries.

    Args:
        kind: The kind of entries, as in ``weights_formats``.

    """

    def complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        from ..api import default_registry

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a shell shows them within the line that is typed
            names = sorted(getattr(default_registry(), kind))
        return _begun(names, incomplete)

    return complete


def device_names(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the usual devices; of several, the last one."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in _begun(["cpu", "cuda", "cuda:0", "cuda:1", "mps"], last)]


def codec_names(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Complete the codecs of chunks."""
    from ..io.writing.codecs import LEVELS

    return _begun(["none", *LEVELS], incomplete)


def _begun(names: list[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
