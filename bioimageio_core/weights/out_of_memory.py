"""Recognises failures of frameworks for lack of memory."""

from __future__ import annotations

__all__ = ["is_out_of_memory"]

SIGNS = ("out of memory", "failed to allocate memory", "can't allocate memory", "cannot allocate memory", "not enough memory", "bad_alloc")
"""Parts of such messages, in lower case, of PyTorch on CUDA and CPU, ONNX Runtime, TensorFlow and the C++ library."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether a framework failed for lack of memory; smaller blocks may fit."""
    text = f"{type(error).__name__}: {error}".lower()
    return isinstance(error, MemoryError) or "outofmemory" in text or any(sign in text for sign in SIGNS)
