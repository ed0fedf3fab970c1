"""Commands of plugins, listed by the names of their entry points, so that listing imports no plugin."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterator
from importlib import metadata
from typing import TYPE_CHECKING

import click

from ..errors import PluginError, PluginWarning

if TYPE_CHECKING:
    from ..registry import PluginFailure, Registry

__all__ = ["plugin_command", "plugin_commands", "unreachable_commands"]

GROUP = "bioimageio_core"
SWITCH = "BMZ_DISABLE_PLUGINS"
"""Both as in `bioimageio_core.registry`, repeated here so that help does not import it."""

PREFIX = "command."
"""An entry point ``command.NAME`` provides the command ``NAME``."""


def plugin_commands() -> dict[str, str]:
    """Return the names of commands with the distributions that provide them."""
    return {name: f"{point.dist.name} {point.dist.version}" if point.dist else "" for name, point in _points().items()}


def plugin_command(name: str) -> click.Command | None:
    """Import a command; None if no plugin provides it.

    Raises:
        PluginError: The plugin cannot be loaded, or yields no click command of this name.

    """
    from ..registry import blamed, collect

    point = _points().get(name)
    if point is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)  # raised below
        registry = collect([point])
    entry = registry.commands.get(name)
    if entry is None:
        why = "; ".join(failure.message for failure in registry.failures) or f"its plugin yields no command named {name!r}"
        raise PluginError(f"command {name!r} of {plugin_commands()[name]} cannot be used: {why}")
    what = registry.words_for("commands", name)
    with blamed(f"loading {what}"):
        command = entry.load()
    if not isinstance(command, click.Command):
        raise PluginError(f"{what}: expected a click command, found {type(command).__name__}")
    return command


def unreachable_commands(registry: Registry, own: Collection[str]) -> Iterator[PluginFailure]:
    """Yield a failure for each command of a plugin that ``bmz NAME`` does not run.

    Args:
        registry: The collected plugins.
        own: Names of the library's own commands.

    """
    from ..registry import PluginFailure

    points = _points()
    for name in registry.commands:
        plugin = registry.provenance["commands", name]
        if name in own:
            message = f"unreachable command: {name!r} is a command of bmz itself: choose another name"
        elif name not in points:
            message = f"unreachable command: expected an entry point named {PREFIX}{name}, found {plugin.name}"
        else:
            continue
        yield PluginFailure(plugin=plugin, message=message, entry=name)


def _points() -> dict[str, metadata.EntryPoint]:
    if os.environ.get(SWITCH):
        return {}
    points = [point for point in metadata.entry_points(group=GROUP) if point.name.startswith(PREFIX)]
    found: dict[str, metadata.EntryPoint] = {}
    for point in sorted(points, key=lambda p: (p.name, p.dist.name if p.dist else "")):  # of two, the first distribution wins
        found.setdefault(point.name.removeprefix(PREFIX), point)
    return found
