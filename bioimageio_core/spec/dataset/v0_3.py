"""Datasets in format 0.3."""

from __future__ import annotations

from typing import ClassVar, Literal

from ..generic.v0_3 import LATEST, GenericDescrBase, LinkedDataset
from ..node import node
from ..strings import HttpUrl

__all__ = ["LATEST", "DatasetDescr", "LinkedDataset"]


@node
class DatasetDescr(GenericDescrBase):
    """Images, by the page where they are."""

    recommended: ClassVar[tuple[str, ...]] = (*GenericDescrBase.recommended, "source")

    type: Literal["dataset"] = "dataset"
    source: HttpUrl | None = None
