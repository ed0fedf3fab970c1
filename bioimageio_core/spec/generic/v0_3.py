"""The generic format 0.3, whose nodes model format 0.5 shares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import attrs

from ...structuring.format_value import format_value
from ...typing import FrozenMapping
from ..constraints import json_schema
from ..extensions import AlsoAs
from ..fields import each, length, matches, suffix
from ..files import FileDescr
from ..node import Issue, Node, node
from ..shown_description import ShownDescription
from ..strings import Doi, Email, HttpUrl, Icon, Orcid, ResourceId, Version
from .licenses import DEPRECATED_LICENSES, LICENSES
from .v0_2 import BadgeDescr, GenericType, Uploader

__all__ = [
    "LATEST",
    "Author",
    "BadgeDescr",
    "BioimageioConfig",
    "CiteEntry",
    "Config",
    "GenericDescr",
    "GenericDescrBase",
    "LicenseId",
    "LinkedDataset",
    "LinkedResource",
    "Maintainer",
    "PersonName",
    "ResourceDescrBase",
    "Uploader",
]

LATEST = "0.3.4"


@json_schema({"pattern": r"^[^/\\]*$"})
def _person_name(value: str) -> str:
    if "/" in value or "\\" in value:
        raise ValueError(f"expected a name without slashes, found {format_value(value)}")
    return value


@json_schema({"title": "LicenseId", "enum": sorted(LICENSES | DEPRECATED_LICENSES)})
def _license_id(value: str) -> str:
    if value not in LICENSES and value not in DEPRECATED_LICENSES:
        raise ValueError(f"expected an identifier of the SPDX license list, found {format_value(value)}")
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

    def problems(self) -> Iterator[Issue]:
        """Yield a problem if neither ``doi`` nor ``url`` is given."""
        if not self.doi and not self.url:
            yield Issue(loc=(), message="expected doi or url, found neither")


@node
class LinkedResource(Node):
    """A resource by its id."""

    id: ResourceId
    version: Version | None = None


@node
class LinkedDataset(LinkedResource):
    """A dataset by its id."""


@node
class BioimageioConfig(Node):
    """``config.bioimageio``: anything."""

    allows_unknown_keys: ClassVar[bool] = True


@node
class Config(Node):
    """``config``."""

    allows_unknown_keys: ClassVar[bool] = True

    bioimageio: BioimageioConfig = BioimageioConfig()


_COVERS = (".gif", ".jpeg", ".jpg", ".png", ".svg")


@node
class ResourceDescrBase(ShownDescription, Node):
    """What descriptions of every type have in common."""

    recommended: ClassVar[tuple[str, ...]] = ("description", "authors", "cite", "license", "documentation", "tags")
    """Keys without which a resource is hard to find or to cite."""

    name: str = attrs.field(validator=matches(r"[A-Za-z0-9_+\-() ]{5,128}", "5 to 128 letters, digits, spaces and _ + - ( )"))
    id: ResourceId | None = None
    id_emoji: str | None = attrs.field(default=None, validator=length(1, 2))
    version: Version | None = None
    version_comment: str | None = attrs.field(default=None, validator=length(0, 512))
    description: str = attrs.field(default="", validator=length(0, 1024))
    documentation: FileDescr | None = attrs.field(default=None, validator=suffix(".md"))
    icon: Icon | FileDescr | None = None
    covers: tuple[FileDescr, ...] = attrs.field(default=(), validator=each(suffix(*_COVERS, any_case=True)))
    authors: tuple[Author, ...] = ()
    uploader: Uploader | None = None
    maintainers: tuple[Maintainer, ...] = ()
    cite: tuple[CiteEntry, ...] = ()
    license: LicenseId | FileDescr | None = None
    tags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    git_repo: HttpUrl | None = None
    attachments: tuple[FileDescr, ...] = ()

    def problems(self) -> Iterator[Issue]:
        """Yield missing metadata."""
        for key in self.recommended:
            if not getattr(self, key):
                yield Issue(loc=(key,), message="expected a value, found none", severity="alert")
        if self.authors and not self.maintainers and not any(author.github_user for author in self.authors):
            message = "expected a maintainer, or an author with github_user, found none"
            yield Issue(loc=("maintainers",), message=message, severity="alert")
        if len(self.description) > 512:
            message = f"expected at most 512 characters, found {len(self.description)}"
            yield Issue(loc=("description",), message=message, severity="warning")
        if isinstance(self.license, FileDescr) or self.license in DEPRECATED_LICENSES:
            what = "a file" if isinstance(self.license, FileDescr) else repr(self.license)
            yield Issue(loc=("license",), message=f"expected a current SPDX identifier, found {what}", severity="warning")
        if len(self.name) > 64:
            yield Issue(loc=("name",), message=f"expected at most 64 characters, found {len(self.name)}", severity="info")


@node
class GenericDescrBase(ResourceDescrBase):
    """What descriptions of every type but models have in common."""

    format_version: Literal["0.3.4"] = "0.3.4"
    parent: ResourceId | None = None
    """Id of the resource that this one derives from."""

    badges: tuple[BadgeDescr, ...] = ()
    config: Annotated[FrozenMapping[str, Any], AlsoAs(Config)] = FrozenMapping()


@node
class GenericDescr(GenericDescrBase):
    """A resource of a type that has no format of its own; keys that the format does not name are kept."""

    allows_unknown_keys: ClassVar[bool] = True

    type: GenericType
    source: HttpUrl | None = None
