"""TorchScript weights on PyTorch."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, ModelRunError
from ..registry import AdapterContext

__all__ = ["TorchscriptAdapter"]


class TorchscriptAdapter:
    """A scripted or traced module in evaluation mode; `__call__` may run in several threads at once.

    The number of threads of a call is a setting of the whole process in PyTorch: the adapter loaded last sets it.
    """

    def __init__(self, context: AdapterContext) -> None:
        import torch

        self._torch = torch
        try:
            self._device = torch.device(context.device)
            torch.empty(0, device=self._device)
        except (RuntimeError, AssertionError) as error:
            raise InputError(f"device {context.device!r} is not usable by the installed PyTorch: {_first_line(error)}") from error
        torch.set_num_threads(context.threads)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript is deprecated as a whole; the weights exist all the same
                self._module = torch.jit.load(context.path, map_location=self._device).eval()
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelRunError(f"PyTorch cannot load {Path(context.path).name} as TorchScript: {_first_line(error)}") from error

    def __call__(self, inputs: Sequence[NDArray[Any] | None]) -> list[NDArray[Any]]:
        """Run the module; see `bioimageio_core.registry.WeightsAdapter`."""
        torch = self._torch
        given = [None if a is None else torch.from_numpy(np.ascontiguousarray(a)).to(self._device) for a in inputs]
        try:
            with torch.inference_mode():
                result = self._module(*given)
        except Exception as error:  # what scripts raise is no RuntimeError
            shapes = [None if a is None else (a.shape, str(a.dtype)) for a in inputs]
            raise ModelRunError(f"the TorchScript module failed on inputs {shapes}: {_last_line(error)}") from error
        outputs = [result] if isinstance(result, torch.Tensor) else result
        if not isinstance(outputs, list | tuple) or not all(isinstance(o, torch.Tensor) for o in outputs):
            raise ModelRunError(
                f"the TorchScript module returned {type(result).__name__}: expected a tensor, or a list or tuple of tensors"
            )
        return [o.cpu().numpy() for o in outputs]

    def close(self) -> None:
        """Free the module."""
        del self._module


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def _last_line(error: BaseException) -> str:
    """Return the cause: PyTorch puts the trace of the script first."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:300]
