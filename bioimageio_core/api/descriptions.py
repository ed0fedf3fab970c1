"""Descriptions of any resource: read, judged, brought to the newest version, shown and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import attrs

from ..errors import YamlError
from ..packaging import write_package
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
    """Load a description, by default in the version in which it is written.

    Args:
        source: A path to a file, folder or zip, a URL that fsspec can open, an id in the collection, bytes, or a mapping.
        format_version: ``discover``: as it is written; ``latest``: brought to the newest format version of its type;
            or a version such as ``0.5``, if it is one of these two.

    Returns:
        A frozen instance of the class of its type and version, such as `bioimageio_core.spec.model.v0_5.ModelDescr`
        or `bioimageio_core.spec.dataset.v0_2.DatasetDescr`; models of format 0.3 become those of 0.4.

    Raises:
        SourceError: There is nothing there.
        InvalidDescriptionError: It breaks its format, or has no valid counterpart in the newest; ``report`` holds every problem.
        InputError: It can not be had in that format version.

    """
    package = open_package(source)
    return load_tree(package_tree(package), default_registry(), package.name, format_version)


def load_model_description(source: Source | Package, format_version: str = "discover") -> Any:
    """Load the description of a model; see `load_description`.

    Raises:
        InvalidDescriptionError: It describes something else, or breaks its format.
        InputError: It can not be had in that format version.

    """
    package = open_package(source)
    return load_tree(model_tree(package), default_registry(), package.name, format_version)


def validate(source: Source | Package, *, check_files: bool = False) -> ValidationReport:
    """Judge a description by its format alone, whatever is installed; never raises for content.

    Args:
        source: What `load_description` takes.
        check_files: Look up the files that it names as well: whether they are there, within the package, not empty, of the SHA-256 that is
            said, and whether test tensors and covers are what the description says. Files at URLs are fetched.

    Raises:
        SourceError: There is nothing there.

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
    """Return what a resource is at a glance; notebooks show it as a page.

    Nothing is fetched but the description itself, and no framework is imported.

    Args:
        source: What `load_description` takes.

    Returns:
        Its facts; of a model a `bioimageio_core.report.cards.model_card.ModelCard`, with what it takes and gives and what can be run here.

    Raises:
        SourceError: There is nothing there.
        InvalidDescriptionError: It breaks its format.

    """
    with open_package(source) as package:
        descr, report = read_tree(package_tree(package), default_registry(), package.name)
        return model_card(descr, package, default_registry(), report) if descr.type == "model" else resource_card(descr, package, report)


def update_format(
    source: Source | Package, *, repair: bool = False, report: Callable[[ValidationReport], None] = lambda report: None
) -> Any:
    """Load a description and bring it to the newest format version of its type: 0.5 for models, 0.3 for all others.

    Args:
        source: What `load_description` takes.
        repair: Mend a description that breaks its format, or has no valid counterpart in the newest, where it is certain what is meant;
            what no version can read is kept in its ``config``. The others are as they are without.
        report: Told what that took: issues of severity ``info`` for what is said in another way,
            ``warning`` for what is said elsewhere now, had to be assumed, was repaired or was lost, each with its path.

    Raises:
        SourceError: There is nothing there.
        InvalidDescriptionError: It breaks its own format, or has no valid counterpart in the newest; ``report`` of the error says where.

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

    Ops and weights of installed plugins are part of it; those of others are allowed whatever they hold.

    Args:
        type: A resource type, such as ``model``; None: any.
        format_version: Major and minor, such as ``0.5``, or a full version; None: any.

    Raises:
        InputError: There are no such descriptions.

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
    source: Source | Package | Node, path: str | Path, *, weights_formats: Sequence[str] | None = None, overwrite: bool = False
) -> Path:
    """Write a description with copies of all files that it names, so that the result needs nothing else.

    Files lie beside the description under unique names, and their SHA-256 is filled in where the format has a field for it.
    The same description and files give the same bytes.
    A package that could not be written whole is not there at all.

    Args:
        source: What `load_description` takes, or a description; the paths of the latter have to be absolute.
        path: A zip if it ends in ``.zip``, else a folder.
        weights_formats: The weights to keep; None keeps all.
        overwrite: Replace a package that is there.

    Returns:
        The path.

    Raises:
        SourceError: A file is missing, or cannot be fetched.
        HashMismatchError: A file is not the one that the description names.
        InputError: The model has none of some weights format.
        OutputError: Something is there already, or cannot be written.

    """
    target = Path(path).expanduser()
    with open_package(unstructured(source, default_registry()) if isinstance(source, Node) else source) as package:
        descr, _ = read_tree(package_tree(package), default_registry(), package.name)
        write_package(descr, package, default_registry(), target, weights_formats=weights_formats, overwrite=overwrite)
    return target


def package_files(path: Path) -> Mapping[str, int]:
    """Return the names of the files in a package on this machine, and their sizes in bytes when unpacked."""
    if path.is_dir():
        return {file.name: file.stat().st_size for file in sorted(path.iterdir()) if file.is_file()}
    with ZipFile(path) as opened:
        return {info.filename: info.file_size for info in opened.infolist()}
