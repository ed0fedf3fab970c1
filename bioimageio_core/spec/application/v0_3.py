"""Applications in format 0.3."""

from __future__ import annotations

from typing import ClassVar, Literal

from ..generic.v0_3 import LATEST, GenericDescrBase
from ..node import node
from ..strings import PackagedSource

__all__ = ["LATEST", "ApplicationDescr"]


@node
class ApplicationDescr(GenericDescrBase):
    """Software, or a page that runs it."""

    recommended: ClassVar[tuple[str, ...]] = (*GenericDescrBase.recommended, "source")

    type: Literal["application"] = "application"
    source: PackagedSource | None = None
