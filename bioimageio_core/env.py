"""Environment variables by which frameworks are told what they take no argument for. Public: adapters of plugins set them likewise."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["set_temporarily"]


@contextmanager
def set_temporarily(name: str, value: str) -> Iterator[None]:
    """Set a variable of this process for a while, and put back what it was: processes that start later are not to see it."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
