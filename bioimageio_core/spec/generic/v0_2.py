"""The generic format 0.2, whose nodes model format 0.4 shares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, TypeAlias

import attrs

from ...structuring.format_value import format_value
from ...structuring.freezing import FiniteMapping
from ...typing import FrozenMapping
from ..constraints import json_schema
from ..fields import each, length, non_empty, suffix
from ..node import Issue, Node, node
from ..shown_description import ShownDescription
from ..strings import DoiOrUrl, Email, FileSource, GithubUser, HttpUrl, Icon, Orcid, PackagedSource, ResourceIdAnyCase, Version
from .licenses import LICENSES

__all__ = [
    "LATEST",
    "SPECIFIC_TYPES",
    "AttachmentsDescr",
    "Author",
    "BadgeDescr",
    "CiteEntry",
    "GenericDescr",
    "GenericDescrBase",
    "GenericType",
    "LinkedDataset",
    "LinkedResource",
    "Maintainer",
    "PersonName",
    "ResourceDescrBase",
    "Uploader",
]

LATEST = "0.2.4"

SPECIFIC_TYPES = ("application", "collection", "dataset", "model", "notebook")
"""Types that are not generic."""

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

    def problems(self) -> Iterator[Issue]:
        """Yield that there is no reference."""
        if not self.doi and not self.url:
            yield Issue(loc=(), message="expected doi or url, found neither")


@node
class AttachmentsDescr(Node):
    """Attached files, and further keys."""

    allows_unknown_keys: ClassVar[bool] = True

    files: tuple[PackagedSource, ...] = ()


@node
class BadgeDescr(Node):
    """A badge to be shown with the resource, in all versions of the format."""

    label: str
    icon: FileSource | None = None
    url: HttpUrl


@node
class LinkedResource(Node):
    """A resource by its id."""

    id: ResourceIdAnyCase
    version_number: int | None = None


@node
class LinkedDataset(LinkedResource):
    """A dataset by its id."""


@json_schema({"not": {"enum": list(SPECIFIC_TYPES)}})
def _generic_type(value: str) -> str:
    if value in SPECIFIC_TYPES:
        raise ValueError(f"expected a resource type without a format of its own, found {format_value(value)}")
    return value


GenericType: TypeAlias = Annotated[str, _generic_type]
"""Any resource type that has no format of its own."""

_COVERS = (".gif", ".jpeg", ".jpg", ".png", ".svg", ".tif", ".tiff")


@node
class ResourceDescrBase(ShownDescription, Node):
    """What descriptions of every type have in common."""

    name: str = attrs.field(validator=non_empty)
    id: ResourceIdAnyCase | None = None
    id_emoji: str | None = attrs.field(default=None, validator=length(1, 1))
    version: Version | None = None
    version_number: int | None = None
    description: str
    icon: Icon | FileSource | None = None
    covers: tuple[PackagedSource, ...] = attrs.field(default=(), validator=each(suffix(*_COVERS, any_case=True)))
    uploader: Uploader | None = None
    maintainers: tuple[Maintainer, ...] = ()
    cite: tuple[CiteEntry, ...] = ()
    tags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    git_repo: str | None = None
    download_url: HttpUrl | None = None
    rdf_source: FileSource | None = None
    attachments: AttachmentsDescr | None = None
    config: FiniteMapping = FrozenMapping()


@node
class GenericDescrBase(ResourceDescrBase):
    """What descriptions of every type but models have in common."""

    format_version: Literal["0.2.4"] = "0.2.4"
    documentation: FileSource | None = None
    authors: tuple[Author, ...] = ()
    license: str | None = None
    badges: tuple[BadgeDescr, ...] = ()

    def problems(self) -> Iterator[Issue]:
        """Yield missing metadata."""
        for key in ("authors", "cite", "license"):
            if not getattr(self, key):
                yield Issue(loc=(key,), message="expected a value, found none", severity="warning")
        if self.license and self.license not in LICENSES:
            message = f"expected an identifier of the SPDX license list, found {self.license!r}"
            yield Issue(loc=("license",), message=message, severity="warning")
        if len(self.name) > 128:
            yield Issue(loc=("name",), message=f"expected at most 128 characters, found {len(self.name)}", severity="warning")


@node
class GenericDescr(GenericDescrBase):
    """A resource of a type that has no format of its own; keys that the format does not name are kept."""

    allows_unknown_keys: ClassVar[bool] = True

    type: GenericType
    source: HttpUrl | None = None
