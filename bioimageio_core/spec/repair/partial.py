"""Models of format 0.4 that lack what format 0.5 does not ask for."""

from __future__ import annotations

import attrs

from ..fields import each, suffix
from ..generic.v0_2 import Author
from ..model.v0_4.model import ModelDescr
from ..node import node
from ..strings import PackagedSource, Timestamp

__all__ = ["PartialModelDescr"]


@node
class PartialModelDescr(ModelDescr):
    """A model of format 0.4, on its way to 0.5, that may lack some of the fields that 0.4 requires.

    The fields take more than those of the class that they are of; nothing but the upgrade sees such instances.
    """

    timestamp: Timestamp | None = None  # type: ignore[assignment]
    description: str = ""
    documentation: PackagedSource | None = None  # type: ignore[assignment]
    authors: tuple[Author, ...] = ()
    license: str | None = None  # type: ignore[assignment]
    test_inputs: tuple[PackagedSource, ...] = attrs.field(default=(), validator=each(suffix(".npy")))
    test_outputs: tuple[PackagedSource, ...] = attrs.field(default=(), validator=each(suffix(".npy")))
