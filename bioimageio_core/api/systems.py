"""Compatibility with other software, and import and export of its models."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..foreign import ExportedModel, ImportedModel, export_foreign, import_foreign
from ..places import local_target
from ..shown import Listing
from ..sources import Package, Source, open_package
from ..spec.validation import read_tree
from .loading import default_registry, model_tree

if TYPE_CHECKING:
    from ..report.cards.compatibility import Compatibility

__all__ = ["compat", "export_model", "import_model"]


def compat(source: Source | Package, consumers: Iterable[str] = ()) -> tuple[Compatibility, ...]:
    """Return which software can run a model, rule by rule; only the description is read.

    Args:
        source: Any source of `load_description`.
        consumers: Names of software; empty: all software with registered rules, and this library.

    Raises:
        InputError: No rules are registered for one of the names.
        InvalidDescriptionError: The description breaks its format.

    """
    from ..report.cards.compatibility import compatibility

    with open_package(source) as package:
        descr, _ = read_tree(model_tree(package), default_registry(), package.name)
        return Listing(compatibility(descr, package, default_registry(), consumers), "kinds of software")


def import_model(
    path: str | Path,
    folder: str | Path,
    format: str | None = None,  # noqa: A002 (the word of the option)
    *,
    overwrite: bool = False,
    **options: Any,
) -> ImportedModel:
    """Import a model of other software into a folder with a description and all files that it names.

    The available formats depend on the installed plugins.
    The folder is written completely or not at all.

    Args:
        path: A file or folder.
        folder: The folder to write.
        format: Name of the format; None: the only one that matches name and first bytes.
        overwrite: Whether to replace an existing package.
        options: Arguments of the format, by name.

    Returns:
        The folder, the format, and the validation report of the description.

    Raises:
        SourceError: ``path`` does not exist.
        InputError: No format or several formats match, an option is unknown, or the file is broken.
        PluginError: The plugin that reads the format fails.
        InvalidDescriptionError: The plugin returns a description that breaks its format.
        OutputError: The target exists, or cannot be written.

    """
    target = local_target(folder)
    return import_foreign(Path(path).expanduser(), target, default_registry(), format=format, options=options, overwrite=overwrite)


def export_model(
    source: Source | Package, to_format: str, path: str | Path, *, overwrite: bool = False, include_outside: bool = False, **options: Any
) -> ExportedModel:
    """Export a model to the format of other software.

    The available formats depend on the installed plugins.
    The file or folder is written completely or not at all.

    Args:
        source: Any source of `load_description`.
        to_format: Name of the format.
        path: The file or folder to write.
        overwrite: Whether to replace an existing file or package.
        include_outside: Whether to copy files of this machine from outside of the model's folder, too.
        options: Arguments of the format, by name.

    Returns:
        The path, and a list of content that the format cannot store.

    Raises:
        UnknownExtensionError: No installed plugin writes the format.
        InputError: The format cannot store the model, or the model names files outside of its folder.
        OutputError: The target exists, or cannot be written.

    """
    with open_package(source) as package:
        descr, _ = read_tree(model_tree(package), default_registry(), package.name)
        target = local_target(path)
        return export_foreign(
            descr, package, default_registry(), to_format, target, options=options, overwrite=overwrite, include_outside=include_outside
        )
