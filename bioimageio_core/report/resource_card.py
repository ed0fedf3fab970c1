"""What a resource of any type is, who made it and how to cite it, as data to be shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from ..sources import Package
from ..spec.generic.licenses import LICENSES
from ..spec.validation import Issue, ValidationReport
from .card_files import CoverCard, covers, documentation_text

__all__ = ["CitationCard", "Fact", "PersonCard", "ResourceCard", "Section", "Table", "common_facts", "resource_card", "source_of"]


@attrs.frozen(kw_only=True)
class PersonCard:
    """Someone who made, or looks after, a resource."""

    name: str
    affiliation: str | None = None
    orcid: str | None = None
    github_user: str | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.affiliation})" if self.affiliation else self.name


@attrs.frozen(kw_only=True)
class CitationCard:
    """Something to cite."""

    text: str
    url: str | None
    """Where it is; DOIs as URLs."""

    def __str__(self) -> str:
        return f"{self.text} {self.url}" if self.url else self.text


@attrs.frozen
class Fact:
    """A value with what to call it."""

    label: str
    value: str


@attrs.frozen(kw_only=True)
class Table:
    """Values in rows; all rows are as long as the header."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    facts: tuple[Fact, ...] = ()
    """What the values are about."""


@attrs.frozen(kw_only=True)
class Section:
    """A part of a card."""

    title: str
    facts: tuple[Fact, ...] = ()
    tables: tuple[Table, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "title": self.title,
            "facts": {f.label: f.value for f in self.facts},
            "tables": [
                {
                    "title": t.title,
                    "facts": {f.label: f.value for f in t.facts},
                    "header": list(t.header),
                    "rows": [list(r) for r in t.rows],
                }
                for t in self.tables
            ],
        }


@attrs.frozen(kw_only=True)
class ResourceCard:
    """A resource at a glance; notebooks show it as a page."""

    source: str
    type: str
    name: str
    id: str | None
    emoji: str | None
    version: str | None
    format_version: str
    """As it is written."""

    description: str
    authors: tuple[PersonCard, ...]
    maintainers: tuple[PersonCard, ...]
    license: str | None
    license_url: str | None
    cite: tuple[CitationCard, ...]
    tags: tuple[str, ...]
    links: tuple[str, ...]
    git_repo: str | None
    content: str | None
    """Where the data, the program or the notebook is; None of models."""

    parent: str | None
    """Id of the resource that this one derives from."""

    attachments: tuple[str, ...]
    documentation: str | None
    documentation_text: str | None = attrs.field(repr=False)
    """Markdown; None where it is not at hand."""

    covers: tuple[CoverCard, ...] = attrs.field(repr=False)
    sections: tuple[Section, ...] = ()
    issues: tuple[Issue, ...]
    """What validation has to say about it."""

    def as_dict(self) -> dict[str, Any]:
        """Return the card as plain data for JSON; of covers and documentation their names."""
        return {
            "source": self.source,
            "type": self.type,
            "name": self.name,
            "id": self.id,
            "version": self.version,
            "format_version": self.format_version,
            "description": self.description,
            "authors": [attrs.asdict(a) for a in self.authors],
            "maintainers": [attrs.asdict(m) for m in self.maintainers],
            "license": self.license,
            "cite": [attrs.asdict(c) for c in self.cite],
            "tags": list(self.tags),
            "links": list(self.links),
            "git_repo": self.git_repo,
            "content": self.content,
            "parent": self.parent,
            "attachments": list(self.attachments),
            "documentation": self.documentation,
            "covers": [c.source for c in self.covers],
            "sections": [s.as_dict() for s in self.sections],
            "issues": [{"path": i.path, "message": i.message, "severity": i.severity, "hint": i.hint} for i in self.issues],
        }

    def _repr_html_(self) -> str:
        from .html import framed
        from .pages import card_page

        return framed(card_page(self))


def resource_card(descr: Any, package: Package, report: ValidationReport) -> ResourceCard:
    """Return the card of a resource that is no model.

    Args:
        descr: A description.
        package: Where its files are; none of them is fetched.
        report: What validation said of the description.

    """
    return ResourceCard(**common_facts(descr, package, report), content=source_of(getattr(descr, "source", None)))


def common_facts(descr: Any, package: Package, report: ValidationReport) -> dict[str, Any]:
    """Return the fields of a card that descriptions of every type and version fill."""
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
        "covers": covers([str(source_of(c)) for c in descr.covers], package),
        "issues": report.issues,
    }


def source_of(file: Any) -> str | None:
    """Return what stands for a file, or for a text that may be a file."""
    return None if file is None else str(getattr(file, "source", file))


def _person(person: Any) -> PersonCard:
    return PersonCard(
        name=person.name or person.github_user, affiliation=person.affiliation, orcid=person.orcid, github_user=person.github_user
    )


def _attachments(attachments: Any) -> Iterator[str]:
    for file in getattr(attachments, "files", attachments) or ():
        yield str(source_of(file))
