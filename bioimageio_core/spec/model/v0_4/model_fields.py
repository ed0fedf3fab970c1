"""The fields of models in format 0.4."""

from __future__ import annotations

from typing import ClassVar, Literal

import attrs

from ...dataset.v0_2 import DatasetDescr
from ...extensions import WeightsEntries
from ...fields import each, non_empty, suffix
from ...generic.v0_2 import Author, LinkedDataset, ResourceDescrBase
from ...node import Node, node
from ...strings import Icon, PackagedSource, Timestamp
from ..run_mode import OptionalRunMode
from .tensors import InputTensorDescr, OutputTensorDescr

__all__ = ["LATEST", "LinkedModel", "ModelFields"]

LATEST = "0.4.10"


@node
class LinkedModel(Node):
    """A model by its id, or by fields of earlier versions; none is required."""

    allows_unknown_keys: ClassVar[bool] = True

    id: str | None = None
    version_number: int | None = None


@node
class ModelFields(ResourceDescrBase):
    """What a model takes and returns, its weights, and who made it; without the rules between them."""

    format_version: str = LATEST
    type: Literal["model"] = "model"
    timestamp: Timestamp
    documentation: PackagedSource
    icon: Icon | PackagedSource | None = None
    authors: tuple[Author, ...] = attrs.field(validator=non_empty)
    packaged_by: tuple[Author, ...] = ()
    license: str
    parent: LinkedModel | None = None
    training_data: LinkedDataset | DatasetDescr | None = None
    run_mode: OptionalRunMode = None
    inputs: tuple[InputTensorDescr, ...] = attrs.field(validator=non_empty)
    outputs: tuple[OutputTensorDescr, ...] = attrs.field(validator=non_empty)
    test_inputs: tuple[PackagedSource, ...] = attrs.field(validator=(non_empty, each(suffix(".npy"))))
    test_outputs: tuple[PackagedSource, ...] = attrs.field(validator=(non_empty, each(suffix(".npy"))))
    sample_inputs: tuple[PackagedSource, ...] = ()
    sample_outputs: tuple[PackagedSource, ...] = ()
    weights: WeightsEntries = attrs.field(validator=non_empty)
