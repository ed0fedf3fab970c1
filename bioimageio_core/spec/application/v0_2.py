"""Applications in format 0.2."""

from __future__ import annotations

from typing import Literal

from ..generic.v0_2 import LATEST, GenericDescrBase
from ..node import node
from ..strings import PackagedSource

__all__ = ["LATEST", "ApplicationDescr"]


@node
class ApplicationDescr(GenericDescrBase):
    """Software, or a page that runs it."""

    type: Literal["application"] = "application"
    source: PackagedSource | None = None
