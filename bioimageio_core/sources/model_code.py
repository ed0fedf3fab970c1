"""Python files of a model, importable under one private name for as long as its network lives.

The files lie in a temporary folder as in the package, whether that is a folder, a zip or a URL: code finds files beside itself.
Code of the model imports them by their own names (``import layers``, also within functions) or relatively (``from .layers import x``);
no other code can, so that two models may bring files of the same names.
"""

from __future__ import annotations

import builtins
import re
import sys
import weakref
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, Self
from uuid import uuid4

from ..atomic_files import link_or_copy
from ..compiler_folder import without_compiler_folder
from ..errors import ModelRunError, TrustError
from ..text import in_brief
from .member_names import path_or_name
from .scratch import Scratch

__all__ = ["ModelCode", "attached_files", "call_code", "no_trust"]

_CHANGING = Lock()
"""Held while the list of finders is replaced: an import of another thread that runs through it would skip a finder if it changed."""


class ModelCode:
    """Files of a model that can be imported until they are removed; a ``with`` block that fails removes them."""

    def __init__(self, files: Mapping[str, str | Path], main: str) -> None:
        """Lay out the files.

        Args:
            files: Local paths by place in the package, as in ``code/layers.py``.
            main: The place of the file to import; modules beside it come before those in the root of the package.

        """
        self._scratch = Scratch()
        root = self._scratch.folder()
        for place, file in files.items():
            target = root / path_or_name(place)
            target.parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(Path(file), target)
        self._package = f"_model_code_{uuid4().hex}"
        self._main = root / path_or_name(main)
        folders = list(dict.fromkeys([self._main.parent, root]))
        package = ModuleType(self._package)
        package.__path__ = [str(folder) for folder in folders]
        self._modules = _module_names(folders)
        self._finder = _Finder(self._package, package.__path__, self._modules)
        sys.modules[self._package] = package
        with _CHANGING:
            sys.meta_path = [self._finder, *sys.meta_path]

    @property
    def file_name(self) -> str:
        """Name of the main file."""
        return self._main.name

    def call(self, name: str, kwargs: Mapping[str, Any], *, what: str) -> Any:
        """Import the main file, and return what one of its callables returns.

        Args:
            name: Name of the callable.
            kwargs: Its arguments.
            what: What it is for, as in ``architecture``; begins the errors.

        Raises:
            ModelRunError: The code fails, or lacks the callable.

        """
        file = self.file_name
        try:
            module = self._main_module()
        except (Exception, SystemExit) as error:  # the code of a model may raise anything
            raise ModelRunError(
                f"the {what} file {file} cannot be imported: {in_brief(error, named=True)}{_remedy(error, self._modules)}"
            ) from error
        found = getattr(module, name, None)
        if found is None:
            raise ModelRunError(f"the {what} file {file} has no {name!r}, which the description names as its callable: define it there")
        return call_code(found, kwargs, f"the {what} {name} of {file}", modules=self._modules)

    def _main_module(self) -> ModuleType:
        name = f"{self._package}.{re.sub(r'[^0-9a-zA-Z_]', '_', self._main.stem)}"
        self._finder.main = (name, self._main)
        with without_compiler_folder():
            return import_module(name)

    def live_with(self, owner: Any) -> None:
        """Remove the files when an object is freed, or when the process ends."""
        weakref.finalize(owner, self.remove)

    def remove(self) -> None:
        """Remove the files, and forget their modules."""
        with _CHANGING:
            sys.meta_path = [finder for finder in sys.meta_path if finder is not self._finder]
        for name in [n for n in tuple(sys.modules) if n == self._package or n.startswith(f"{self._package}.")]:
            sys.modules.pop(name, None)
        self._scratch.remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is not None:
            self.remove()


def attached_files(files: Mapping[str, str]) -> dict[str, str]:
    """Return the attachments among files of a weights entry or a step, by their places in the package."""
    return {key.removeprefix("attachments/"): files[key] for key in files if key.startswith("attachments/")}


def no_trust(what: str) -> TrustError:
    """Return the error for code that is not trusted, with the remedy."""
    return TrustError(f"{what} is code that runs only if it is trusted: {TrustError.remedy}")


def call_code(function: Any, kwargs: Mapping[str, Any], what: str, *, modules: Collection[str] = ()) -> Any:
    """Return what a callable of a model returns.

    Args:
        function: The callable.
        kwargs: Its arguments.
        what: What it is; begins the error.
        modules: Names of modules that come with the model.

    Raises:
        ModelRunError: It fails; the error names ``what`` and the arguments.

    """
    try:
        return function(**kwargs)
    except (Exception, SystemExit) as error:  # the code of a model may raise anything
        raise ModelRunError(
            f"{what} fails with the arguments {dict(kwargs)}: {in_brief(error, named=True)}{_remedy(error, modules)}"
        ) from error


def _remedy(error: BaseException, modules: Collection[str]) -> str:
    """Return the remedy if code looks for a file that is not there, or for a module of the model in a way that does not find it."""
    if not isinstance(error, ImportError | FileNotFoundError):
        return ""
    name = (getattr(error, "name", None) or "").partition(".")[0]
    if name in modules:
        return f"; {name} is among the files of the model: import it by a statement, or by import_module('.{name}', __package__)"
    return "; files that it needs have to be among the attachments of the model"


def _module_names(folders: Sequence[Path]) -> frozenset[str]:
    """Return the names that code of the model may import: Python files, and folders that hold some."""
    found = set()
    for folder in folders:
        found |= {file.relative_to(folder).parts[0].removesuffix(".py") for file in folder.rglob("*.py")}
    return frozenset(found)


class _Finder(MetaPathFinder):
    """Finds the modules of one model."""

    def __init__(self, package: str, path: Sequence[str], names: frozenset[str]) -> None:
        self._prefix, self._path = f"{package}.", path
        self._import = _import_function(package, names)
        self.main: tuple[str, Path] | None = None
        """Name and path of the main file, whose stem need not be an identifier."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if not fullname.startswith(self._prefix):
            return None
        if self.main is not None and fullname == self.main[0]:
            path = str(self.main[1])
            return spec_from_file_location(fullname, path, loader=_Loader(fullname, path, self._import))
        spec = PathFinder.find_spec(fullname, self._path if path is None else path)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path, self._import)
        return spec


class _Loader(SourceFileLoader):
    """Gives a module an import statement that finds the files of its model."""

    def __init__(self, fullname: str, path: str, import_: Callable[..., Any]) -> None:
        super().__init__(fullname, path)
        self._import = import_

    def exec_module(self, module: ModuleType) -> None:
        # Python takes the function behind `import` from the built-ins of the module, so the change concerns its code alone, at any time.
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        super().exec_module(module)


def _import_function(package: str, names: frozenset[str]) -> Callable[..., Any]:
    """Return a function like the built-in `__import__` that looks among the files of the model first."""

    def import_(name: str, globals_: Any = None, locals_: Any = None, fromlist: Sequence[str] | None = (), level: int = 0) -> Any:
        top = name.partition(".")[0]
        if level or top not in names:
            return builtins.__import__(name, globals_, locals_, fromlist or (), level)
        if fromlist:
            return builtins.__import__(f"{package}.{name}", globals_, locals_, fromlist, 0)
        import_module(f"{package}.{name}")
        return sys.modules[f"{package}.{top}"]  # `import a.b` binds a

    return import_
