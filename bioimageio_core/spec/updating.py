"""From any format version to the newest, with a report of what the newest cannot express."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import InputError, InvalidDescriptionError, SourceError
from ..registry import Registry
from ..sources import Package
from .converters import unstructured
from .formats import Family, latest_of
from .node import Issue
from .validation import Reading, ValidationReport, combined, read_tree, reading_of, report_of
from .versions import NEWEST, format_of
from .yaml import load_yaml

if TYPE_CHECKING:
    from .resource_descr import ResourceDescr

__all__ = ["convert", "load_tree", "package_tree", "update_reading", "update_tree"]


def package_tree(package: Package, watch: Callable[[Any], None] | None = None) -> Mapping[str, Any]:
    """Return the description of a package as a tree.

    Args:
        package: The package.
        watch: What `load_yaml` takes.

    Raises:
        YamlError: The text is not YAML.
        SourceError: The content is not text.

    """
    if not isinstance(package.content, bytes):
        return package.content
    try:
        tree: Mapping[str, Any] = load_yaml(package.content, source=package.name, watch=watch)
    except UnicodeDecodeError:
        raise SourceError(f"{package.name} is no text: expected a YAML file or a zip") from None
    return tree


def load_tree(tree: Any, registry: Registry, source: str, format_version: str) -> ResourceDescr:
    """Return the description that a tree holds, as it is written or in the newest format version of its type.

    Args:
        tree: The description, as `load_yaml` returns it.
        registry: Where the classes of processing ops and weights come from.
        source: What to call the description in errors.
        format_version: ``discover``: as it is written; ``latest``; or the requested version, major and minor or in full.

    Raises:
        InvalidDescriptionError: The tree breaks its own format, or has no valid counterpart in the newest.
        InputError: The requested version is neither its own nor the newest.

    """
    reading = reading_of(tree, registry, source)
    descr, family = reading.valid(), reading.detected.family
    own, newest = format_of(descr), NEWEST[family]
    if format_version == "discover" or _is_version(format_version, family, own):
        return descr
    if format_version == "latest" or _is_version(format_version, family, newest):
        return update_reading(reading, registry, source)[0]
    choices = " or ".join(f"'{version}'" for version in dict.fromkeys((own, newest)))
    raise InputError(
        f"{source} is of format {own}, which cannot be converted to {format_version!r}: expected format_version 'discover' (as written), "
        f"'latest', or {choices}; descriptions are not converted to older versions"
    )


def _is_version(written: str, family: Family, format_: str) -> bool:
    return written in (format_, ".".join(map(str, latest_of(family)[format_])))


def update_tree(tree: Any, registry: Registry, source: str = "") -> tuple[ResourceDescr, ValidationReport]:
    """Return the description that a tree holds in the newest format version of its type, and a report of the changes.

    The issues are changes (``info``), values that were moved, assumed or lost (``warning``),
    each with its path in the original tree, and then those of the result.

    Raises:
        InvalidDescriptionError: The tree breaks its own format, or has no valid counterpart in the newest.

    """
    return update_reading(reading_of(tree, registry, source), registry, source)


def update_reading(reading: Reading, registry: Registry, source: str = "") -> tuple[ResourceDescr, ValidationReport]:
    """Do as `update_tree` does for a tree that has been read."""
    descr, detected = reading.valid(), reading.detected
    if format_of(descr) == NEWEST[detected.family]:
        return descr, reading.report
    newest, more = convert(unstructured(descr, registry), detected.family == "model")
    notes = [*reading.notes, *more]
    failed = [note for note in notes if note.severity == "error"]
    if failed:
        report = report_of(source, detected, notes)
        raise InvalidDescriptionError(f"{report.summary().replace('is invalid', 'cannot be updated')}", report)
    try:
        updated, report = read_tree(newest, registry, source)
    except InvalidDescriptionError as error:
        report = combined(notes, error.report)
        raise InvalidDescriptionError(f"{report.summary().replace('is invalid', 'cannot be updated')}", report) from None
    return updated, combined(notes, report)


def convert(tree: Mapping[str, Any], is_model: bool) -> tuple[dict[str, Any], list[Issue]]:
    """Convert a valid description of the previous version to the newest; return it with the changes and losses."""
    if is_model:
        from .model.v0_5 import from_v0_4

        return from_v0_4.convert(tree)
    from .generic.upgrade_v0_3 import from_v0_2

    return from_v0_2(tree)
