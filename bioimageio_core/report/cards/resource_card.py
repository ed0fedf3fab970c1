"""The card of a resource of any type: what it is, who made it and how to cite it."""

from __future__ import annotations

from typing import Any

import attrs

from ...shown import Shown
from ...spec.validation import Issue
from ...text import in_one_line
from ..html.markdown import markdown_html
from ..html.render import render
from .embedded_files import CoverCard

__all__ = ["CitationCard", "Fact", "PersonCard", "ResourceCard", "Section", "Table"]


@attrs.frozen(kw_only=True)
class PersonCard:
    """An author or maintainer of a resource."""

    name: str
    affiliation: str | None = None
    orcid: str | None = None
    github_user: str | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.affiliation})" if self.affiliation else self.name


@attrs.frozen(kw_only=True)
class CitationCard:
    """A publication to cite."""

    text: str
    url: str | None
    """Where the publication is; DOIs as URLs."""

    def __str__(self) -> str:
        return f"{self.text} {self.url}" if self.url else self.text


@attrs.frozen
class Fact:
    """A value and its label."""

    label: str
    value: str


@attrs.frozen(kw_only=True)
class Table:
    """Values in rows; each row is as long as the header."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    facts: tuple[Fact, ...] = ()
    """Facts about the values, such as the dataset that they are for."""


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


@attrs.frozen(kw_only=True, repr=False)
class ResourceCard(Shown):
    """A resource at a glance."""

    source: str
    type: str
    name: str
    id: str | None
    emoji: str | None
    version: str | None
    format_version: str
    """The format version as written in the description."""

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
    """Where the data, the program or the notebook is; None for models."""

    parent: str | None
    """Id of the resource that this one is derived from."""

    attachments: tuple[str, ...]
    documentation: str | None
    documentation_text: str | None = attrs.field(repr=False)
    """Markdown; None if the documentation is not on this machine."""

    covers: tuple[CoverCard, ...] = attrs.field(repr=False)
    sections: tuple[Section, ...] = ()
    issues: tuple[Issue, ...]
    """Issues that validation found; none of them is an error."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {in_one_line(self.name)!r}: {self.type} {self.format_version}>"

    def as_dict(self) -> dict[str, Any]:
        """Return the card as plain data for JSON; covers and documentation by name only."""
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

    def page(self) -> str:
        """Return a page with the facts, covers and documentation of the resource."""
        return render("card.html.j2", **self._page_data())

    def _page_data(self) -> dict[str, Any]:
        """Return what the template shows besides the card; models have more."""
        text = self.documentation_text
        return {"card": self, "is_model": False, "documentation": None if text is None else markdown_html(text)}
