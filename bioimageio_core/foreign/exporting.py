"""Exports models to the formats of other systems."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from ..atomic_files import move_into_place
from ..errors import BioimageioError, InputError, MissingRequirementError, OutputError, PluginError, UnknownExtensionError
from ..packaging import write_package
from ..packaging.package_places import package_places
from ..places import check_apart
from ..registry import ForeignFormatEntry, Registry, blamed, plugin_hint
from ..shown import Shown
from ..sources import Package, open_package
from ..spec.updating import package_tree
from ..spec.validation import read_tree
from ..typing import FrozenMapping
from .detect_format import check_options

__all__ = ["ExportedModel", "export_foreign"]


@attrs.frozen(kw_only=True, repr=False)
class ExportedModel(Shown):
    """A model in the format of another system, with what the format cannot hold."""

    path: Path
    """The file or folder."""

    format: str
    lost: tuple[str, ...]
    """What the format cannot hold, each in a sentence."""

    def __repr__(self) -> str:
        return f"<ExportedModel {self.path}: {self.format}{f', {len(self.lost)} lost' if self.lost else ''}>"


def export_foreign(
    descr: Any,
    package: Package,
    registry: Registry,
    format: str,  # noqa: A002 (the word of the option)
    path: Path,
    *,
    options: Mapping[str, Any] = FrozenMapping(),
    overwrite: bool = False,
    include_outside: bool = False,
) -> ExportedModel:
    """Write a model in the format of another system; the file or folder appears when it is complete.

    Args:
        descr: A valid description.
        package: The package of its files.
        registry: The registry with the formats.
        format: Name of the format.
        path: The file or folder to write.
        options: Options of the writer, by name.
        overwrite: Replace an existing file or folder.
        include_outside: Copy files of this machine from outside of the folder of the description, too.

    Raises:
        UnknownExtensionError: No plugin writes the format.
        InputError: The format cannot hold the model, an option is unknown, or a file of the model is broken or outside of its folder.
        PluginError: The plugin that writes the format fails.
        OutputError: The target exists, or cannot be written.

    """
    entry = _entry(registry, format)
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists already: choose another name, or overwrite it with overwrite=True (--overwrite)")
    check_apart(path, [("its source", place) for place in package_places(descr, package)])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None
    with scratch as folder:
        own, part = Path(folder) / "model", Path(folder) / path.name
        if own == part:
            part = Path(folder) / "export" / path.name
            part.parent.mkdir()
        write_package(descr, package, registry, own, include_outside=include_outside)
        with open_package(str(own)) as copied:
            written, _ = read_tree(package_tree(copied), registry, package.name)
            lost = _write(entry, registry, written, own, part, options)
        _move(part, path, overwrite=overwrite)
    return ExportedModel(path=path, format=entry.name, lost=lost)


def _entry(registry: Registry, format: str) -> ForeignFormatEntry:  # noqa: A002
    writers = {name: entry for name, entry in registry.foreign_formats.items() if entry.load_writer is not None}
    if format not in writers:
        which = f"one of {', '.join(writers)}" if writers else "a plugin that does (none is installed)"
        raise UnknownExtensionError(
            f"no installed plugin writes models in the format {format!r}{plugin_hint('foreign_formats', format)}: expected {which}"
        )
    return writers[format]


def _write(
    entry: ForeignFormatEntry, registry: Registry, descr: Any, folder: Path, part: Path, options: Mapping[str, Any]
) -> tuple[str, ...]:
    assert entry.load_writer is not None
    check_options(entry.name, options, entry.writer_options)
    what = registry.words_for("foreign_formats", entry.name)
    try:
        with blamed(f"{descr.name!r} cannot be written: {what}", passing=(ValueError, ModuleNotFoundError)):
            lost = tuple(entry.load_writer()(descr, folder, part, **options))
    except BioimageioError:
        raise
    except ValueError as error:
        raise InputError(f"{descr.name!r} cannot be written as {entry.name}: {error}") from error
    except ModuleNotFoundError as error:
        raise MissingRequirementError(f"writing {entry.name} needs {error.name}, which is not installed") from None
    if not part.exists():
        raise PluginError(f"{what} breaks its contract: it wrote nothing at the given path")
    return lost


def _move(part: Path, path: Path, *, overwrite: bool) -> None:
    try:
        if path.exists() and path.is_dir() != part.is_dir():
            raise OutputError(f"{path} exists and is not a {'folder' if part.is_dir() else 'file'} of the format: choose another name")
        move_into_place(part, path, overwrite=overwrite)
    except FileExistsError:
        raise OutputError(f"{path} exists already: it was made in the meantime; choose another name") from None
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None
