"""Whether a framework failed because the memory of its device did not suffice."""

from __future__ import annotations

__all__ = ["is_out_of_memory"]

SIGNS = ("out of memory", "failed to allocate memory", "can't allocate memory", "cannot allocate memory", "not enough memory", "bad_alloc")
"""What frameworks say then, in lower case: PyTorch on CUDA and CPU, ONNX Runtime, TensorFlow, the C++ library."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an exception of a framework says that memory did not suffice; smaller blocks may fit."""
    text = f"{type(error).__name__}: {error}".lower()
    return isinstance(error, MemoryError) or "outofmemory" in text or any(sign in text for sign in SIGNS)
