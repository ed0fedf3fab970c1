"""Make the card of a resource from its description."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...sources import Package
from ...spec.generic.licenses import LICENSES
from ...spec.validation import ValidationReport
from .description_values import source_of
from .embedded_files import cover_cards, documentation_text
from .resource_card import CitationCard, PersonCard, ResourceCard

__all__ = ["common_facts", "resource_card"]


def resource_card(descr: Any, package: Package, report: ValidationReport) -> ResourceCard:
    """Return the card of a resource that is not a model.

    Args:
        descr: A description.
        package: The package with its files; none of them is downloaded.
        report: The validation report of the description.

    """
    return ResourceCard(**common_facts(descr, package, report), content=source_of(getattr(descr, "source", None)))


def common_facts(descr: Any, package: Package, report: ValidationReport) -> dict[str, Any]:
    """Return the fields of a card that are the same for all types and versions."""
    license_ = source_of(descr.license)
    parent = getattr(descr, "parent", None)
    return {
        "source": package.name,
        "type": descr.type,
        "name": descr.name,
        "id": descr.id,
        "emoji": descr.id_emoji,
        "version": None if descr.version is None else str(descr.version),
        "format_version": report.format_version or descr.format_version,
        "description": descr.description,
        "authors": tuple(_person(a) for a in descr.authors),
        "maintainers": tuple(_person(m) for m in descr.maintainers),
        "license": license_,
        "license_url": f"https://spdx.org/licenses/{license_}.html" if license_ in LICENSES else None,
        "cite": tuple(CitationCard(text=c.text, url=f"https://doi.org/{c.doi}" if c.doi else c.url) for c in descr.cite),
        "tags": descr.tags,
        "links": descr.links,
        "git_repo": descr.git_repo,
        "parent": parent if parent is None or isinstance(parent, str) else parent.id,
        "attachments": tuple(_attachments(descr.attachments)),
        "documentation": source_of(descr.documentation),
        "documentation_text": documentation_text(source_of(descr.documentation), package),
        "covers": cover_cards([str(source_of(c)) for c in descr.covers], package),
        "issues": report.issues,
    }


def _person(person: Any) -> PersonCard:
    return PersonCard(
        name=person.name or person.github_user or "(no name)",
        affiliation=person.affiliation,
        orcid=person.orcid,
        github_user=person.github_user,
    )


def _attachments(attachments: Any) -> Iterator[str]:
    for file in getattr(attachments, "files", attachments) or ():
        yield str(source_of(file))
