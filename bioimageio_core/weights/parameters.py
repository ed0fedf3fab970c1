"""Tensors by name, put into the PyTorch module that they are the parameters of.

Public: adapters of formats that hold such tensors fill their modules here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..errors import ModelRunError
from ..text import in_brief

__all__ = ["load_parameters"]

NAMED = 5
"""Parameters that an error names; others are counted."""


def load_parameters(module: Any, tensors: Mapping[str, Any], *, name: str, strict: bool = True) -> None:
    """Copy tensors into the parameters and buffers of the same names, in the dtypes that these have.

    A parameter that a module has under several names needs to be given under one of them.

    Args:
        module: A `torch.nn.Module`.
        tensors: What its method ``state_dict`` would return.
        name: That of the file, for errors.
        strict: Whether names have to be exactly those of the module.

    Raises:
        ModelRunError: Names are missing or too many, or shapes differ; those in question are named.
            Without `strict` shapes count nevertheless, and some name has to be that of a parameter.

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
    except Exception as error:  # what the code of a model raises
        raise ModelRunError(f"the parameters in {name} do not fit the architecture: {in_brief(error, named=True)}") from error
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
    """Return the parameters and buffers by name, the same object under each of its names; those that have no shape yet are left out."""
    import torch

    state = module.state_dict(keep_vars=True)
    return {key: t for key, t in state.items() if isinstance(t, torch.Tensor) and not torch.nn.parameter.is_lazy(t)}


def _listed(names: Collection[str], separator: str = ", ") -> str:
    listed = sorted(names)
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return separator.join(listed[:NAMED]) + more or "none"
