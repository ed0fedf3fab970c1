"""ONNX weights on ONNX Runtime."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DeviceMemoryError, InputError, ModelRunError
from ..onnx_runtime import import_onnxruntime
from ..registry import AdapterContext
from ..sources.scratch import Scratch
from ..text import in_brief
from .onnx_data import graph_beside_its_data
from .onnx_inputs import names_by_input
from .out_of_memory import is_out_of_memory

__all__ = ["OnnxAdapter"]

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}

_UNKNOWN = re.compile(r"Fatal error: ([^:]*):([^:(]*)(?:\(-?\d+\))? is not a registered function/op|Error No Op registered for ()(\w+) ")
"""How ONNX Runtime names an operator that it lacks: by domain, name and version; by name where it is one of ONNX."""


class OnnxAdapter:
    """An ONNX Runtime session; `__call__` may run in several threads at once.

    Described inputs and outputs are matched with those of the graph by position, whatever their names.
    A graph with fewer inputs, since exporters leave out those that it does not use, needs names that are ids of described inputs.
    Its attribute ``native`` is the `onnxruntime.InferenceSession`.
    """

    def __init__(self, context: AdapterContext) -> None:
        ort = import_onnxruntime()
        ort.set_default_logger_severity(4)  # failures are raised; what ONNX Runtime prints of them may hold any text of the graph
        kind, _, number = context.device.partition(":")
        provider = PROVIDERS.get(kind)
        if provider not in ort.get_available_providers():
            raise InputError(
                f"device {context.device!r} is not usable by the installed onnxruntime, which offers {ort.get_available_providers()}"
            )
        selected = (provider, {"device_id": int(number)}) if number.isdecimal() else provider
        self._scratch = Scratch()
        try:
            path = graph_beside_its_data(context, self._scratch)
            try:
                self.native = ort.InferenceSession(path, _session_options(ort, context.threads), providers=[selected])
            except Exception as error:  # onnxruntime's exceptions share no public base
                reason = _unknown_operator(error) or _cause(error)
                raise ModelRunError(f"onnxruntime cannot load {Path(context.path).name}: {reason}") from error
        except BaseException:
            self._scratch.remove()
            raise
        if kind == "cuda" and provider not in self.native.get_providers():  # onnxruntime falls back to the CPU
            self.close()
            raise InputError(f"device {context.device!r} is not usable by the installed onnxruntime: the session would run on the CPU")
        self._input_ids = context.input_ids
        try:
            self._names = names_by_input([i.name for i in self.native.get_inputs()], context.input_ids)
        except ModelRunError:
            self.close()
            raise

    def __call__(self, inputs: Sequence[NDArray[Any] | None]) -> list[NDArray[Any]]:
        """Run the graph; see `bioimageio_core.registry.WeightsAdapter`."""
        feeds = {name: array for name, array in zip(self._names, inputs, strict=True) if name is not None and array is not None}
        try:
            outputs = self.native.run(None, feeds)
        except Exception as error:  # onnxruntime's exceptions share no public base
            given = ", ".join(f"{i} {a.dtype} {a.shape}" for i, a in zip(self._input_ids, inputs, strict=True) if a is not None)
            if is_out_of_memory(error):
                raise DeviceMemoryError(f"memory does not suffice to run the ONNX graph on {given}: {_cause(error)}") from error
            wanted = in_brief(", ".join(f"{i.name} {i.type} {tuple(i.shape)}" for i in self.native.get_inputs()))
            raise ModelRunError(f"the ONNX graph, which takes {wanted}, failed on {given}: {_cause(error)}") from error
        return [np.asarray(o) for o in outputs]

    @property
    def input_shapes(self) -> list[tuple[int | None, ...]]:
        """Fixed sizes of the described inputs in the graph; None along axes of variable size, and no axes for an input that it lacks."""
        shapes = {i.name: tuple(n if isinstance(n, int) else None for n in i.shape) for i in self.native.get_inputs()}
        return [() if name is None else shapes[name] for name in self._names]

    def close(self) -> None:
        """Free the session."""
        del self.native
        self._scratch.remove()


def _session_options(ort: Any, threads: int) -> Any:
    """Return the options of a session: each call uses all threads, for blocks of many sizes."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    # Memory patterns are kept for every input size, and blocks at edges have many sizes: without them calls are as fast, in less memory.
    options.enable_mem_pattern = False
    # The arena reuses memory between calls. It keeps as much as the largest block needs, which the memory budget includes.
    options.enable_cpu_mem_arena = True
    options.log_severity_level = 4  # failures are raised
    return options


def _unknown_operator(error: Exception) -> str:
    """Return which operator of a graph ONNX Runtime lacks; empty if it lacks none."""
    found = _UNKNOWN.search(str(error))
    if found is None:
        return ""
    domain, name = found.groups()[:2] if found[2] else found.groups()[2:]
    operator = in_brief(f"{domain or 'ai.onnx'}:{name}")
    return f"it lacks the operator {operator}: expected operators of ONNX, of com.microsoft, or functions within the graph"


def _cause(error: Exception) -> str:
    """Return the cause of a failure: ONNX Runtime wraps one message into the next."""
    return in_brief(re.split(r"\[ONNXRuntimeError\] : \d+ : \w+ : ", str(error))[-1].strip() or error)
