"""Nodes of the generic format 0.2, which model format 0.4 shares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import attrs

from ...typing import FrozenMapping
from ..fields import non_empty
from ..node import Node, Problem, node
from ..strings import DoiOrUrl, Email, GithubUser, Orcid, PackagedSource, ResourceIdAnyCase

__all__ = ["AttachmentsDescr", "Author", "CiteEntry", "InlineDataset", "LinkedDataset", "Maintainer", "PersonName", "Uploader"]

PersonName: TypeAlias = Annotated[str, lambda value: re.sub(r"[/\\]", "", value)]
"""A name; slashes are removed."""


@node
class Author(Node):
    """Someone who made the resource."""

    name: PersonName
    affiliation: str | None = None
    email: Email | None = None
    orcid: Orcid | None = None
    github_user: GithubUser | None = None


@node
class Maintainer(Node):
    """Someone who looks after the resource."""

    github_user: GithubUser
    name: PersonName | None = None
    affiliation: str | None = None
    email: Email | None = None
    orcid: Orcid | None = None


@node
class Uploader(Node):
    """Someone who uploaded the resource, in all versions of the format."""

    email: Email
    name: PersonName | None = None


@node
class CiteEntry(Node):
    """Something to cite; one of ``doi`` and ``url`` is needed."""

    text: str
    doi: DoiOrUrl | None = None
    url: str | None = None

    def problems(self) -> Iterator[Problem]:
        """Yield that there is no reference."""
        if not self.doi and not self.url:
            yield Problem(loc=(), message="expected doi or url, found neither")


@node
class AttachmentsDescr(Node):
    """Further files, and whatever else was attached."""

    allows_unknown_keys: ClassVar[bool] = True

    files: tuple[PackagedSource, ...] = ()


@node
class LinkedDataset(Node):
    """A dataset by its id."""

    id: ResourceIdAnyCase
    version_number: int | None = None


@node
class InlineDataset(Node):
    """A dataset that is described in place; only that it is one is checked, all else is kept as it is."""

    allows_unknown_keys: ClassVar[bool] = True

    type: Literal["dataset"] = "dataset"
    name: str = attrs.field(validator=non_empty)
    description: str = ""
    tags: tuple[str, ...] = ()
    config: FrozenMapping[str, Any] = FrozenMapping()
