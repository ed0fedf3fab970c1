"""PyTorch modules as weights adapters.

Public: an adapter of a format with parameters of a PyTorch module is a `TorchNetwork` with a function that loads the module.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from itertools import chain
from threading import Lock, local
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DeviceMemoryError, InputError, ModelRunError
from ..registry import AdapterContext
from ..text import in_brief
from .out_of_memory import is_out_of_memory
from .torch_transfer import Transfers

__all__ = ["TorchNetwork", "for_inference", "ordered_outputs"]

DEVICES = ("cpu", "cuda", "mps")


class TorchNetwork:
    """A `torch.nn.Module`, or a script of one, in evaluation mode on one device; may be called in several threads at once.

    Every thread has a copy of the module that shares the parameters, since modules may keep state between calls.
    Modules that cannot be copied, such as some that compute parameters from others, run in one thread at a time,
    and so do scripts with state, and all modules on a CUDA device: there threads launch calls one after the other,
    and copy inputs and outputs while the device computes.

    In PyTorch the number of threads of a call is a setting of the calling thread; new threads take the latest setting.
    """

    def __init__(self, context: AdapterContext, load: Callable[[Any], Any]) -> None:
        """Load the module.

        Args:
            context: The context of the adapter.
            load: Returns the module for a `torch.device`; called after the device has been checked.
                It may leave the module on another device, and in training mode.

        Raises:
            InputError: The device cannot be used, or not with the precision.

        """
        import torch

        self._torch = torch
        self._device = _usable_device(context.device)
        self._autocast = _precision(context, self._device)
        self._output_ids = context.output_ids
        self._threads = context.threads
        torch.set_num_threads(self._threads)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # PyTorch deprecates TorchScript, but such weights exist
            self.native = for_inference(load(self._device))
            self.native.to(self._device)
            self._is_script = isinstance(self.native, torch.jit.ScriptModule)
        self._compiles = context.compile
        self._channels_last = self._prefers_channels_last()
        if self._channels_last:
            self.native.to(memory_format=torch.channels_last)
        self._copies = local()
        self._change = Lock()
        self._transfers = Transfers(self._device)
        self._turn: AbstractContextManager[Any] = nullcontext()
        if self._device.type == "cuda" or not self._has_copies():
            self._turn = Lock()

    def __call__(self, inputs: Sequence[NDArray[Any] | None]) -> list[NDArray[Any]]:
        """Run the module; see `bioimageio_core.registry.WeightsAdapter`.

        A module may return a tensor, a list or tuple of tensors, or a mapping with the ids of the described outputs.
        Outputs in bfloat16, which numpy lacks, and outputs in a narrower requested precision are returned as float32.
        """
        try:
            return self._run(inputs)
        except ModelRunError:
            raise
        except Exception as error:  # the code of a model may raise anything
            if _is_of_compiler(error):
                reason = in_brief(str(error).partition("\n\n")[0])  # the rest is for developers of PyTorch
                raise ModelRunError(f"PyTorch cannot compile the module ({reason}): leave out compile, or install what it needs") from error
            shapes = ", ".join("none" if a is None else f"{a.dtype} {a.shape}" for a in inputs)
            if is_out_of_memory(error):
                self._free_unused()
                raise DeviceMemoryError(f"memory does not suffice to run the PyTorch module on {shapes}: {_cause(error)}") from error
            raise ModelRunError(f"the PyTorch module failed on inputs {shapes}: {_cause(error)}") from error

    def close(self) -> None:
        """Free the module."""
        del self.native, self._copies, self._transfers
        self._free_unused()

    def _free_unused(self) -> None:
        """Release memory of the device that PyTorch keeps for later calls."""
        if self._device.type == "cuda":
            self._torch.cuda.empty_cache()

    def _run(self, inputs: Sequence[NDArray[Any] | None]) -> list[NDArray[Any]]:
        channels_last = self._channels_last
        try:
            return self._once(inputs)
        except RuntimeError as error:
            if not channels_last or isinstance(error, ModelRunError) or _is_of_compiler(error) or is_out_of_memory(error):
                raise
        # Networks that depend on the layout of memory (Tensor.view) need the usual order of axes.
        with self._change:
            if self._channels_last:
                self.native.to(memory_format=self._torch.contiguous_format)
                self._copies = local()
                self._channels_last = False
        return self._once(inputs)

    def _once(self, inputs: Sequence[NDArray[Any] | None]) -> list[NDArray[Any]]:
        torch = self._torch
        if torch.get_num_threads() != self._threads:
            torch.set_num_threads(self._threads)
        enabled = self._autocast is not None
        with self._transfers.lent() as transfer:
            given = [None if array is None else transfer.send(array) for array in inputs]
            with torch.inference_mode(), torch.autocast(self._device.type, dtype=self._autocast, enabled=enabled), self._turn:
                outputs = [self._for_numpy(o) for o in ordered_outputs(self._own_module()(*given), self._output_ids)]
                transfer.launched()
            return transfer.receive(outputs)

    def _for_numpy(self, output: Any) -> Any:
        """Return an output in a dtype that numpy has, and in float32 if it was computed in a narrower precision on request."""
        torch = self._torch
        half = {torch.bfloat16} if self._autocast is None else {torch.bfloat16, torch.float16}
        wide = output.detach().float() if output.dtype in half else output.detach()
        return wide.contiguous()

    def _own_module(self) -> Any:
        """Return the copy of the calling thread, or the shared module where threads have no copies."""
        if self._is_script:
            return self.native
        copies = self._copies  # another thread may replace it meanwhile
        if not hasattr(copies, "module"):
            module = self._copy() if isinstance(self._turn, nullcontext) else self.native
            copies.module = self._torch.compile(module) if self._compiles else module
        return copies.module

    def _copy(self) -> Any:
        shared = chain(self.native.parameters(), self.native.buffers())
        return deepcopy(self.native, {id(tensor): tensor for tensor in shared})

    def _has_copies(self) -> bool:
        """Return whether threads can run at once, each with a copy for its state."""
        if self._is_script:
            return not _has_state(self.native)
        try:
            self._copy()
        except Exception:  # the code of a model may raise anything
            return False
        return True

    def _prefers_channels_last(self) -> bool:
        """Return whether convolutions are faster with channels as the last axis in memory.

        On CPUs a U-Net for images took 0.6 of the time, with equal outputs to 6e-8; one for volumes took the same time either way.
        All tensors that are computed from parameters in this layout have it as well.
        """
        return self._device.type == "cpu" and any(parameter.dim() == 4 for parameter in self.native.parameters())


def for_inference(module: Any) -> Any:
    """Return a module in evaluation mode, with parameters that need no gradients.

    What its methods return is not used: code of models overrides them, often without a return value.
    """
    module.eval()
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    return module


def ordered_outputs(result: Any, output_ids: Sequence[str]) -> list[Any]:
    """Return the tensors that a module returned, in the order of the described outputs.

    Args:
        result: A tensor, a list or tuple of tensors, possibly alone in further lists or tuples, or a mapping by output id; some may be
            numpy arrays. After the described outputs, what is no tensor is left out, and so is all that follows.
        output_ids: Ids of the described outputs.

    Raises:
        ModelRunError: The result is something else.

    """
    import torch

    outputs = result
    while isinstance(outputs, list | tuple) and len(outputs) == 1 and isinstance(outputs[0], list | tuple | Mapping):
        (outputs,) = outputs
    if isinstance(outputs, Mapping):
        missing = [name for name in output_ids if name not in outputs]
        if missing:
            raise ModelRunError(
                f"the PyTorch module returned a mapping with {', '.join(map(repr, outputs)) or 'nothing'}: "
                f"expected the ids of all outputs, which lacks {', '.join(map(repr, missing))}"
            )
        outputs = [outputs[name] for name in output_ids]
    outputs = [outputs] if isinstance(outputs, torch.Tensor | np.ndarray) else outputs
    if isinstance(outputs, list | tuple):
        outputs = [torch.as_tensor(o) if isinstance(o, np.ndarray) else o for o in outputs]
        others = [n for n, o in enumerate(outputs) if n >= len(output_ids) and not isinstance(o, torch.Tensor)]
        outputs = outputs[: others[0]] if others else outputs
    if not isinstance(outputs, list) or not all(isinstance(o, torch.Tensor) for o in outputs):
        parts = f" of {', '.join(type(o).__name__ for o in outputs)}" if isinstance(outputs, list) else ""
        raise ModelRunError(
            f"the PyTorch module returned {type(result).__name__}{parts}: "
            "expected a tensor, a list or tuple of tensors, or a mapping by output id"
        )
    return outputs


def _usable_device(name: str) -> Any:
    import torch

    try:
        if name.partition(":")[0] not in DEVICES:
            raise RuntimeError(f"expected one of {', '.join(DEVICES)}")
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device {name!r} is not usable by the installed PyTorch: {in_brief(error)}") from error
    return device


def _precision(context: AdapterContext, device: Any) -> Any:
    """Return the dtype of computations if it differs from that of the parameters, else None."""
    import torch

    if context.precision == "fp32":
        return None
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}[context.precision]
    refused = f"device {context.device!r} cannot compute in {context.precision}"
    if device.type == "cpu" and dtype is torch.float16:  # possible, but a hundred times slower than fp32
        raise InputError(f"{refused} in reasonable time: expected bf16 or fp32, or another device")
    if device.type == "cuda" and dtype is torch.bfloat16 and not torch.cuda.is_bf16_supported():
        raise InputError(f"{refused}: expected fp16 or fp32")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # PyTorch warns, and continues in full precision
            torch.autocast(device.type, dtype=dtype)
    except (RuntimeError, UserWarning) as error:
        raise InputError(f"{refused}: {in_brief(error)}") from error
    return dtype


def _has_state(script: Any) -> bool:
    """Return whether a script writes to its own attributes."""
    try:
        return "prim::SetAttr" in str(script.inlined_graph)
    except RuntimeError:  # it has no method forward
        return False


def _is_of_compiler(error: Exception) -> bool:
    kind = type(error)
    return (
        kind.__module__.startswith(("torch._dynamo", "torch._inductor")) and kind.__name__ != "TorchRuntimeError"
    )  # that is of the module


def _cause(error: Exception) -> str:
    """Return the cause of a failure; scripts put their trace first, and the cause last."""
    text = str(error).strip()
    if "TorchScript" in text:
        return in_brief(text.splitlines()[-1])
    return in_brief(error)
