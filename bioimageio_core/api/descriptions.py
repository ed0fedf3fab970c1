"""Reads, validates, updates, shows and writes descriptions of any resource."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import attrs

from ..errors import YamlError
from ..packaging import write_package
from ..places import local_target
from ..report.cards.make_model_card import model_card
from ..report.cards.make_resource_card import resource_card
from ..report.cards.resource_card import ResourceCard
from ..sources import Package, Source, open_package
from ..spec.converters import unstructured
from ..spec.node import Node
from ..spec.positions import PositionFinder
from ..spec.saving import save_description as write_description
from ..spec.updating import load_tree, package_tree, update_tree
from ..spec.validation import Issue, ValidationReport, read_tree, reading_of
from .loading import default_registry, model_tree

__all__ = [
    "card",
    "json_schema",
    "load_description",
    "load_model_description",
    "package_files",
    "save_description",
    "save_package",
    "update_format",
    "validate",
]


def load_description(source: Source | Package, format_version: str = "discover") -> Any:
    """Load a description, by default in its own format version.

    Args:
        source: A path to a file, folder or zip, a URL that fsspec can open, an id in the collection, bytes, or a mapping.
        format_version: ``discover``: the format version of the description; ``latest``: updated to the newest version of its type;
            or a version such as ``0.5``, if it is one of these two.

    Returns:
        A frozen instance of the class of its type and version, such as `bioimageio_core.spec.model.v0_5.ModelDescr`
        or `bioimageio_core.spec.dataset.v0_2.DatasetDescr`; models of format 0.3 become those of 0.4.

    Raises:
        SourceError: The source cannot be found or read.
        InvalidDescriptionError: The description breaks its format, or cannot be updated; ``report`` lists every problem.
        InputError: The format version is neither that of the description nor the newest.

    """
    package = open_package(source)
    return load_tree(package_tree(package), default_registry(), package.name, format_version)


def load_model_description(source: Source | Package, format_version: str = "discover") -> Any:
    """Load the description of a model; see `load_description`.

    Raises:
        InvalidDescriptionError: The description is not one of a model, or breaks its format.
        InputError: The format version is neither that of the description nor the newest.

    """
    package = open_package(source)
    return load_tree(model_tree(package), default_registry(), package.name, format_version)


def validate(source: Source | Package, *, check_files: bool = False) -> ValidationReport:
    """Validate a description by its format alone, whatever plugins are installed; never raises for content.

    Args:
        source: Any source of `load_description`.
        check_files: Whether to check the files that it names: that they exist, lie within the package, are not empty and have the
            described SHA-256, and that test tensors and covers match the description. Files at URLs are fetched.

    Raises:
        SourceError: The source cannot be found or read.

    """
    if isinstance(source, Package):
        return _validate(source, check_files)
    with open_package(source) as package:
        return _validate(package, check_files)


def _validate(package: Package, check_files: bool) -> ValidationReport:
    finder = PositionFinder()
    try:
        tree = package_tree(package, finder.add)
    except YamlError as error:
        issue = Issue(loc=(), message=str(error), line=error.line, column=error.column)
        return ValidationReport(source=package.name, type="", format_version="", status="invalid", issues=(issue,))
    reading = reading_of(tree, default_registry(), package.name)
    report = reading.report
    if check_files:
        from ..file_checks import files_not_checked, with_checked_files

        is_valid = report.status == "valid"
        report = with_checked_files(report, reading.valid(), package) if is_valid else files_not_checked(report)
    return attrs.evolve(report, positions=finder.found) if finder.found else report


def card(source: Source | Package) -> ResourceCard:
    """Return a card with the main facts about a resource; notebooks show it as a page.

    Only the description is fetched, and no framework is imported.

    Args:
        source: Any source of `load_description`.

    Returns:
        The card; for a model a `bioimageio_core.report.cards.model_card.ModelCard`, with inputs, outputs, and weights that can run here.

    Raises:
        SourceError: The source cannot be found or read.
        InvalidDescriptionError: The description breaks its format.

    """
    with open_package(source) as package:
        descr, report = read_tree(package_tree(package), default_registry(), package.name)
        return model_card(descr, package, default_registry(), report) if descr.type == "model" else resource_card(descr, package, report)


def update_format(
    source: Source | Package, *, repair: bool = False, report: Callable[[ValidationReport], None] = lambda report: None
) -> Any:
    """Load a description, and update it to the newest format version of its type: 0.5 for models, 0.3 for all other types.

    Args:
        source: Any source of `load_description`.
        repair: Whether to repair a description that breaks its format or cannot be updated, where the meaning is certain;
            content that no version can read is kept in its ``config``. Valid descriptions do not change.
        report: Called with a report of the update: issues of severity ``info`` for changes of notation, ``warning`` for content that
            was moved, assumed, repaired or lost, each with its path.

    Raises:
        SourceError: The source cannot be found or read.
        InvalidDescriptionError: The description breaks its format, or cannot be updated; ``report`` of the error lists the problems.

    """
    package = open_package(source)
    if repair:
        from ..spec.repair import repaired

        descr, found = repaired(package.content, default_registry(), package.name)
    else:
        descr, found = update_tree(package_tree(package), default_registry(), package.name)
    report(found)
    return descr


def json_schema(type: str | None = None, format_version: str | None = None) -> dict[str, Any]:  # noqa: A002 (the word of the format)
    """Return the JSON Schema (draft 2020-12) of descriptions, for editors and for programs in other languages.

    It includes ops and weights of installed plugins, and allows any content for unknown ones.

    Args:
        type: A resource type, such as ``model``; None: any.
        format_version: Major and minor, such as ``0.5``, or a full version; None: any.

    Raises:
        InputError: The type or the format version is unknown.

    """
    from ..spec.schema import json_schema

    return json_schema(default_registry(), type=type, format_version=format_version)


def save_description(descr: Any, path: str | Path, *, overwrite: bool = False) -> None:
    """Write a description to a YAML file; files that it names are not copied.

    Args:
        descr: The description.
        path: The file.
        overwrite: Replace a file that is there.

    Raises:
        OutputError: There is such a file already, or it cannot be written.

    """
    write_description(descr, path, default_registry(), overwrite=overwrite)


def save_package(
    source: Source | Package | Node,
    path: str | Path,
    *,
    weights_formats: Sequence[str] | None = None,
    overwrite: bool = False,
    include_outside: bool = False,
) -> Path:
    """Write a description and copies of all files that it names as a package that is complete by itself.

    Files are stored next to the description under unique names, and their SHA-256 is filled in if the format has a field for it.
    The same description and files result in the same bytes.
    The package is written completely or not at all.

    Args:
        source: Any source of `load_description`, or a description with absolute paths.
        path: A zip if it ends in ``.zip``, else a folder.
        weights_formats: The weights to keep; None keeps all.
        overwrite: Whether to replace an existing package.
        include_outside: Whether to copy files of this machine from outside of the folder of the description, too.

    Returns:
        The path of the package.

    Raises:
        SourceError: A file is missing, or cannot be fetched.
        HashMismatchError: A file is not the one that the description names.
        InputError: The model lacks one of the weights formats, or names files outside of its folder.
        OutputError: The package exists, or cannot be written.

    """
    target = local_target(path)
    with open_package(unstructured(source, default_registry()) if isinstance(source, Node) else source) as package:
        descr, _ = read_tree(package_tree(package), default_registry(), package.name)
        registry = default_registry()
        write_package(
            descr, package, registry, target, weights_formats=weights_formats, overwrite=overwrite, include_outside=include_outside
        )
    return target


def package_files(path: Path) -> Mapping[str, int]:
    """Return the unpacked sizes in bytes of the files of a local package, by name."""
    if path.is_dir():
        return {file.name: file.stat().st_size for file in sorted(path.iterdir()) if file.is_file()}
    with ZipFile(path) as opened:
        return {info.filename: info.file_size for info in opened.infolist()}
