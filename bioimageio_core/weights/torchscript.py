"""TorchScript weights on PyTorch."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from ..errors import ModelRunError
from ..libraries import missing_library
from ..registry import AdapterContext
from ..text import in_brief
from ..torchscript import check_program
from .torch_network import TorchNetwork
from .unpacked_size import check_unpacked_size

__all__ = ["TorchscriptAdapter", "load_script"]


class TorchscriptAdapter(TorchNetwork):
    """A scripted or traced module."""

    def __init__(self, context: AdapterContext) -> None:
        super().__init__(context, lambda device: load_script(context.path, device, trust=context.trust, libraries=context.imports))


def load_script(path: str, device: Any, *, trust: bool, libraries: Collection[str] = ()) -> Any:
    """Return the `torch.jit.ScriptModule` of a file: a program that PyTorch interprets, without Python code.

    Args:
        path: The file.
        device: The `torch.device` to load it on.
        trust: Whether the program may do more than compute.
        libraries: Names of libraries whose operators it may use; they have been imported.

    Raises:
        TrustError: The program does more than compute.
        ModelRunError: The file cannot be loaded as TorchScript.

    """
    import torch

    check_unpacked_size(path)
    if not trust:
        check_program(path, Path(path).name, libraries=libraries)
    try:
        return torch.jit.load(path, map_location=device)
    except (RuntimeError, ValueError, OSError) as error:
        reason = missing_library(error) or in_brief(error)
        raise ModelRunError(f"PyTorch cannot load {Path(path).name} as TorchScript: {reason}") from error
