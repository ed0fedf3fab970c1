"""Datasets in format 0.2."""

from __future__ import annotations

from typing import Literal

from ..generic.v0_2 import LATEST, GenericDescrBase, LinkedDataset
from ..node import node
from ..strings import HttpUrl

__all__ = ["LATEST", "DatasetDescr", "LinkedDataset"]


@node
class DatasetDescr(GenericDescrBase):
    """Images, by the page where they are."""

    type: Literal["dataset"] = "dataset"
    source: HttpUrl | None = None
