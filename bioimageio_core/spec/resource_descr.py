"""The type of a description of any resource type and format version."""

from __future__ import annotations

from typing import TypeAlias

from .application import v0_2 as application_v0_2
from .application import v0_3 as application_v0_3
from .dataset import v0_2 as dataset_v0_2
from .dataset import v0_3 as dataset_v0_3
from .generic import v0_2 as generic_v0_2
from .generic import v0_3 as generic_v0_3
from .model import v0_4, v0_5
from .notebook import v0_2 as notebook_v0_2
from .notebook import v0_3 as notebook_v0_3

__all__ = ["ResourceDescr"]

ResourceDescr: TypeAlias = (
    application_v0_2.ApplicationDescr
    | application_v0_3.ApplicationDescr
    | dataset_v0_2.DatasetDescr
    | dataset_v0_3.DatasetDescr
    | generic_v0_2.GenericDescr
    | generic_v0_3.GenericDescr
    | v0_4.ModelDescr
    | v0_5.ModelDescr
    | notebook_v0_2.NotebookDescr
    | notebook_v0_3.NotebookDescr
)
"""A description of any resource type and format version."""
