"""Keras on one of its backends, and what adapters ask of the backend.

Keras takes its backend at its first import, for the life of the process.
One that was taken before stays, one that KERAS_BACKEND names is taken; else PyTorch or JAX, which are smaller than TensorFlow.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from importlib.util import find_spec
from threading import Lock
from typing import Any

from ..env import set_temporarily
from ..errors import InputError, MissingRequirementError
from ..text import in_brief

__all__ = ["compiled", "device_name", "import_keras", "without_gradients"]

BACKENDS = ("torch", "jax", "tensorflow")
"""The preferred first."""

VARIABLE = "KERAS_BACKEND"

LOG, NOTHING = "TF_CPP_MIN_LOG_LEVEL", "3"
"""What TensorFlow tells on the terminal as it is imported: nothing, if the user does not say otherwise, since what fails is raised."""

_IMPORTING = Lock()
"""Held while Keras is imported: its choice is made by a variable of the process."""


def import_keras() -> Any:
    """Return Keras on the backend of this process.

    Raises:
        MissingRequirementError: None of its backends is installed, or not the one that is asked for.

    """
    with _IMPORTING:
        if "keras" in sys.modules or os.environ.get(VARIABLE):
            return _imported()
        backend = next((name for name in BACKENDS if find_spec(name) is not None), None)
        if backend is None:
            raise MissingRequirementError(
                "Keras needs torch, jax or tensorflow, and none is installed: pip install 'bioimageio-runtime[keras]'"
            )
        with set_temporarily(VARIABLE, backend):  # processes that this one starts choose themselves
            return _imported()


def device_name(keras: Any, device: str, threads: int) -> str:
    """Return what Keras calls a device, and let calls use a number of threads, as far as the backend can still be told.

    Raises:
        InputError: The backend cannot use it.

    """
    kind, _, number = device.partition(":")
    backend = keras.config.backend()
    count = {"torch": _torch_gpus, "tensorflow": _tensorflow_gpus, "jax": _jax_gpus}[backend](threads)
    if kind == "cpu" and number in ("", "0"):
        return "cpu" if backend == "torch" else "cpu:0"  # PyTorch takes them for different devices, and would copy parameters
    if kind == "cuda" and (number or "0").isdecimal() and int(number or 0) < count:
        return f"gpu:{number or 0}"
    raise InputError(f"device {device!r} is not usable by Keras on {backend}, which sees the CPU and {count} CUDA devices")


def compiled(keras: Any, network: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    """Return the network as a graph, where that is how the backend is fast and costs nothing to make."""
    if keras.config.backend() != "tensorflow":
        return network
    import tensorflow as tf

    made: Callable[[list[Any]], Any] = tf.function(network, autograph=False, reduce_retracing=True)
    return made


def without_gradients(keras: Any) -> AbstractContextManager[Any]:
    """Return a context in which the backend keeps nothing for training."""
    if keras.config.backend() != "torch":
        return nullcontext()
    import torch

    context: AbstractContextManager[Any] = torch.inference_mode()
    return context


def _imported() -> Any:
    try:
        with set_temporarily(LOG, os.environ.get(LOG, NOTHING)):
            import keras
    except (ImportError, ValueError) as error:
        raise MissingRequirementError(f"Keras cannot be imported on the backend {os.environ.get(VARIABLE)!r}: {in_brief(error)}") from None
    return keras


def _torch_gpus(threads: int) -> int:
    import torch

    torch.set_num_threads(threads)
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _tensorflow_gpus(threads: int) -> int:
    import tensorflow as tf

    with suppress(RuntimeError):  # TensorFlow has run already, and keeps the threads that it has
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    return len(tf.config.list_physical_devices("GPU"))


def _jax_gpus(_threads: int) -> int:
    import jax

    return sum(device.platform == "gpu" for device in jax.local_devices())
