"""The folder for compiled code, which PyTorch makes as soon as its compiler is imported, whether or not anything is compiled.

Keras, torchvision and PyTorch's exporters import the compiler. It makes the folder ``torchinductor_USER`` among the temporary files,
where it would be left behind.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from threading import Lock

from .env import set_temporarily

__all__ = ["without_compiler_folder"]

VARIABLE = "TORCHINDUCTOR_CACHE_DIR"
"""Where PyTorch makes its folder; PyTorch sets it itself to the default, if it is not set."""

_IMPORTING = Lock()
"""Held while the variable, which is one for all threads, names a folder that is removed."""


@contextmanager
def without_compiler_folder() -> Iterator[None]:
    """Within a block, let an import of PyTorch's compiler make its folder in one that is removed after the block.

    What is compiled later goes to the usual folder, which PyTorch makes then, and finds again in later processes.
    No thread waits for another one: two that import at once share the folder of the first.
    """
    if "torch._dynamo" in sys.modules or VARIABLE in os.environ or not _IMPORTING.acquire(blocking=False):
        yield
        return
    try:
        with TemporaryDirectory() as folder, set_temporarily(VARIABLE, folder):
            yield
    finally:
        _IMPORTING.release()
