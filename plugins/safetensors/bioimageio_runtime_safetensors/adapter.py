"""Weights of the format ``pytorch_safetensors`` on PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file

from bioimageio_core.errors import ModelRunError
from bioimageio_core.registry import AdapterContext
from bioimageio_core.text import in_brief
from bioimageio_core.weights.architecture import build_module
from bioimageio_core.weights.parameters import load_parameters
from bioimageio_core.weights.torch_network import TorchNetwork

__all__ = ["SafetensorsAdapter"]


class SafetensorsAdapter(TorchNetwork):
    """A module that code of the model, or a library, builds, with parameters from a file."""

    def __init__(self, context: AdapterContext) -> None:
        super().__init__(context, lambda _: _load(context))


def _load(context: AdapterContext) -> Any:
    module, name = build_module(context), Path(context.path).name
    try:
        tensors = load_file(context.path)
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelRunError(f"{name} cannot be read as safetensors: {in_brief(error)}") from error
    load_parameters(module, tensors, name=name)
    return module
