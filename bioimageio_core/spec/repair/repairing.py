"""Repairs, then the ordinary way to the newest version, with a report of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import attrs

from ...errors import InvalidDescriptionError, YamlError
from ...registry import Registry
from ...structuring.freezing import thaw
from ...structuring.problems import StructureProblems
from ...structuring.rules import collect_problems
from ..converters import converter_for
from ..formats import Detected, detect
from ..node import Issue
from ..notes import mended
from ..updating import convert, update_tree
from ..validation import combined, read_tree, report_of
from ..versions import NEWEST, class_of, converter_format, upgrade_of
from ..yaml import load_yaml
from . import fields, files, identity, newest, people, processing, shapes, tensors, weights
from .leftovers import settle, with_reason
from .text import load_damaged_yaml

if TYPE_CHECKING:
    from ..resource_descr import ResourceDescr
    from ..validation import ValidationReport

__all__ = ["ALL", "Repair", "repair_and_update", "repaired"]

Repair: TypeAlias = Callable[[dict[str, Any]], Iterator[Issue]]

ALL: tuple[Repair, ...] = (
    identity.type_,
    identity.format_version,
    identity.slips,
    fields.config,
    fields.tolerance,
    weights.model_block,
    weights.optional_kwargs,
    weights.listed,
    weights.own_names,
    weights.former_names,
    weights.architecture,
    fields.placeholders,
    fields.texts,
    fields.lists,
    people.people,
    people.citations,
    fields.timestamp,
    fields.parent,
    fields.run_mode,
    fields.attachments,
    fields.licenses,
    files.plural_names,
    files.files_of_weights,
    files.test_arrays,
    files.tests_of_tensors,
    newest.ids_for_names,
    tensors.axes,
    tensors.names,
    tensors.data_range,
    tensors.reference_input,
    shapes.exact,
    shapes.without_batch,
    shapes.new_batch_axis,
    shapes.least_sizes,
    processing.normalization,
    processing.steps,
    processing.fixed_range,
    processing.fixed_arguments,
    processing.step_axes,
)
"""Every repair of a document as it is written, in this order: what a description is comes first."""

_NEWEST: tuple[Repair, ...] = (newest.long_description, newest.name, newest.people_without_slashes, newest.short_ids)
"""Repairs of what is in the form of the newest version."""

_NOT_NEEDED = ("authors", "description", "documentation", "license", "test_inputs", "test_outputs", "timestamp")
"""Fields that models of format 0.4 have to have, and those of 0.5 do not."""


def repaired(content: bytes | Mapping[str, Any], registry: Registry, source: str = "") -> tuple[ResourceDescr, ValidationReport]:
    """Return the description that a file or a tree holds, as `repair_and_update` does.

    Raises:
        YamlError: The file is not YAML, and cannot be repaired.
        InvalidDescriptionError: It cannot be repaired.

    """
    if not isinstance(content, bytes):
        return repair_and_update(content, registry, source)
    try:
        return repair_and_update(load_yaml(content, source=source), registry, source)
    except YamlError as error:
        tree, notes = load_damaged_yaml(content, source=source)
        if not notes:
            raise error from None
        return repair_and_update(tree, registry, source, notes)


def repair_and_update(
    tree: Any, registry: Registry, source: str = "", notes: Iterable[Issue] = ()
) -> tuple[ResourceDescr, ValidationReport]:
    """Return the description that a tree holds in the newest format version of its type, and a report of the changes.

    Nothing but slips in names of weights formats is repaired if `update_tree` succeeds.
    The issues are as those of `update_tree`, with a ``warning`` for each thing that was repaired.

    Args:
        tree: The description; it is not changed.
        registry: Where the classes of processing ops and weights come from.
        source: What to call the description in errors.
        notes: What was repaired in the text that it was read from.

    Raises:
        InvalidDescriptionError: Something that the newest version needs is missing, or at fault in a way
            that leaves open what was meant; ``report`` holds the repairs too.

    """
    new = thaw(tree)
    said = list(notes)
    if isinstance(tree, Mapping):
        said += weights.slips(new, {name for entry in registry.weights_formats.values() for name in (entry.name, *entry.aliases)})
    try:
        descr, report = update_tree(new, registry, source)
        return descr, combined(said, report)
    except InvalidDescriptionError:
        if not isinstance(tree, Mapping):
            raise
    for repair in ALL:
        said += repair(new)
    detected = detect(new)
    if detected.format is None:
        _refuse(source, detected, [*said, *detected.problems])
    upgraded, more = upgrade_of(detected.family, detected.format)(new, detected.version)
    upgraded = thaw(upgraded)
    said += [*detected.problems, *more]
    updated = _newest(upgraded, detected, registry, source, said)
    for repair in _NEWEST:
        said += repair(updated)
    said += settle(updated, _judge(class_of(detected.family, NEWEST[detected.family]), detected, registry, newest_format=True))
    try:
        descr, report = read_tree(updated, registry, source)
    except InvalidDescriptionError as error:
        report = combined(said, attrs.evolve(error.report, issues=tuple(map(with_reason, error.report.issues))))
        raise InvalidDescriptionError(report.summary().replace("is invalid", "cannot be repaired"), report) from None
    return descr, combined(said, report)


def _newest(upgraded: dict[str, Any], detected: Detected, registry: Registry, source: str, said: list[Issue]) -> dict[str, Any]:
    """Return the tree in the newest version, after repairs that the version as written needs; these are added to ``said``."""
    assert detected.format is not None
    if detected.format == NEWEST[detected.family]:
        return upgraded
    is_old_model = detected.family == "model"
    if is_old_model:
        from .partial import PartialModelDescr

    cls = PartialModelDescr if is_old_model else class_of(detected.family, detected.format)
    judge = _judge(cls, detected, registry, newest_format=False)
    said += settle(upgraded, judge)
    problems = [problem for problem in judge(upgraded) if problem.severity == "error"]
    if problems:
        _refuse(source, detected, [*said, *problems])
    if is_old_model:
        said += _not_needed(upgraded)
    converter = converter_for(registry, converter_format(detected.family, detected.format))
    converted, more = convert(converter.unstructure(converter.structure(upgraded, cls)), is_old_model)
    said += more
    if any(problem.severity == "error" for problem in more):
        _refuse(source, detected, said)
    return thaw(converted)  # type: ignore[no-any-return]


def _not_needed(tree: Mapping[str, Any]) -> Iterator[Issue]:
    for key in _NOT_NEEDED:
        if key not in tree:
            yield mended((key,), "expected a value, found none, which format 0.5 allows")


def _judge(cls: Any, detected: Detected, registry: Registry, *, newest_format: bool) -> Callable[[dict[str, Any]], list[Issue]]:
    assert detected.format is not None
    version = "0.5" if newest_format else converter_format(detected.family, detected.format)
    converter = converter_for(registry, version)

    def judge(tree: dict[str, Any]) -> list[Issue]:
        try:
            problems = collect_problems(converter.structure(tree, cls))
        except StructureProblems as error:
            problems = error.problems
        return [problem for problem in problems if newest_format or not _is_hash_of_architecture(problem, tree)]

    return judge


def _is_hash_of_architecture(problem: Issue, tree: Mapping[str, Any]) -> bool:
    """Return whether a problem is the hash that format 0.4 wants of an architecture's file, and 0.5 does without."""
    loc = ("weights", "pytorch_state_dict", "architecture_sha256")
    return problem.loc == loc and tree["weights"]["pytorch_state_dict"].get(loc[-1]) is None


def _refuse(source: str, detected: Detected, problems: list[Issue]) -> NoReturn:
    report = report_of(source, detected, list(map(with_reason, problems)))
    raise InvalidDescriptionError(report.summary().replace("is invalid", "cannot be repaired"), report)
