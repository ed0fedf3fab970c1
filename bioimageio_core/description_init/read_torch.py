"""Reads the network in files of PyTorch, with PyTorch."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ..compiler_folder import without_compiler_folder
from ..env import set_temporarily
from ..errors import InputError, MissingRequirementError, ModelRunError
from ..libraries import missing_library
from ..sources.model_code import no_trust
from ..text import in_brief
from ..torchscript import check_program
from ..typing import FrozenMapping
from .network_graph import Graph, GraphTensor

__all__ = ["read_torchscript", "torchscript_of_export"]


def read_torchscript(path: Path, *, trust: bool, libraries: Collection[str]) -> Graph:
    """Return the inputs of a TorchScript file, with dimensions and channels of the first weights.

    Args:
        path: The file.
        trust: Whether its program may do more than compute.
        libraries: Names of libraries whose operators it may use; they have been imported.

    Raises:
        TrustError: The program may do more than compute.
        ModelRunError: The file is not an archive of TorchScript.
        MissingRequirementError: PyTorch is not installed.
        InputError: PyTorch cannot read the file.

    """
    torch = _torch()
    if not trust:
        check_program(str(path), path.name, libraries=libraries)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            module = torch.jit.load(str(path), map_location="cpu").eval()
        arguments = [a for a in module.forward.schema.arguments[1:] if not a.has_default_value()]
        parameters = [tuple(p.shape) for p in module.parameters()]
    except (RuntimeError, ValueError, OSError, AttributeError) as error:
        raise InputError(f"{path} cannot be read as TorchScript: {missing_library(error) or in_brief(error)}") from None
    kernel = next((shape for shape in parameters if len(shape) in (3, 4, 5)), None)
    return Graph(
        inputs=tuple(GraphTensor(name=a.name) for a in arguments),
        fields=FrozenMapping(pytorch_version=str(torch.__version__).partition("+")[0]),
        spatial=None if kernel is None else len(kernel) - 2,
        channels=None if kernel is None else int(kernel[1]),
    )


def torchscript_of_export(path: Path, target: Path, *, trust: bool) -> None:
    """Convert a network that `torch.export.save` stored to TorchScript, by tracing it with its example inputs.

    Args:
        path: The archive.
        target: The TorchScript file to write.
        trust: Whether code in the archive may run: PyTorch evaluates the sizes of its tensors as expressions of Python.

    Raises:
        TrustError: The archive is not trusted.
        MissingRequirementError: PyTorch is not installed.
        InputError: PyTorch cannot read the file, or the file lacks example inputs.
        ModelRunError: The TorchScript gives other outputs.

    """
    if not trust:
        raise no_trust(f"{path.name}, an archive of torch.export,")
    torch = _torch()
    try:
        with without_compiler_folder(), set_temporarily("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "1"):  # no pickled code runs
            program = torch.export.load(str(path))
    except Exception as error:  # reading a broken archive may raise anything
        raise InputError(f"{path} cannot be read as an archive of torch.export: {in_brief(error)}") from None
    if program.example_inputs is None or not program.example_inputs[0]:
        raise InputError(f"{path} holds no example inputs to trace the network with: save it with them, or as ONNX")
    inputs, module = program.example_inputs[0], program.module()
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(module, inputs, check_trace=False)
        expected, found = _tensors(module(*inputs)), _tensors(traced(*inputs))
    if len(expected) != len(found) or not all(torch.allclose(a, b, rtol=1e-5, atol=1e-5) for a, b in zip(expected, found, strict=True)):
        raise ModelRunError(f"the TorchScript made from {path} gives other outputs than the archive: export it as ONNX instead")
    torch.jit.save(traced, str(target))


def _tensors(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple | list) else [result]


def _torch() -> Any:
    try:
        import torch
    except ModuleNotFoundError:
        raise MissingRequirementError(
            "reading PyTorch's files needs torch, which is not installed: pip install 'bioimageio-runtime[torch]'"
        ) from None
    return torch
