"""Loads parameters into PyTorch modules.

Public: adapters of formats that hold tensors by name fill their modules here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..errors import ModelRunError
from ..text import in_brief

__all__ = ["load_parameters"]

NAMED = 5
"""Largest number of parameters that an error names; the rest is counted."""


def load_parameters(module: Any, tensors: Mapping[str, Any], *, name: str, strict: bool = True) -> None:
    """Copy tensors into the parameters and buffers of the same names, in their dtypes.

    A parameter that a module has under several names is expected under one of them.

    Args:
        module: A `torch.nn.Module`.
        tensors: Tensors by name, as its method ``state_dict`` returns them.
        name: Name of the file, for errors.
        strict: Whether the names must be exactly those of the module.

    Raises:
        ModelRunError: Names are missing or superfluous, or shapes differ; the message lists them.
            Without `strict`, shapes must match nevertheless, and at least one name must be that of a parameter.

    """
    own = _tensors(module)
    misshaped = [
        f"{key} has shape {list(tensors[key].shape)}, in the architecture {list(tensor.shape)}"
        for key, tensor in own.items()
        if hasattr(tensors.get(key), "shape") and tensors[key].shape != tensor.shape
    ]
    if misshaped:
        raise ModelRunError(f"the parameters in {name} do not fit the architecture: {_listed(misshaped, '; ')}")
    try:
        found = module.load_state_dict(tensors, strict=False)
    except Exception as error:  # the code of a model may raise anything
        raise ModelRunError(f"the parameters in {name} do not fit the architecture: {in_brief(error, named=True)}") from error
    if not hasattr(found, "missing_keys"):  # code of the model overrides the method without its return value, and checks the names itself
        return
    given = {id(own[key]) for key in own.keys() & tensors.keys()}
    missing = [key for key in found.missing_keys if key not in own or id(own[key]) not in given]
    differ = (
        f"the parameters in {name} are not those of the architecture: "
        f"the file lacks {_listed(missing)}, the architecture lacks {_listed(found.unexpected_keys)}"
    )
    if strict and (missing or found.unexpected_keys):
        raise ModelRunError(differ)
    if missing and len(found.unexpected_keys) == len(tensors):
        raise ModelRunError(f"{differ}, so that none would be loaded")


def _tensors(module: Any) -> dict[str, Any]:
    """Return the parameters and buffers by name, shared ones under each of their names; those without a shape yet are left out."""
    import torch

    state = module.state_dict(keep_vars=True)
    return {key: t for key, t in state.items() if isinstance(t, torch.Tensor) and not torch.nn.parameter.is_lazy(t)}


def _listed(names: Collection[str], separator: str = ", ") -> str:
    listed = sorted(names)
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return separator.join(listed[:NAMED]) + more or "none"
