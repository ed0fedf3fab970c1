"""Networks of installed libraries that need no trust: which callables give them, and with which arguments.

A callable is checked before it is called, one by one: a library also holds functions that fetch and write what their arguments name.
Parameters that a library would fetch or read are left out: those of the model replace them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from inspect import getattr_static, signature
from types import FunctionType, MappingProxyType
from typing import Any, cast

from ..errors import TrustError
from ..text import in_brief

__all__ = ["arguments_without_trust", "gives_network", "may_be_imported"]

NETWORKS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "monai.networks.nets": re.compile("MedNe[xX]t(S|B|M|L|Small|Base|Medium|Large)|resnet(10|18|34|50|101|152|200)|vista3d132"),
        "segmentation_models_pytorch": re.compile("create_model"),
        "timm.models": re.compile("create_model"),
        "torchvision.models": re.compile("(?!)"),
    }
)
"""Modules whose classes of networks may be called, and the names of functions in them that give networks.

Functions that timm and torchvision register as models may be called as well; torchvision needs no more.
Of monai only this part, since its bundles run the code that they name.
"""

WITHOUT_PARAMETERS: Mapping[str, bool | None] = MappingProxyType(
    {
        "checkpoint": None,
        "checkpoint_path": None,
        "encoder_weights": None,
        "pretrained": False,
        "pretrained_backbone": False,
        "pretrained_url": None,
        "weights": None,
        "weights_backbone": None,
    }
)
"""Arguments by which libraries fetch or read parameters, and the values without them."""

_PLACE = re.compile(r"[/\\:]")
"""Names of networks and layers have none of these; paths, URLs and names of other hubs (``hf-hub:``) do."""


def may_be_imported(module: str) -> bool:
    """Return whether a module is in a part of a library that holds networks, or passes them on."""
    return module == "timm" or _part_of(module) is not None


def gives_network(found: Any, name: str) -> bool:
    """Return whether a callable, found under a name, is a class or a function of a known library that gives networks."""
    from torch import nn

    part = _part_of(str(getattr(found, "__module__", "")))
    if part is None:
        return False
    if isinstance(found, type):
        return issubclass(found, nn.Module)
    return isinstance(found, FunctionType) and (NETWORKS[part].fullmatch(name) is not None or _is_registered(found, part))


def arguments_without_trust(function: Any, kwargs: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return the arguments of a callable that gives a network, without those by which it would fetch or read parameters.

    Args:
        function: The callable.
        kwargs: Its described arguments.
        what: What it is, as in ``timm.create_model``; begins the error.

    Raises:
        TrustError: An argument names a place.

    """
    called = getattr_static(function, "__init__") if isinstance(function, type) else function  # its __new__ may take anything
    named = signature(called).parameters
    kept = {name: value for name, value in kwargs.items() if name not in WITHOUT_PARAMETERS}
    for text in _texts(kept):
        if _PLACE.search(text):
            raise TrustError(
                f"the architecture {what} gets the argument {in_brief(text)!r}, which may name a file or an address to load from: "
                f"{TrustError.remedy}"
            )
    return {**kept, **{name: value for name, value in WITHOUT_PARAMETERS.items() if name in named}}  # some fetch by default


def _part_of(module: str) -> str | None:
    return next((part for part in NETWORKS if f"{module}.".startswith(f"{part}.")), None)


def _is_registered(function: FunctionType, part: str) -> bool:
    """Return whether a library lists a function among its models."""
    name, models = function.__name__, cast("Any", import_module(part))
    if part == "timm.models":
        return bool(models.is_model(name)) and models.model_entrypoint(name) is function
    if part == "torchvision.models":
        return name in models.list_models() and models.get_model_builder(name) is function
    return False


def _texts(tree: Any) -> Iterator[str]:
    """Yield all texts in arguments, at any depth."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, Mapping):
        yield from _texts([*tree.keys(), *tree.values()])
    elif isinstance(tree, list | tuple):
        for part in tree:
            yield from _texts(part)
