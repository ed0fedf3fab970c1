"""Other systems: which can run a model, and models from and for them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..foreign import ExportedModel, ImportedModel, export_foreign, import_foreign
from ..sources import Package, Source, open_package
from ..spec.validation import read_tree
from .loading import default_registry, model_tree

if TYPE_CHECKING:
    from ..report.cards.compatibility import Compatibility

__all__ = ["compat", "export_model", "import_model"]


def compat(source: Source | Package, consumers: Iterable[str] = ()) -> tuple[Compatibility, ...]:
    """Return which software can run a model, rule by rule; nothing but the description is read.

    Args:
        source: What `load_description` takes.
        consumers: Names of software to ask about; none: all of which rules are registered, and this library.

    Raises:
        InputError: There is no software of some name.
        InvalidDescriptionError: The description breaks its format.

    """
    from ..report.cards.compatibility import compatibility

    with open_package(source) as package:
        descr, _ = read_tree(model_tree(package), default_registry(), package.name)
        return compatibility(descr, package, default_registry(), consumers)


def import_model(
    path: str | Path,
    folder: str | Path,
    format: str | None = None,  # noqa: A002 (the word of the option)
    *,
    overwrite: bool = False,
    **options: Any,
) -> ImportedModel:
    """Read a model of another system into a folder with a description and all files that it names.

    Which formats are read depends on the plugins that are installed.
    A folder that could not be written whole is not there at all.

    Args:
        path: A file or folder.
        folder: The folder to write.
        format: Name of the format; None: the only one whose pattern and first bytes fit.
        overwrite: Replace a package that is there.
        options: Arguments of the format, by name.

    Returns:
        The folder, the format, and what validation says of the description.

    Raises:
        SourceError: There is nothing at ``path``.
        InputError: No format fits, several do, it has no such option, or the file is broken.
        PluginError: The plugin that reads the format fails.
        InvalidDescriptionError: The plugin returns a description that breaks its format.
        OutputError: Something is there already, or cannot be written.

    """
    source, target = Path(path).expanduser(), Path(folder).expanduser()
    return import_foreign(source, target, default_registry(), format=format, options=options, overwrite=overwrite)


def export_model(source: Source | Package, to_format: str, path: str | Path, *, overwrite: bool = False, **options: Any) -> ExportedModel:
    """Write a model in the format of another system.

    Which formats are written depends on the plugins that are installed.
    A file or folder that could not be written whole is not there at all.

    Args:
        source: What `load_description` takes.
        to_format: Name of the format.
        path: The file or folder to write.
        overwrite: Replace what is there.
        options: Arguments of the format, by name.

    Returns:
        The path, and what the other format can not say.

    Raises:
        UnknownExtensionError: No plugin writes the format.
        InputError: The format cannot hold such a model.
        OutputError: Something is there already, or cannot be written.

    """
    with open_package(source) as package:
        descr, _ = read_tree(model_tree(package), default_registry(), package.name)
        target = Path(path).expanduser()
        return export_foreign(descr, package, default_registry(), to_format, target, options=options, overwrite=overwrite)
