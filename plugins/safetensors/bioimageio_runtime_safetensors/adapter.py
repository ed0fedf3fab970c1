"""Weights of the format ``pytorch_safetensors`` on PyTorch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from itertools import chain
from pathlib import Path
from threading import Lock, local
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_model

from bioimageio_core.errors import InputError, ModelRunError
from bioimageio_core.registry import AdapterContext
from bioimageio_core.weights.architecture import build_module

__all__ = ["SafetensorsAdapter"]


class SafetensorsAdapter:
    """A module in evaluation mode; `__call__` may run in several threads at once.

    Every thread has a copy of the module, with the same parameters in memory, since modules may keep things from call to call.
    Those that can not be copied, as some that compute parameters from others, are called from one thread at a time.
    """

    def __init__(self, context: AdapterContext) -> None:
        try:
            self._device = torch.device(context.device)
            torch.empty(0, device=self._device)
        except (RuntimeError, AssertionError) as error:
            raise InputError(f"device {context.device!r} is not usable by the installed PyTorch: {_one_line(error)}") from error
        torch.set_num_threads(context.threads)
        module = build_module(context)
        _load_parameters(module, context.path)
        self._module = module.to(self._device).eval().requires_grad_(False)
        self._copies = local()
        self._turn: AbstractContextManager[Any] = nullcontext()
        try:
            self._own_module()
        except Exception:  # what the code of a model raises
            self._turn = Lock()

    def __call__(self, inputs: Sequence[NDArray[Any] | None]) -> list[NDArray[Any]]:
        """Run the module; see `bioimageio_core.registry.WeightsAdapter`."""
        given = [None if a is None else torch.from_numpy(np.ascontiguousarray(a)).to(self._device) for a in inputs]
        try:
            with torch.inference_mode(), self._turn:
                result = self._own_module()(*given)
        except Exception as error:  # what the code of a model raises
            shapes = ", ".join("none" if a is None else f"{a.dtype} {a.shape}" for a in inputs)
            raise ModelRunError(f"the PyTorch module failed on inputs {shapes}: {_one_line(error)}") from error
        outputs = [result] if isinstance(result, torch.Tensor) else result
        if not isinstance(outputs, list | tuple) or not all(isinstance(o, torch.Tensor) for o in outputs):
            raise ModelRunError(f"the PyTorch module returned {type(result).__name__}: expected a tensor, or a list or tuple of tensors")
        return [(o.float() if o.dtype is torch.bfloat16 else o).cpu().numpy() for o in outputs]

    def close(self) -> None:
        """Free the module."""
        del self._module, self._copies

    def _own_module(self) -> Any:
        """Return the copy of the calling thread, or the one module that there is."""
        if not isinstance(self._turn, nullcontext):
            return self._module
        if not hasattr(self._copies, "module"):
            shared = chain(self._module.parameters(), self._module.buffers())
            self._copies.module = deepcopy(self._module, {id(tensor): tensor for tensor in shared})
        return self._copies.module


def _load_parameters(module: torch.nn.Module, path: str) -> None:
    name = Path(path).name
    try:
        missing, unexpected = load_model(module, path, strict=False, device="cpu")
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelRunError(f"{name} cannot be read as safetensors: {_one_line(error)}") from error
    except RuntimeError as error:
        raise ModelRunError(f"the parameters in {name} do not fit the architecture: {_one_line(error)}") from error
    if missing or unexpected:
        raise ModelRunError(
            f"the parameters in {name} are not those of the architecture: "
            f"the file lacks {_listed(missing)}, the architecture lacks {_listed(unexpected)}"
        )


def _listed(names: Collection[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:5]) + (f" and {len(listed) - 5} more" if len(listed) > 5 else "") or "none"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
