"""Notebooks in format 0.2."""

from __future__ import annotations

from typing import Literal

import attrs

from ..fields import suffix
from ..generic.v0_2 import LATEST, GenericDescrBase
from ..node import node
from ..strings import FileSource

__all__ = ["LATEST", "NotebookDescr"]


@node
class NotebookDescr(GenericDescrBase):
    """A Jupyter notebook."""

    type: Literal["notebook"] = "notebook"
    source: FileSource = attrs.field(validator=suffix(".ipynb"))
