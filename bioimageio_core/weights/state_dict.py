"""Weights of PyTorch: parameters in a file of ``torch.save``, and the architecture of their module."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from ..errors import MissingRequirementError, ModelRunError
from ..registry import AdapterContext
from ..text import in_brief
from .architecture import build_module
from .parameters import load_parameters
from .torch_network import TorchNetwork
from .unpacked_size import check_unpacked_size

__all__ = ["PytorchStateDictAdapter", "load_module", "read_state_dict"]

NESTED = ("state_dict", "model_state_dict", "model_state", "model", "net_state_dict", "net", "network", "module", "weights", "params")
"""Keys of the parameters in checkpoints of training programs, the most common first."""

PREFIXES = ("module.", "_orig_mod.")
"""Prefixes that PyTorch's own wrappers add to all names: for several devices, and for compiled modules."""

SAFE = "2.6"
"""The first release of PyTorch that is not known to run code from files when it loads tensors alone (CVE-2025-32434)."""


class PytorchStateDictAdapter(TorchNetwork):
    """A module that code of the model or a library builds, with parameters from a file."""

    def __init__(self, context: AdapterContext) -> None:
        super().__init__(context, lambda _: load_module(context))


def load_module(context: AdapterContext) -> Any:
    """Return the `torch.nn.Module` of a weights entry with its parameters, on the host and in training mode.

    Raises:
        TrustError: The code is not trusted.
        MissingRequirementError: The library of the architecture is not installed.
        ModelRunError: The code fails, the file holds more than tensors, or the tensors do not fit the architecture.

    """
    module = build_module(context)
    name = Path(context.path).name
    tensors = _without_prefixes(read_state_dict(context.path), module)
    load_parameters(module, tensors, name=name, strict=getattr(context.weights, "strict", True))
    return module


def read_state_dict(path: str | Path) -> Mapping[str, Any]:
    """Return the tensors by name in a file of ``torch.save``, in either of its formats; no code in it runs.

    Parameters within a checkpoint are found by their common keys.

    Raises:
        ModelRunError: The file is broken, or holds more than tensors and plain data.
        MissingRequirementError: The installed PyTorch may run code from such files.

    """
    import torch

    name = Path(path).name
    if torch.__version__ < SAFE:
        raise MissingRequirementError(f"reading {name} needs PyTorch {SAFE} or later: earlier releases may run code from such files")
    check_unpacked_size(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickles of newer protocols, which are read or refused like others
            found = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise ModelRunError(
            f"{name} holds more than tensors and plain data, or is broken: expected a file of torch.save(module.state_dict(), ...); "
            f"it is not loaded, since it could run code ({_refused(error)})"
        ) from error
    except Exception as error:  # broken pickles raise almost anything
        raise ModelRunError(f"PyTorch cannot load {name}: {in_brief(error, named=True)}") from error
    return _parameters_in(found, name)


def _refused(error: UnpicklingError) -> str:
    """Return the object that PyTorch refused, without its advice on how to load the file nevertheless."""
    return in_brief(str(error.__context__ or error).partition(" was not an allowed")[0])


def _parameters_in(found: Any, name: str) -> Mapping[str, Any]:
    import torch

    outer: list[str] = []
    while isinstance(found, Mapping) and not any(isinstance(value, torch.Tensor) for value in found.values()):
        key = next((key for key in NESTED if isinstance(found.get(key), Mapping)), None)
        if key is None:
            break
        outer.append(key)
        found = found[key]
    if not isinstance(found, Mapping) or not all(isinstance(key, str) for key in found):
        where = f" in {'.'.join(outer)}" if outer else ""
        raise ModelRunError(f"{name} holds {type(found).__name__}{where}: expected tensors by name, as module.state_dict() returns them")
    if not any(isinstance(value, torch.Tensor) for value in found.values()) and found:
        raise ModelRunError(
            f"{name} holds no tensors by name but {', '.join(map(repr, list(found)[:5]))}: expected the result of module.state_dict(), "
            f"possibly under one of the keys {', '.join(NESTED)}"
        )
    return found


def _without_prefixes(tensors: Mapping[str, Any], module: Any) -> Mapping[str, Any]:
    """Return tensors without the prefixes of wrappers, unless the names of the module have them as well."""
    own = tuple(module.state_dict())
    stripped = dict(tensors)
    while stripped:
        prefix = next((p for p in PREFIXES if all(key.startswith(p) for key in stripped)), None)
        if prefix is None or any(key.startswith(prefix) for key in own):
            break
        stripped = {key.removeprefix(prefix): value for key, value in stripped.items()}
    return tensors if stripped.keys() == tensors.keys() else stripped
