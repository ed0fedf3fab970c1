"""ONNX weights on ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, ModelRunError
from ..registry import AdapterContext

__all__ = ["OnnxAdapter"]

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}


class OnnxAdapter:
    """An ONNX Runtime session; `__call__` may run in several threads at once.

    Described inputs feed the graph's inputs by position, whatever their names, and outputs come back by position.
    """

    def __init__(self, context: AdapterContext) -> None:
        import onnxruntime as ort

        kind, _, number = context.device.partition(":")
        provider = PROVIDERS.get(kind)
        if provider not in ort.get_available_providers():
            raise InputError(
                f"device {context.device!r} is not usable by the installed onnxruntime, which offers {ort.get_available_providers()}"
            )
        options = ort.SessionOptions()
        options.intra_op_num_threads = context.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # errors are raised, and need not be printed as well
        _check_external_data(context)
        selected = (provider, {"device_id": int(number)}) if number else provider
        try:
            self._session = ort.InferenceSession(context.path, options, providers=[selected])
        except Exception as error:  # onnxruntime's exceptions share no public base
            raise ModelRunError(f"onnxruntime cannot load {Path(context.path).name}: {_in_one_line(error)}") from error
        self._inputs = [i.name for i in self._session.get_inputs()]
        self._input_ids = context.input_ids
        if len(self._inputs) > len(context.input_ids):
            raise ModelRunError(
                f"the ONNX graph takes {len(self._inputs)} inputs ({', '.join(self._inputs)}), "
                f"the description has {len(context.input_ids)} ({', '.join(context.input_ids)})"
            )

    def __call__(self, inputs: Sequence[NDArray[Any] | None]) -> list[NDArray[Any]]:
        """Run the graph; see `bioimageio_core.registry.WeightsAdapter`."""
        feeds = {name: array for name, array in zip(self._inputs, inputs, strict=False) if array is not None}
        try:
            outputs = self._session.run(None, feeds)
        except Exception as error:  # onnxruntime's exceptions share no public base
            given = ", ".join(f"{i} {a.dtype} {a.shape}" for i, a in zip(self._input_ids, inputs, strict=True) if a is not None)
            wanted = ", ".join(f"{i.name} {i.type} {tuple(i.shape)}" for i in self._session.get_inputs())
            raise ModelRunError(f"the ONNX graph, which takes {wanted}, failed on {given}: {_in_one_line(error)}") from error
        return [np.asarray(o) for o in outputs]

    def close(self) -> None:
        """Free the session."""
        del self._session


def _check_external_data(context: AdapterContext) -> None:
    """Refuse weights whose separate data lies elsewhere than ONNX Runtime looks: beside the graph, under its own name."""
    external = context.files.get("external_data")
    if external is not None and Path(external).parent != Path(context.path).parent:
        raise ModelRunError(f"the external data of {Path(context.path).name} must lie beside it, found {external}")


def _in_one_line(error: Exception) -> str:
    """Return the message of an ONNX Runtime error in one line."""
    return " ".join(str(error).split())[:400] or type(error).__name__
