"""Models in format 0.5."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, TypeAlias

import attrs

from ....typing import FrozenMapping
from ...constraints import says
from ...extensions import WeightsEntries
from ...fields import each, found, length, matches, non_empty, suffix
from ...files import FileDescr
from ...generic.v0_2 import InlineDataset, Uploader
from ...generic.v0_3 import Author, CiteEntry, LicenseId, LinkedDataset, Maintainer
from ...node import Node, Problem, node
from ...strings import HttpUrl, ResourceId, Timestamp, Version
from ..run_mode import RunModeDescr
from . import rules
from .config import ConfigMapping
from .tensors import InputTensorDescr, OutputTensorDescr

__all__ = ["LATEST", "LinkedModel", "ModelDescr"]

LATEST = "0.5.14"


@says({"minLength": 1, "maxLength": 2})
def _icon(value: str) -> str:
    if not 1 <= len(value) <= 2:
        raise ValueError(f"expected one or two characters, found {found(value)}")
    return value


Icon: TypeAlias = Annotated[str, _icon]
_COVERS = (".gif", ".jpeg", ".jpg", ".png", ".svg")


@node
class LinkedModel(Node):
    """A model by its id."""

    id: ResourceId
    version: Version | None = None


@node
class ModelDescr(Node):
    """A model: what it takes and returns, its weights, and who made it."""

    format_version: str = LATEST
    type: Literal["model"] = "model"
    name: str = attrs.field(validator=matches(r"[A-Za-z0-9_+\-() ]{5,128}", "5 to 128 letters, digits, spaces and _ + - ( )"))
    id: ResourceId | None = None
    id_emoji: str | None = attrs.field(default=None, validator=length(1, 2))
    version: Version | None = None
    version_comment: str | None = attrs.field(default=None, validator=length(0, 512))
    timestamp: Timestamp | None = None
    description: str = attrs.field(default="", validator=length(0, 1024))
    documentation: FileDescr | None = attrs.field(default=None, validator=suffix(".md"))
    icon: Icon | FileDescr | None = None
    covers: tuple[FileDescr, ...] = attrs.field(default=(), validator=each(suffix(*_COVERS, any_case=True)))
    authors: tuple[Author, ...] = ()
    packaged_by: tuple[Author, ...] = ()
    uploader: Uploader | None = None
    maintainers: tuple[Maintainer, ...] = ()
    cite: tuple[CiteEntry, ...] = ()
    license: LicenseId | FileDescr | None = None
    tags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    git_repo: HttpUrl | None = None
    attachments: tuple[FileDescr, ...] = ()
    parent: LinkedModel | None = None
    training_data: LinkedDataset | InlineDataset | None = None
    run_mode: RunModeDescr | None = None
    inputs: tuple[InputTensorDescr, ...] = attrs.field(validator=non_empty)
    outputs: tuple[OutputTensorDescr, ...] = attrs.field(validator=non_empty)
    weights: WeightsEntries = attrs.field(validator=non_empty)
    config: ConfigMapping = FrozenMapping()

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong between the parts of the model, then what others will miss in it."""
        for rule in rules.ALL:
            yield from rule(self)
