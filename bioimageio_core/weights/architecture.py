"""PyTorch modules from the architecture of a weights entry: code of the model, or of an installed library.

Public: adapters for weights that hold parameters alone build their module here.
The code of a model runs only if it is trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..compiler_folder import without_compiler_folder
from ..env import set_temporarily
from ..errors import MissingRequirementError, ModelRunError
from ..registry import AdapterContext
from ..sources.model_code import ModelCode, attached_files, call_code, no_trust
from ..spec.files import FileDescr
from ..spec.model.weights import split_architecture
from ..structuring.freezing import thaw
from ..text import in_brief
from .descr_v0_5 import ArchitectureFromFileDescr, ArchitectureFromLibraryDescr
from .library_networks import arguments_without_trust, gives_network, may_be_imported

__all__ = [
    "ArchitectureFromFileDescr",
    "ArchitectureFromLibraryDescr",
    "build_module",
    "module_from_file",
    "module_from_library",
]

_NO_FILES: Mapping[str, str | Path] = MappingProxyType({})


def build_module(context: AdapterContext) -> Any:
    """Return the `torch.nn.Module` of a weights entry.

    Its field ``architecture`` is of the classes of this module, or as in format 0.4: ``file:callable`` or ``module.callable``, with the
    arguments in the field ``kwargs`` of the entry.

    Args:
        context: The context of the adapter; an architecture file may import and read the attachments of the entry and of the model.

    Raises:
        TrustError: The code is not trusted.
        MissingRequirementError: The library is not installed.
        ModelRunError: The code fails, or returns something else.

    """
    architecture = context.weights.architecture
    if isinstance(architecture, str):
        is_file, kwargs = ":" in architecture, thaw(context.weights.kwargs)
        source, name = split_architecture(architecture) if is_file else architecture.rpartition(".")[::2]
    else:
        is_file, name, kwargs = isinstance(architecture, FileDescr), architecture.callable, thaw(architecture.kwargs)
        source = architecture.source if is_file else architecture.import_from
    if not is_file:
        return module_from_library(source, name, kwargs, trust=context.trust)
    if not context.trust:
        raise no_trust(f"the architecture file {source}, which comes with the model,")
    place = str(architecture.source) if isinstance(architecture, FileDescr) else source
    attached = attached_files(context.files)
    return module_from_file(context.files["architecture"], name, kwargs, place=place, attached=attached, trust=context.trust)


def module_from_library(import_from: str, name: str, kwargs: Mapping[str, Any], *, trust: bool) -> Any:
    """Return the `torch.nn.Module` that a callable of an installed library returns.

    Args:
        import_from: The Python module that holds the callable.
        name: Name of the callable.
        kwargs: Its arguments.
        trust: Whether any library may be imported, and any callable called with any arguments; otherwise only those that
            `library_networks` lists, which get no parameters but those of the model.

    Raises:
        TrustError: The callable is not known to give networks, or an argument may name a place to load from.
        MissingRequirementError: The library is not installed.
        ModelRunError: The library lacks the callable, or the callable fails or returns something else.

    """
    what = f"{import_from}.{name}"
    library = import_from.partition(".")[0]
    if not trust and not may_be_imported(import_from):
        raise no_trust(f"{what}, which the model names as its architecture,")
    try:
        with without_compiler_folder():
            found = getattr(import_module(import_from), name, None)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{import_from}.".startswith(f"{error.name}."):
            raise MissingRequirementError(f"the architecture {what} needs {library}, which is not installed: install it") from None
        raise ModelRunError(f"the architecture {what} cannot be imported: {in_brief(error, named=True)}") from error
    except (Exception, SystemExit) as error:  # the code of a library may raise anything
        raise ModelRunError(f"the architecture {what} cannot be imported: {in_brief(error, named=True)}") from error
    if found is None:
        raise ModelRunError(
            f"the architecture {what} does not exist: {import_from} is installed and has no {name!r}, which another version may"
        )
    if trust:
        return _as_network(call_code(found, kwargs, f"the architecture {what}"), what)
    if not gives_network(found, name):
        raise no_trust(f"{what}, which the model names as its architecture,")
    with _no_pickled_code():
        return _as_network(call_code(found, arguments_without_trust(found, kwargs, what), f"the architecture {what}"), what)


def module_from_file(
    path: str | Path, name: str, kwargs: Mapping[str, Any], *, place: str = "", attached: Mapping[str, str | Path] = _NO_FILES, trust: bool
) -> Any:
    """Return the `torch.nn.Module` that a callable of a Python file returns.

    Args:
        path: The file.
        name: Name of the callable.
        kwargs: Its arguments.
        place: The place of the file in the package, as in ``code/net.py``; by default its name.
        attached: Local paths of further files by their places in the package: code may import and read them for as long as the module
            lives, and no other files of the package.
        trust: Whether the code may run.

    Raises:
        TrustError: The code may not run.
        ModelRunError: The code fails, lacks the callable, or returns something else.

    """
    file = Path(path).name
    if not trust:
        raise no_trust(f"the architecture file {file}, which comes with the model,")
    place = place or file
    with ModelCode({**attached, place: path}, place) as code:
        network = _as_network(code.call(name, kwargs, what="architecture"), f"{name} of {place.rpartition('/')[2]}")
        code.live_with(network)
    return network


def _as_network(made: Any, what: str) -> Any:
    from torch import nn

    if not isinstance(made, nn.Module):
        raise ModelRunError(f"the architecture {what} returns {type(made).__name__}: expected a torch.nn.Module")
    return made


def _no_pickled_code() -> AbstractContextManager[None]:
    """Let PyTorch load only tensors: libraries may fetch further weights, from places that arguments name."""
    return set_temporarily("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "1")
