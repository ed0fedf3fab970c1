"""Parameters of a PyTorch module in a file that ``torch.save`` wrote, with the architecture that they are of."""

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
"""Where training programs put the parameters in what they save, the likeliest first."""

PREFIXES = ("module.", "_orig_mod.")
"""What PyTorch's own wrappers put before all names: those for several devices, and for compiled modules."""

SAFE = "2.6"
"""The first release of PyTorch whose reader of tensors alone is not known to run code (CVE-2025-32434)."""


class PytorchStateDictAdapter(TorchNetwork):
    """A module that code of the model, or a library, builds, with parameters from a file."""

    def __init__(self, context: AdapterContext) -> None:
        super().__init__(context, lambda _: load_module(context))


def load_module(context: AdapterContext) -> Any:
    """Return the `torch.nn.Module` of a weights entry with its parameters, on the host and in training mode.

    Raises:
        TrustError: Code would run that nobody has allowed.
        MissingRequirementError: The library of the architecture is not installed.
        ModelRunError: The code failed, the file holds something else than tensors, or these are not of the architecture.

    """
    module = build_module(context)
    name = Path(context.path).name
    tensors = _without_prefixes(read_state_dict(context.path), module)
    load_parameters(module, tensors, name=name, strict=getattr(context.weights, "strict", True))
    return module


def read_state_dict(path: str | Path) -> Mapping[str, Any]:
    """Return the tensors by name in a file of ``torch.save``, in either of its formats; no code in it runs.

    Parameters within a checkpoint are found by the names that such files commonly use.

    Raises:
        ModelRunError: The file is broken, or holds more than tensors and plain data.
        MissingRequirementError: The installed PyTorch could be made to run code.

    """
    import torch

    name = Path(path).name
    if torch.__version__ < SAFE:
        raise MissingRequirementError(f"reading {name} needs PyTorch {SAFE} or later, since others can be made to run code by such files")
    check_unpacked_size(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles in newer protocols, which are read or refused all the same
            found = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise ModelRunError(
            f"{name} holds something else than tensors and plain data, or is broken: expected what torch.save(module.state_dict(), ...) "
            f"writes; it is not loaded, since it could run code ({_refused(error)})"
        ) from error
    except Exception as error:  # broken pickles raise almost anything
        raise ModelRunError(f"PyTorch cannot load {name}: {in_brief(error, named=True)}") from error
    return _parameters_in(found, name)


def _refused(error: UnpicklingError) -> str:
    """Return what PyTorch's reader stopped at, without its advice on how to load the file nevertheless."""
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
            f"{name} holds no tensors by name but {', '.join(map(repr, list(found)[:5]))}: expected what module.state_dict() returns, "
            f"or that under one of the names {', '.join(NESTED)}"
        )
    return found


def _without_prefixes(tensors: Mapping[str, Any], module: Any) -> Mapping[str, Any]:
    """Return tensors without what wrappers put before all names, unless the names of the module start so, too."""
    own = tuple(module.state_dict())
    stripped = dict(tensors)
    while stripped:
        prefix = next((p for p in PREFIXES if all(key.startswith(p) for key in stripped)), None)
        if prefix is None or any(key.startswith(prefix) for key in own):
            break
        stripped = {key.removeprefix(prefix): value for key, value in stripped.items()}
    return tensors if stripped.keys() == tensors.keys() else stripped
