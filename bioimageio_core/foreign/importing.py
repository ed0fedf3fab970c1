"""Imports models of other systems into folders with a description."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from ..errors import BioimageioError, InputError, InvalidDescriptionError, PluginError, SourceError
from ..packaging.package_targets import check_target, new_folder
from ..packaging.references import file_references
from ..places import check_apart
from ..registry import ForeignFormat, ForeignFormatEntry, Registry, blamed
from ..shown import Shown
from ..sources import Package
from ..spec.saving import save_description
from ..spec.validation import ValidationReport, read_tree
from ..typing import FrozenMapping
from .detect_format import check_options, choose_format

__all__ = ["ImportedModel", "import_foreign"]


@attrs.frozen(kw_only=True, repr=False)
class ImportedModel(Shown):
    """A model that was imported from another system."""

    folder: Path
    """Holds ``bioimageio.yaml`` and the files that it names."""

    format: str
    """Name of the original format."""

    report: ValidationReport
    """The validation report of the description."""

    def __repr__(self) -> str:
        return f"<ImportedModel {self.folder}: {self.report.status}, from {self.format}>"


def import_foreign(
    path: Path,
    folder: Path,
    registry: Registry,
    *,
    format: str | None = None,  # noqa: A002 (the word of the option)
    options: Mapping[str, Any] = FrozenMapping(),
    overwrite: bool = False,
) -> ImportedModel:
    """Read a model of another system into a folder, which appears when it is complete.

    Args:
        path: A file or folder.
        folder: The folder to write.
        registry: The registry with the formats.
        format: Name of the format; None: the only one that fits.
        options: Options of the reader, by name.
        overwrite: Replace an existing package.

    Raises:
        SourceError: ``path`` does not exist.
        InputError: No format fits, several do, an option is unknown, or the file is broken.
        PluginError: The plugin that reads the format fails, or returns something that cannot be used.
        InvalidDescriptionError: The plugin returns a description that breaks its format; ``report`` holds every problem.
        OutputError: The folder exists, or cannot be written.

    """
    check_target(folder, overwrite=overwrite)
    if not path.exists():
        raise SourceError(f"{path} does not exist: expected a file or folder of a model")
    check_apart(folder, [("its source", path)])
    entry, reader = choose_format(path, registry, format)
    check_options(entry.name, options, entry.reader_options)
    with new_folder(folder, overwrite=overwrite) as part:
        tree = _read(entry, reader, path, part, registry, options)
        descr, report = _judged(tree, entry, path, registry)
        _check_files(descr, part, entry, registry)
        save_description(descr, part / "bioimageio.yaml", registry, overwrite=True)
    return ImportedModel(folder=folder, format=entry.name, report=attrs.evolve(report, source=str(folder / "bioimageio.yaml")))


def _read(
    entry: ForeignFormatEntry, reader: ForeignFormat, path: Path, part: Path, registry: Registry, options: Mapping[str, Any]
) -> Mapping[str, Any]:
    try:
        with blamed(f"{path} cannot be read: {registry.words_for('foreign_formats', entry.name)}", passing=(ValueError,)):
            tree = reader.read(path, part, **options)
    except BioimageioError:
        raise
    except ValueError as error:
        raise InputError(f"{path} cannot be read as {entry.name}: {error}") from error
    if not isinstance(tree, Mapping):
        raise PluginError(_broken(entry, registry, f"expected a description as a mapping, found {type(tree).__name__}"))
    return tree


def _judged(tree: Mapping[str, Any], entry: ForeignFormatEntry, path: Path, registry: Registry) -> tuple[Any, ValidationReport]:
    name = f"the description that {registry.words_for('foreign_formats', entry.name)} makes of {path}"
    descr, report = read_tree(tree, registry, name)
    if descr.type != "model":
        raise InvalidDescriptionError(f"{name} is of type {descr.type!r}: expected a model", report)
    return descr, report


def _check_files(descr: Any, part: Path, entry: ForeignFormatEntry, registry: Registry) -> None:
    """Refuse a description that names files which do not exist beside it."""
    package = Package(name="bioimageio.yaml", content=b"", root=str(part))
    for reference in file_references(descr):
        if "://" in reference.source:
            continue
        if not package.holds(reference.source) or not (part / reference.source).exists():
            where = ".".join(map(str, reference.loc))
            raise PluginError(_broken(entry, registry, f"the description names {reference.source!r} ({where}), which it did not write"))


def _broken(entry: ForeignFormatEntry, registry: Registry, what: str) -> str:
    return f"{registry.words_for('foreign_formats', entry.name)} breaks its contract: {what}"
