"""The fields of models in format 0.5."""

from __future__ import annotations

from typing import Literal

import attrs

from ....typing import FrozenMapping
from ...dataset import v0_2 as dataset_v0_2
from ...dataset import v0_3 as dataset_v0_3
from ...extensions import WeightsEntries
from ...fields import non_empty
from ...generic.v0_3 import Author, LinkedDataset, ResourceDescrBase
from ...node import Node, node
from ...strings import ResourceId, Timestamp, Version
from ..run_mode import OptionalRunMode
from .config import ConfigMapping
from .tensors import InputTensorDescr, OutputTensorDescr

__all__ = ["LATEST", "LinkedModel", "ModelFields"]

LATEST = "0.5.14"


@node
class LinkedModel(Node):
    """A model by its id."""

    id: ResourceId
    version: Version | None = None


@node
class ModelFields(ResourceDescrBase):
    """What a model takes and returns, its weights, and who made it; without the rules between them."""

    format_version: str = LATEST
    type: Literal["model"] = "model"
    timestamp: Timestamp | None = None
    packaged_by: tuple[Author, ...] = ()
    parent: LinkedModel | None = None
    training_data: LinkedDataset | dataset_v0_3.DatasetDescr | dataset_v0_2.DatasetDescr | None = None
    run_mode: OptionalRunMode = None
    inputs: tuple[InputTensorDescr, ...] = attrs.field(validator=non_empty)
    outputs: tuple[OutputTensorDescr, ...] = attrs.field(validator=non_empty)
    weights: WeightsEntries = attrs.field(validator=non_empty)
    config: ConfigMapping = FrozenMapping()
