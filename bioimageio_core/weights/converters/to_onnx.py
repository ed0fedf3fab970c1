"""Converts PyTorch modules and scripts to ONNX, with the exporters of PyTorch."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from logging import ERROR, getLogger
from pathlib import Path
from typing import Any, TypeAlias

from numpy.typing import NDArray

from ...atomic_files import write_bytes
from ...compiler_folder import without_compiler_folder
from ...errors import ModelRunError
from ...onnx_runtime import import_onnxruntime
from ...registry import ConverterContext
from ..state_dict import load_module
from ..torch_network import for_inference, ordered_outputs
from ..torchscript import load_script
from .examples import Example, first_that_agrees, make_examples
from .instance_norm import OPSET, own_instance_norm
from .onnx_shapes import name_axes

__all__ = ["state_dict_to_onnx", "torchscript_to_onnx"]

Exporter: TypeAlias = Callable[[ConverterContext, Any, Example], bytes]

LARGEST = 2**31 - 2**20
"""Largest size of the parameters in bytes: the format allows 2 GiB for a complete file."""


def state_dict_to_onnx(context: ConverterContext) -> Mapping[str, Any]:
    """Write the graph of a module: exported, scripted or traced, the first of these with the outputs of the module in all sizes.

    Raises:
        ModelRunError: The weights cannot be loaded, are too large, or no graph gives the same outputs.
        TrustError: The code of the model is not trusted.

    """
    module = for_inference(load_module(context.source))
    return _write(context, module, {"exporting": _exported, "scripting": _scripted, "tracing": _traced})


def torchscript_to_onnx(context: ConverterContext) -> Mapping[str, Any]:
    """Write the graph of a script: exported or traced, the first of these with the outputs of the script in all sizes.

    Instance normalisation is written as means over space where the exporter does not know the number of channels.

    Raises:
        TrustError: The script does more than compute.
        ModelRunError: The weights cannot be loaded, are too large, or no graph gives the same outputs.

    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # PyTorch deprecates TorchScript
        source = context.source
        module = load_script(source.path, "cpu", trust=source.trust, libraries=source.imports).eval()
    return _write(context, module, {"exporting": _recorded, "tracing": _traced, "exporting with means": _recorded_with_means})


def _write(context: ConverterContext, module: Any, exporters: Mapping[str, Exporter]) -> Mapping[str, Any]:
    name = Path(context.source.path).name
    check_size(module, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # exporters warn about future changes, traces about everything that they record
        examples = make_examples(context, module)

        def graph_of(exporter: Exporter) -> _Graph:
            return _Graph(exporter(context, module, examples[-1]), context, examples[0])

        attempts = {words: partial(graph_of, exporter) for words, exporter in exporters.items()}
        found = first_that_agrees(attempts, examples, name=name, to_format="ONNX")
    if found.warning:
        warnings.warn(found.warning, stacklevel=2)
    write_bytes(context.target, found.network.content, overwrite=False)
    return {"opset_version": found.network.opset_version}


def check_size(module: Any, name: str) -> None:
    """Refuse modules that do not fit into one ONNX file.

    Raises:
        ModelRunError: The module has too many parameters.

    """
    size = sum(tensor.numel() * tensor.element_size() for tensor in (*module.parameters(), *module.buffers()))
    if size > LARGEST:
        raise ModelRunError(f"{name} holds {size} bytes of parameters: expected at most {LARGEST}, since an ONNX file has at most 2 GiB")


class _Graph:
    """A graph that is called with arrays."""

    def __init__(self, content: bytes, context: ConverterContext, example: Example) -> None:
        import onnx

        onnxruntime = import_onnxruntime()
        model = name_axes(onnx.load_from_string(content), context, example)
        self.content = model.SerializeToString()
        self.opset_version = next(opset.version for opset in model.opset_import if opset.domain in ("", "ai.onnx"))
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # failures are raised
        self._session = onnxruntime.InferenceSession(self.content, options, providers=["CPUExecutionProvider"])

    def __call__(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        names = [each.name for each in self._session.get_inputs()]
        found: list[NDArray[Any]] = self._session.run(None, dict(zip(names, inputs, strict=True)))
        return found


def _ordered(module: Any, output_ids: Sequence[str]) -> Any:
    """Return a module that returns the outputs of another one as a tuple, in described order."""
    import torch

    class Ordered(torch.nn.Module):  # type: ignore[misc]  # torch is not followed
        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self, *inputs: Any) -> tuple[Any, ...]:
            return tuple(ordered_outputs(self.module(*inputs), output_ids)[: len(output_ids)])

    return Ordered()


def _exported(context: ConverterContext, module: Any, example: Example) -> bytes:
    """Export the computations of the module, with symbols for variable sizes."""
    import torch

    variable = [dict.fromkeys(numbers, torch.export.Dim.DYNAMIC) for numbers in _variable(context)[: len(example.inputs)]]
    with _without_log(), without_compiler_folder():
        program = torch.onnx.export(
            _ordered(module, context.source.output_ids),
            _tensors(example),
            dynamo=True,
            dynamic_shapes=(tuple(variable),),
            input_names=list(context.source.input_ids),
            output_names=list(context.source.output_ids),
            verbose=False,
        )
    content: bytes = program.model_proto.SerializeToString()
    return content


@contextmanager
def _without_log() -> Iterator[None]:
    """Suppress the exporter's messages about libraries that are not installed."""
    logger = getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _scripted(context: ConverterContext, module: Any, example: Example) -> bytes:
    """Export the script of a module."""
    import torch

    return _recorded(context, torch.jit.script(module), example)


def _traced(context: ConverterContext, module: Any, example: Example) -> bytes:
    """Export a trace of the module with the inputs of an example."""
    import torch

    ordered = _ordered(module, context.source.output_ids)
    if isinstance(module, torch.jit.ScriptModule):  # exporters do not trace scripts themselves
        ordered = torch.jit.trace(ordered, _tensors(example), check_trace=False)
    return _recorded(context, ordered, example)


def _recorded(context: ConverterContext, module: Any, example: Example, *, opset: int | None = None) -> bytes:
    """Export a script with its branches and loops; modules that are not scripts are traced."""
    import torch

    content = io.BytesIO()
    inputs, outputs = list(context.source.input_ids), list(context.source.output_ids)
    axes = {name: numbers for name, numbers in zip([*inputs, *outputs], _variable(context), strict=False) if numbers}
    torch.onnx.export(
        module,
        _tensors(example),
        content,
        dynamo=False,
        input_names=inputs,
        output_names=outputs,
        dynamic_axes=axes,
        opset_version=opset,
    )
    return content.getvalue()


def _recorded_with_means(context: ConverterContext, module: Any, example: Example) -> bytes:
    """Export a script whose instance normalisation PyTorch does not export."""
    with own_instance_norm():
        return _recorded(context, module, example, opset=OPSET)


def _tensors(example: Example) -> tuple[Any, ...]:
    import torch

    return tuple(torch.from_numpy(array.copy()) for array in example.inputs)


def _variable(context: ConverterContext) -> list[list[int]]:
    """Return the numbers of the axes of variable size of each input, then of each output."""
    axes = [*context.input_axes, *context.output_axes]
    known = [[n for n, axis in enumerate(ids) if axis in variable] for ids, variable in zip(axes, context.variable_axes, strict=False)]
    return known or [[] for _ in context.inputs]
