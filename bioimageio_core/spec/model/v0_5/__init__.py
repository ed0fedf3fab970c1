"""Model format 0.5."""

from .axes import (
    Axis,
    BatchAxis,
    ChannelAxis,
    IndexInputAxis,
    IndexOutputAxis,
    InputAxis,
    OutputAxis,
    SpaceInputAxis,
    SpaceOutputAxis,
    SpaceOutputAxisWithHalo,
    TimeInputAxis,
    TimeOutputAxis,
    TimeOutputAxisWithHalo,
)
from .config import BioimageioConfig, ReproducibilityTolerance
from .data import Data, IntervalOrRatioDataDescr, NominalOrOrdinalDataDescr
from .model import LATEST, LinkedModel, ModelDescr
from .sizes import DataDependentSize, ParameterizedSize, SizeReference
from .tensors import InputTensorDescr, OutputTensorDescr, Padding, TensorDescr

__all__ = [
    "LATEST",
    "Axis",
    "BatchAxis",
    "BioimageioConfig",
    "ChannelAxis",
    "Data",
    "DataDependentSize",
    "IndexInputAxis",
    "IndexOutputAxis",
    "InputAxis",
    "InputTensorDescr",
    "IntervalOrRatioDataDescr",
    "LinkedModel",
    "ModelDescr",
    "NominalOrOrdinalDataDescr",
    "OutputAxis",
    "OutputTensorDescr",
    "Padding",
    "ParameterizedSize",
    "ReproducibilityTolerance",
    "SizeReference",
    "SpaceInputAxis",
    "SpaceOutputAxis",
    "SpaceOutputAxisWithHalo",
    "TensorDescr",
    "TimeInputAxis",
    "TimeOutputAxis",
    "TimeOutputAxisWithHalo",
]
