"""Environment variables for settings that frameworks take no argument for. Public: adapters of plugins set them likewise."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["set_temporarily"]


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
