"""Model format 0.4."""

from .model import LATEST, LinkedModel, ModelDescr
from .tensors import ImplicitOutputShape, InputTensorDescr, OutputTensorDescr, ParameterizedInputShape, TensorDescr

__all__ = [
    "LATEST",
    "ImplicitOutputShape",
    "InputTensorDescr",
    "LinkedModel",
    "ModelDescr",
    "OutputTensorDescr",
    "ParameterizedInputShape",
    "TensorDescr",
]
