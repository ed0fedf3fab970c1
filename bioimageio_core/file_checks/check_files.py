"""Looks up every file that a description names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from ..errors import HashMismatchError, SourceError
from ..model_tests.check_test_tensors import tensor_problems
from ..packaging import REMEDY, FileReference, file_references, undescribed_data
from ..sources import Package, sha256_of
from ..sources.cache import cache_from_environment
from ..sources.urls import is_url
from ..spec.node import Issue, Node
from ..spec.validation import ValidationReport, with_problems
from ..typing import Severity
from .check_covers import cover_problems
from .check_documentation import documentation_problems

__all__ = ["files_not_checked", "with_checked_files"]


_MAY_BE_EMPTY = frozenset(["attachments", "documentation"])
"""Keys of files that may be empty: everything else works without them."""


@attrs.frozen(kw_only=True)
class _Found:
    """The result of looking up a file."""

    problems: tuple[Issue, ...] = ()
    path: Path | None = None
    """Its local path; None where there is nothing to read."""


def with_checked_files(report: ValidationReport, descr: Node, package: Package) -> ValidationReport:
    """Return a validation report with the problems of the files that a description names.

    All files are hashed where the description has a hash; of test tensors and covers the headers are read; nothing is run.

    Args:
        report: The report on the description alone.
        descr: The valid description.
        package: The package of its files; those at URLs are fetched.

    """
    found: dict[tuple[str, str | None], _Found] = {}
    problems: list[Issue] = []
    paths: dict[str, Path] = {}
    references = file_references(descr, packaged_only=False)
    for reference in references:
        if not reference.packaged and not _has_to_be_there(reference):
            continue
        key = reference.source, reference.sha256
        if key not in found:
            found[key] = _look_up(reference, package)
        problems += (attrs.evolve(p, loc=_loc(reference, p)) for p in found[key].problems)
        path = found[key].path
        if path is not None:
            paths[reference.source] = path
            problems += _content_problems(reference, path, descr)
            for data in undescribed_data(reference, path, references):
                message = f"expected the description to name all files of the weights, found tensors in {data!r}, which it does not name"
                problems.append(Issue(loc=reference.loc, message=message, hint=REMEDY))
    problems += tensor_problems(descr, paths)
    return with_problems(report, problems)


def files_not_checked(report: ValidationReport) -> ValidationReport:
    """Return the report of an invalid description with a note that its files were not checked."""
    message = "the files that it names were not looked up, since the description itself is invalid"
    return with_problems(report, [Issue(loc=(), message=message, severity="info")])


def _has_to_be_there(reference: FileReference) -> bool:
    """Return whether a file that is not part of packages must exist: web pages need not, nor the origin of the description."""
    return not is_url(reference.source) and reference.loc[-1] != "rdf_source"


def _loc(reference: FileReference, problem: Issue) -> tuple[str | int, ...]:
    """Return the location of a problem: the text that names the file, or the hash beside it."""
    return (*reference.loc[:-1], *problem.loc) if problem.loc else reference.loc


def _look_up(reference: FileReference, package: Package) -> _Found:
    source = reference.source
    if package.root and not is_url(package.root) and not package.is_remote(source) and not package.holds(source):
        message = f"expected a path within the package, found {source!r}, which leads out of it: other users do not have that file"
        return _Found(problems=(Issue(loc=(), message=message, hint="Put the file beside the description, and name it from there."),))
    problems = []
    try:
        try:
            path = package.local(source, sha256=reference.sha256)
        except HashMismatchError:
            path = package.local(source)
            message = f"expected the SHA-256 of the file, {sha256_of(path)}, found {reference.sha256}"
            hint = "Put the right file in place, or correct the hash if the file was changed on purpose."
            problems.append(Issue(loc=(reference.sha256_key or "sha256",), message=message, hint=hint))
        size = path.stat().st_size
    except (SourceError, OSError) as error:
        return _Found(problems=(_not_found(reference, package, error),))
    if size == 0:
        severity: Severity = "warning" if _MAY_BE_EMPTY & set(reference.loc) else "error"
        problems.append(Issue(loc=(), message=f"expected a file with content, found {source!r} empty", severity=severity))
        return _Found(problems=tuple(problems))
    return _Found(problems=tuple(problems), path=path)


def _not_found(reference: FileReference, package: Package, error: OSError) -> Issue:
    if package.is_remote(reference.source) and cache_from_environment().offline:
        message = (
            f"{reference.source!r} was not looked up, since it would have to be fetched while the environment variable BMZ_OFFLINE is set"
        )
        return Issue(loc=(), message=message, severity="info")
    reason = str(error).removeprefix(f"{package.name} names the file ")
    return Issue(loc=(), message=f"expected a file that can be read, found {reason}", hint=_other_case(reference.source, package))


def _other_case(source: str, package: Package) -> str:
    """Return a hint where a file exists under a name that differs in upper and lower case, which some systems ignore."""
    if is_url(source) or is_url(package.root) or not package.root:
        return ""
    missing = Path(package.root) / source
    try:
        close = [p.name for p in missing.parent.iterdir() if p.name.lower() == missing.name.lower()]
    except OSError:
        return ""
    return f"Name it {close[0]!r}, as the file there is named." if close else ""


def _content_problems(reference: FileReference, path: Path, descr: Any) -> Iterator[Issue]:
    if "covers" in reference.loc:
        yield from cover_problems(path, reference.loc, square_too=descr.format_version.startswith(("0.3", "0.5")))
    elif reference.loc[0] == "documentation":
        yield from documentation_problems(path, reference.loc, is_model=descr.type == "model" and descr.format_version.startswith("0.5"))
