"""Models in format 0.4."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import attrs

from ....typing import FrozenMapping
from ...constraints import says
from ...extensions import WeightsEntries
from ...fields import each, found, length, non_empty, suffix
from ...generic.v0_2 import AttachmentsDescr, Author, CiteEntry, InlineDataset, LinkedDataset, Maintainer, Uploader
from ...node import Node, Problem, node
from ...strings import FileSource, HttpUrl, PackagedSource, ResourceIdAnyCase, Timestamp, Version
from ..run_mode import RunModeDescr
from . import rules
from .tensors import InputTensorDescr, OutputTensorDescr

__all__ = ["LATEST", "LinkedModel", "ModelDescr"]

LATEST = "0.4.10"


@says({"minLength": 1, "maxLength": 2})
def _icon(value: str) -> str:
    if not 1 <= len(value) <= 2:
        raise ValueError(f"expected one or two characters, found {found(value)}")
    return value


Icon: TypeAlias = Annotated[str, _icon]
_COVERS = (".gif", ".jpeg", ".jpg", ".png", ".svg", ".tif", ".tiff")


@node
class LinkedModel(Node):
    """A model by its id, or by what earlier versions wrote instead; nothing of it is needed."""

    allows_unknown_keys: ClassVar[bool] = True

    id: str | None = None
    version_number: int | None = None


@node
class ModelDescr(Node):
    """A model: what it takes and returns, its weights, and who made it."""

    format_version: str = LATEST
    type: Literal["model"] = "model"
    name: str = attrs.field(validator=non_empty)
    id: ResourceIdAnyCase | None = None
    id_emoji: str | None = attrs.field(default=None, validator=length(1, 1))
    version: Version | None = None
    version_number: int | None = None
    timestamp: Timestamp
    description: str
    documentation: PackagedSource
    icon: Icon | PackagedSource | None = None
    covers: tuple[PackagedSource, ...] = attrs.field(default=(), validator=each(suffix(*_COVERS, any_case=True)))
    authors: tuple[Author, ...] = attrs.field(validator=non_empty)
    packaged_by: tuple[Author, ...] = ()
    uploader: Uploader | None = None
    maintainers: tuple[Maintainer, ...] = ()
    cite: tuple[CiteEntry, ...] = ()
    license: str
    tags: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    git_repo: str | None = None
    download_url: HttpUrl | None = None
    rdf_source: FileSource | None = None
    attachments: AttachmentsDescr | None = None
    parent: LinkedModel | None = None
    training_data: LinkedDataset | InlineDataset | None = None
    run_mode: RunModeDescr | None = None
    inputs: tuple[InputTensorDescr, ...] = attrs.field(validator=non_empty)
    outputs: tuple[OutputTensorDescr, ...] = attrs.field(validator=non_empty)
    test_inputs: tuple[PackagedSource, ...] = attrs.field(validator=(non_empty, each(suffix(".npy"))))
    test_outputs: tuple[PackagedSource, ...] = attrs.field(validator=(non_empty, each(suffix(".npy"))))
    sample_inputs: tuple[PackagedSource, ...] = ()
    sample_outputs: tuple[PackagedSource, ...] = ()
    weights: WeightsEntries = attrs.field(validator=non_empty)
    config: FrozenMapping[str, Any] = FrozenMapping()

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong between the parts of the model, then what others will miss in it."""
        for rule in rules.ALL:
            yield from rule(self)
