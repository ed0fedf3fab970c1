"""TorchScript weights on PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import ModelRunError
from ..libraries import missing_library
from ..registry import AdapterContext
from ..text import in_brief
from .torch_network import TorchNetwork
from .unpacked_size import check_unpacked_size

__all__ = ["TorchscriptAdapter", "load_script"]


class TorchscriptAdapter(TorchNetwork):
    """A scripted or traced module."""

    def __init__(self, context: AdapterContext) -> None:
        super().__init__(context, lambda device: load_script(context.path, device))


def load_script(path: str, device: Any) -> Any:
    """Return the `torch.jit.ScriptModule` of a file: a program that PyTorch interprets, without Python code.

    Raises:
        ModelRunError: The file cannot be loaded as TorchScript.

    """
    import torch

    check_unpacked_size(path)
    try:
        return torch.jit.load(path, map_location=device)
    except (RuntimeError, ValueError, OSError) as error:
        reason = missing_library(error) or in_brief(error)
        raise ModelRunError(f"PyTorch cannot load {Path(path).name} as TorchScript: {reason}") from error
