"""The names of a plugin, made from one."""

from __future__ import annotations

import re

import attrs

from ..errors import InputError

__all__ = ["PluginNames", "plugin_names"]

PREFIX = "bioimageio-runtime-"
LONGEST = 30


@attrs.frozen(kw_only=True)
class PluginNames:
    """The names of a plugin."""

    distribution: str
    """Name of the distribution, as in ``bioimageio-runtime-top-hat``."""

    module: str
    """Name of the Python package, as in ``bioimageio_runtime_top_hat``."""

    entry: str
    """Name of the entry in descriptions and for users, as in ``top_hat``."""

    cls: str
    """First part of the names of classes, as in ``TopHat``."""


def plugin_names(name: str) -> PluginNames:
    """Return the names of a plugin.

    Args:
        name: A name such as ``top-hat``; upper case, underscores and the prefix of distributions are normalised.

    Raises:
        InputError: No names can be made from it.

    """
    short = re.sub(r"[-_.\s]+", "-", name.strip().lower()).removeprefix(PREFIX)
    if re.fullmatch(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", short) is None or len(short) > LONGEST:
        raise InputError(
            f"expected a name of at most {LONGEST} letters, digits and hyphens that starts with a letter, such as 'top-hat', found {name!r}"
        )
    distribution = PREFIX + short
    entry = short.replace("-", "_")
    return PluginNames(
        distribution=distribution,
        module=distribution.replace("-", "_"),
        entry=entry,
        cls="".join(part.capitalize() for part in short.split("-")),
    )
