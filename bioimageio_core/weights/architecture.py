"""PyTorch modules from the architecture of a weights entry: code of the model, or of an installed library.

Public: adapters for weights that hold parameters alone build their module here.
The code of a model runs only if it is trusted. It is imported under a private name that is removed once the module is built,
so that two models may bring files of the same name, and no other code can import them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from threading import RLock
from typing import Any
from uuid import uuid4

from ..env import set_temporarily
from ..errors import MissingRequirementError, ModelRunError, TrustError
from ..registry import AdapterContext
from ..spec.files import FileDescr
from ..structuring.freezing import thaw
from ..text import in_brief
from .descr_v0_5 import ArchitectureFromFileDescr, ArchitectureFromLibraryDescr

__all__ = [
    "KNOWN_LIBRARIES",
    "ArchitectureFromFileDescr",
    "ArchitectureFromLibraryDescr",
    "build_module",
    "module_from_file",
    "module_from_library",
]

KNOWN_LIBRARIES = ("monai.networks.nets", "segmentation_models_pytorch", "timm.models", "torchvision.models")
"""Modules whose callables may be called without trust.

They hold networks, and nothing that runs code from its arguments; of monai only this part, since its bundles run the code that they name.
"""

_LOADING = RLock()
"""Held while the code of a model is imported: the process has one table of imported modules."""


def build_module(context: AdapterContext) -> Any:
    """Return the `torch.nn.Module` of a weights entry.

    Its field ``architecture`` is of the classes of this module, or as in format 0.4: ``file:callable`` or ``module.callable``, with the
    arguments in the field ``kwargs`` of the entry.

    Args:
        context: The context of the adapter; an architecture file may import the attachments of the entry.

    Raises:
        TrustError: The code is not trusted.
        MissingRequirementError: The library is not installed.
        ModelRunError: The code fails, or returns something else.

    """
    architecture = context.weights.architecture
    if isinstance(architecture, str):
        is_file, kwargs = ":" in architecture, thaw(context.weights.kwargs)
        source, _, name = architecture.rpartition(":" if is_file else ".")
    else:
        is_file, name, kwargs = isinstance(architecture, FileDescr), architecture.callable, thaw(architecture.kwargs)
        source = architecture.source if is_file else architecture.import_from
    if not is_file:
        return module_from_library(source, name, kwargs, trust=context.trust)
    if not context.trust:
        raise _no_trust(f"the architecture file {source}, which comes with the model,")
    attached = [context.files[file] for file in context.files if file.startswith("attachments/") and file.endswith(".py")]
    return module_from_file(context.files["architecture"], name, kwargs, attached=attached, trust=context.trust)


def module_from_library(import_from: str, name: str, kwargs: Mapping[str, Any], *, trust: bool) -> Any:
    """Return the `torch.nn.Module` that a callable of an installed library returns.

    Args:
        import_from: The Python module that holds the callable.
        name: Name of the callable.
        kwargs: Its arguments.
        trust: Whether libraries other than `KNOWN_LIBRARIES` may be imported and called.

    Raises:
        TrustError: The callable is of a library that is not trusted.
        MissingRequirementError: The library is not installed.
        ModelRunError: The library lacks the callable, or the callable fails or returns something else.

    """
    what = f"{import_from}.{name}"
    library = import_from.partition(".")[0]
    if not trust and library not in {known.partition(".")[0] for known in KNOWN_LIBRARIES}:
        raise _no_trust(f"{what}, which the model names as its architecture,")
    try:
        found = getattr(import_module(import_from), name, None)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{import_from}.".startswith(f"{error.name}."):
            raise MissingRequirementError(f"the architecture {what} needs {library}, which is not installed: install it") from None
        raise ModelRunError(f"the architecture {what} cannot be imported: {in_brief(error, named=True)}") from error
    except Exception as error:  # the code of a library may raise anything
        raise ModelRunError(f"the architecture {what} cannot be imported: {in_brief(error, named=True)}") from error
    if found is None:
        raise ModelRunError(
            f"the architecture {what} does not exist: {import_from} is installed and has no {name!r}, which another version may"
        )
    if not trust and not f"{getattr(found, '__module__', '')}.".startswith(tuple(f"{known}." for known in KNOWN_LIBRARIES)):
        raise _no_trust(f"{what}, which the model names as its architecture,")  # a module also holds what it imports
    if trust:
        return _called(found, kwargs, what)
    with _no_pickled_code():
        return _called(found, kwargs, what)


def module_from_file(path: str | Path, name: str, kwargs: Mapping[str, Any], *, attached: Sequence[str | Path] = (), trust: bool) -> Any:
    """Return the `torch.nn.Module` that a callable of a Python file returns.

    Args:
        path: The file.
        name: Name of the callable.
        kwargs: Its arguments.
        attached: Further Python files that the file may import by their names, until the callable returns; other files beside it
            cannot be imported.
        trust: Whether the code may run.

    Raises:
        TrustError: The code may not run.
        ModelRunError: The code fails, lacks the callable, or returns something else.

    """
    what = f"{name} of {Path(path).name}"
    if not trust:
        raise _no_trust(f"the architecture file {Path(path).name}, which comes with the model,")
    private = f"_architecture_{uuid4().hex}"
    files = {private: Path(path)}
    for file in map(Path, attached):
        files |= {file.stem: file, f"{private}.{file.stem}": file}  # for absolute and for relative imports
    with _LOADING, _importable(files):
        try:
            module = import_module(private)
        except Exception as error:  # the code of a model may raise anything
            raise ModelRunError(f"the architecture file {Path(path).name} cannot be imported: {in_brief(error, named=True)}") from error
        found = getattr(module, name, None)
        if found is None:
            raise ModelRunError(
                f"the architecture file {Path(path).name} has no {name!r}, which the description names as its callable: define it there"
            )
        return _called(found, kwargs, what)


def _called(function: Any, kwargs: Mapping[str, Any], what: str) -> Any:
    from torch import nn

    try:
        module = function(**kwargs)
    except Exception as error:  # the code of a model may raise anything
        raise ModelRunError(f"the architecture {what} fails with the arguments {dict(kwargs)}: {in_brief(error, named=True)}") from error
    if not isinstance(module, nn.Module):
        raise ModelRunError(f"the architecture {what} returns {type(module).__name__}: expected a torch.nn.Module")
    return module


class _Source(SourceLoader):
    """Loads one file; unlike Python's own loader it neither reads nor writes compiled code beside it, which is not verified."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get_filename(self, fullname: str) -> str:
        return str(self._path)

    def get_data(self, path: str | bytes) -> bytes:
        return Path(os.fsdecode(path)).read_bytes()


class _Finder(MetaPathFinder):
    """Finds files by the names of their modules."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname not in self._files:
            return None
        spec = spec_from_loader(fullname, _Source(self._files[fullname]))
        assert spec is not None
        spec.submodule_search_locations = []  # a package, for relative imports, without a folder that Python would search
        return spec


@contextmanager
def _importable(files: Mapping[str, Path]) -> Iterator[None]:
    """Make files importable by name within a block, in place of other modules of the same names."""
    finder = _Finder(files)
    aside = {name: sys.modules.pop(name) for name in files if name in sys.modules}
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in files:
            sys.modules.pop(name, None)
        sys.modules.update(aside)


def _no_pickled_code() -> AbstractContextManager[None]:
    """Let PyTorch load only tensors: libraries may fetch further weights, from places that arguments name."""
    return set_temporarily("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "1")


def _no_trust(what: str) -> TrustError:
    return TrustError(f"{what} is code that runs only if it is trusted: allow it with trust=True (--trust) if you know its author")
