"""Keras on one of its backends, and the functions that adapters need from the backend.

Keras chooses its backend at its first import, for the life of the process: the one that KERAS_BACKEND names, else here PyTorch or JAX,
which are smaller than TensorFlow, if they are installed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from importlib.util import find_spec
from threading import Lock
from typing import Any

from ..compiler_folder import without_compiler_folder
from ..env import set_temporarily
from ..errors import InputError, MissingRequirementError
from ..text import in_brief

__all__ = ["compiled", "device_name", "import_keras", "without_gradients"]

BACKENDS = ("torch", "jax", "tensorflow")
"""The preferred first."""

VARIABLE = "KERAS_BACKEND"

LOG, NOTHING = "TF_CPP_MIN_LOG_LEVEL", "3"
"""The log level of TensorFlow while it is imported: no messages on the terminal, unless the user sets the variable; failures are raised."""

_IMPORTING = Lock()
"""Held while Keras is imported: a variable of the process selects its backend."""


def import_keras() -> Any:
    """Return Keras on the backend of this process.

    Raises:
        MissingRequirementError: None of its backends is installed, or not the requested one.

    """
    with _IMPORTING:
        if "keras" in sys.modules or os.environ.get(VARIABLE):
            return _imported()
        backend = next((name for name in BACKENDS if find_spec(name) is not None), None)
        if backend is None:
            raise MissingRequirementError(
                "Keras needs torch, jax or tensorflow, and none is installed: pip install 'bioimageio-runtime[keras]'"
            )
        with set_temporarily(VARIABLE, backend):  # child processes make their own choice
            return _imported()


def device_name(keras: Any, device: str, threads: int) -> str:
    """Return Keras' name of a device, and set the number of threads of calls, if the backend still accepts it.

    Raises:
        InputError: The backend cannot use the device.

    """
    kind, _, number = device.partition(":")
    backend = keras.config.backend()
    count = {"torch": _torch_gpus, "tensorflow": _tensorflow_gpus, "jax": _jax_gpus}[backend](threads)
    if kind == "cpu" and number in ("", "0"):
        return "cpu" if backend == "torch" else "cpu:0"  # to PyTorch these are different devices, between which it would copy parameters
    if kind == "cuda" and (number or "0").isdecimal() and int(number or 0) < count:
        return f"gpu:{number or 0}"
    raise InputError(f"device {device!r} is not usable by Keras on {backend}, which sees the CPU and {count} CUDA devices")


def compiled(keras: Any, network: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    """Return the network as a graph on TensorFlow, which is faster and quickly made; on other backends the network itself."""
    if keras.config.backend() != "tensorflow":
        return network
    import tensorflow as tf

    made: Callable[[list[Any]], Any] = tf.function(network, autograph=False, reduce_retracing=True)
    return made


def without_gradients(keras: Any) -> AbstractContextManager[Any]:
    """Return a context in which the backend records nothing for training."""
    if keras.config.backend() != "torch":
        return nullcontext()
    import torch

    context: AbstractContextManager[Any] = torch.inference_mode()
    return context


def _imported() -> Any:
    try:
        with set_temporarily(LOG, os.environ.get(LOG, NOTHING)), without_compiler_folder():
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

    with suppress(RuntimeError):  # TensorFlow has run before, and keeps its threads
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    return len(tf.config.list_physical_devices("GPU"))


def _jax_gpus(_threads: int) -> int:
    import jax

    return sum(device.platform == "gpu" for device in jax.local_devices())
