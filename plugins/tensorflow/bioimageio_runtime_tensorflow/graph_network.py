"""What all networks of TensorFlow have in common: devices, threads, and calls with arrays of numpy."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from bioimageio_core.errors import InputError, ModelRunError
from bioimageio_core.registry import AdapterContext
from bioimageio_core.text import in_brief

__all__ = ["GraphNetwork", "one_line", "use_device"]


class GraphNetwork:
    """A network as a function of TensorFlow; it may be called from several threads at once.

    Args:
        context: What the adapter was given.
        device: What `use_device` returned.
        native: What TensorFlow made of the weights.
        function: Takes one tensor for each described input and returns the outputs in described order.
        dtypes: What the network wants each input as, as far as that is known.

    """

    def __init__(
        self,
        context: AdapterContext,
        device: str,
        native: Any,
        function: Callable[..., Sequence[Any]],
        *,
        dtypes: Sequence[tf.DType | None] = (),
    ) -> None:
        self.native = native
        self._function: Callable[..., Sequence[Any]] | None = function
        self._device = device
        self._dtypes = [*dtypes, *[None] * (len(context.input_ids) - len(dtypes))]
        self._input_ids = context.input_ids

    def __call__(self, inputs: Sequence[NDArray[Any] | None]) -> list[NDArray[Any]]:
        """Run the network; see `bioimageio_core.registry.WeightsAdapter`."""
        assert self._function is not None
        try:
            with tf.device(self._device):
                given = [None if a is None else self._tensor(a, dtype) for a, dtype in zip(inputs, self._dtypes, strict=True)]
                return [np.asarray(output) for output in self._function(*given)]
        except Exception as error:  # of TensorFlow and Keras, which raise what comes up
            shapes = ", ".join(f"{i} {a.dtype} {a.shape}" for i, a in zip(self._input_ids, inputs, strict=True) if a is not None)
            raise ModelRunError(f"the TensorFlow network failed on {shapes}: {one_line(error)}") from error

    def close(self) -> None:
        """Free the network; its parts refer to each other, so that only the collector finds them."""
        self.native = self._function = None
        gc.collect()

    @staticmethod
    def _tensor(array: NDArray[Any], dtype: tf.DType | None) -> tf.Tensor:
        if dtype is not None and array.dtype != dtype.as_numpy_dtype:  # networks that take numbers of another kind than is described
            array = array.astype(dtype.as_numpy_dtype)
        return tf.convert_to_tensor(np.ascontiguousarray(array))


def use_device(context: AdapterContext) -> str:
    """Return TensorFlow's name of the device, and set the number of threads of calls, if TensorFlow has not run before.

    Raises:
        InputError: TensorFlow does not see it.

    """
    with suppress(RuntimeError):  # it has run, and keeps the threads that it has
        tf.config.threading.set_intra_op_parallelism_threads(context.threads)
    kind, _, number = context.device.partition(":")
    gpus = len(tf.config.list_physical_devices("GPU"))
    if kind == "cpu" and number in ("", "0"):
        return "/CPU:0"
    if kind == "cuda" and (number or "0").isdecimal() and int(number or 0) < gpus:
        return f"/GPU:{number or 0}"
    raise InputError(f"device {context.device!r} is not usable by the installed TensorFlow, which sees the CPU and {gpus} CUDA devices")


def one_line(error: BaseException) -> str:
    """Return the cause of an error of TensorFlow or Keras in one line: Keras puts configurations first."""
    cause = str(error).rpartition("Exception encountered: ")[2]
    return in_brief(cause.strip() or error)
