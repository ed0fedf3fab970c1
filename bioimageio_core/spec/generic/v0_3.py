"""Nodes of the generic format 0.3, which model format 0.5 shares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, TypeAlias

from ..constraints import says
from ..fields import found
from ..node import Node, Problem, node
from ..strings import Doi, Email, HttpUrl, Orcid, ResourceId, Version
from .licenses import DEPRECATED_LICENSES, LICENSES

__all__ = ["Author", "CiteEntry", "LicenseId", "LinkedDataset", "Maintainer", "PersonName"]


@says({"pattern": r"^[^/\\]*$"})
def _person_name(value: str) -> str:
    if "/" in value or "\\" in value:
        raise ValueError(f"expected a name without slashes, found {found(value)}")
    return value


@says({"enum": sorted(LICENSES | DEPRECATED_LICENSES)})
def _license_id(value: str) -> str:
    if value not in LICENSES and value not in DEPRECATED_LICENSES:
        raise ValueError(f"expected an identifier of the SPDX license list, found {found(value)}")
    return value


PersonName: TypeAlias = Annotated[str, _person_name]
LicenseId: TypeAlias = Annotated[str, _license_id]
GithubUser: TypeAlias = Annotated[str, lambda value: "constantinpape" if value == "Constantin Pape" else value]
"""A user name; one name that many published descriptions have instead is replaced."""


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
class CiteEntry(Node):
    """Something to cite; one of ``doi`` and ``url`` is needed."""

    text: str
    doi: Doi | None = None
    url: HttpUrl | None = None

    def problems(self) -> Iterator[Problem]:
        """Yield that there is no reference."""
        if not self.doi and not self.url:
            yield Problem(loc=(), message="expected doi or url, found neither")


@node
class LinkedDataset(Node):
    """A dataset by its id."""

    id: ResourceId
    version: Version | None = None
