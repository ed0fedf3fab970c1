"""Environment variables for settings that frameworks take no argument for. Public: adapters of plugins set them likewise."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["is_switched_on", "set_temporarily"]


def is_switched_on(name: str) -> bool:
    """Return whether an environment variable is set to anything but ``0``, ``false`` or ``no``."""
    return os.environ.get(name, "").strip().lower() not in ("", "0", "false", "no")


@contextmanager
def set_temporarily(name: str, value: str) -> Iterator[None]:
    """Set an environment variable of this process within a block, and restore it afterwards: later processes must not inherit it."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
