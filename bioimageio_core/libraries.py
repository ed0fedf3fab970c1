"""Libraries that users name to be imported before weights are loaded, since these use ops that the libraries register."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module

from .compiler_folder import without_compiler_folder
from .errors import InputError, MissingRequirementError
from .text import in_brief

__all__ = ["import_libraries", "missing_library"]

_MISSING = re.compile(r"Unknown builtin op: (\w+)::(\w+)|Unknown type name '__torch__\.torch\.classes\.(\w+)\.(\w+)'")
"""How PyTorch refuses a script whose op or class no imported library registers."""

_OF_PYTORCH = ("aten", "prim", "prims", "quantized", "_c10d_functional", "inductor")
"""Namespaces that PyTorch itself registers: an unknown op there is of another version."""


def import_libraries(names: Iterable[str]) -> None:
    """Import libraries by name; those that are imported already stay as they are.

    Args:
        names: Names of modules, as in ``torchvision``. To name one is to trust it: its code runs.

    Raises:
        MissingRequirementError: A library is not installed.
        InputError: A library fails when it is imported.

    """
    for name in names:
        what = f"imports= (--import) names the library {name!r}"
        try:
            with without_compiler_folder():
                import_module(name)
        except ModuleNotFoundError as error:
            raise MissingRequirementError(f"{what}, which cannot be imported: {in_brief(error)}; install it, also for workers") from error
        except (Exception, SystemExit) as error:  # the code of a library may raise anything
            raise InputError(f"{what}, which fails when it is imported: {in_brief(error, named=True)}") from error


def missing_library(error: Exception) -> str:
    """Return which op or class of another library PyTorch lacks, and how to import the library; empty if it lacks none."""
    found = _MISSING.search(str(error))
    if found is None:
        return ""
    kind, namespace, name = ("op", *found.group(1, 2)) if found[1] else ("class", *found.group(3, 4))
    if namespace in _OF_PYTORCH:
        return ""
    return (
        f"it uses the {kind} {namespace}::{name}, which no imported library registers: "
        f'import the library of {namespace!r}, with imports="{namespace}" (--import {namespace}), if you trust it'
    )
