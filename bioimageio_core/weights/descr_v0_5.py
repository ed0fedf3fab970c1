"""Weights entries of model format 0.5."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import attrs

from ..spec.constraints import json_schema
from ..spec.fields import Identifier, in_range, suffix
from ..spec.files import FileDescr
from ..spec.model.weights import WeightsEntryV05
from ..spec.node import Issue, Node, node
from ..spec.strings import PackagedSource, Version
from ..structuring.format_value import format_value
from ..structuring.freezing import FiniteMapping
from ..typing import FrozenMapping

__all__ = [
    "ArchitectureFromFileDescr",
    "ArchitectureFromLibraryDescr",
    "KerasHdf5WeightsDescr",
    "KerasV3WeightsDescr",
    "OnnxWeightsDescr",
    "PytorchStateDictWeightsDescr",
    "TensorflowJsWeightsDescr",
    "TensorflowSavedModelBundleWeightsDescr",
    "TorchscriptWeightsDescr",
]

_ENVIRONMENT = attrs.validators.optional(suffix(".yaml", ".yml"))


@node
class KerasHdf5WeightsDescr(WeightsEntryV05):
    """A Keras model in one HDF5 file."""

    tensorflow_version: Version


@json_schema({"pattern": r"^\s*v?(?:[3-9]|0*[1-9][0-9])", "minimum": 3})
def _keras_3(value: Any) -> Any:
    major = re.match(r"\s*v?([0-9]+)", str(value))
    if major is None or int(major[1]) < 3:
        raise ValueError(f"expected a version of at least 3, found {format_value(value)}")
    return value


@node
class KerasV3WeightsDescr(WeightsEntryV05):
    """A Keras model in the ``.keras`` format."""

    source: PackagedSource = attrs.field(validator=suffix(".keras"))
    keras_version: Annotated[Version, _keras_3]
    backend: tuple[Literal["tensorflow", "jax", "torch"], Version]
    """The framework under Keras, and its version."""


@node
class OnnxWeightsDescr(WeightsEntryV05):
    """An ONNX model."""

    opset_version: int = attrs.field(validator=in_range(7))
    external_data: FileDescr | None = attrs.field(default=None, validator=attrs.validators.optional(suffix(".data")))
    """Tensors that are stored outside the ONNX file."""

    def problems(self) -> Iterator[Issue]:
        """Yield a problem if the two files have the same name."""
        if self.external_data is not None and _file_name(self.external_data.source) == _file_name(self.source):
            message = f"expected a file name other than that of the weights, found {format_value(self.external_data.source)}"
            yield Issue(loc=("external_data", "source"), message=message)


def _file_name(source: str) -> str:
    return source.rpartition("/")[2]


@node
class ArchitectureFromFileDescr(FileDescr):
    """A callable in a file of the package, which returns the network."""

    callable: Identifier
    kwargs: FiniteMapping = FrozenMapping()
    """Arguments of the callable."""


@node
class ArchitectureFromLibraryDescr(Node):
    """A callable of an installed library, which returns the network."""

    callable: Identifier
    kwargs: FiniteMapping = FrozenMapping()
    """Arguments of the callable."""

    import_from: str
    """The module that holds the callable."""


@node
class PytorchStateDictWeightsDescr(WeightsEntryV05):
    """The parameters of a PyTorch module, and where the module comes from."""

    architecture: ArchitectureFromFileDescr | ArchitectureFromLibraryDescr
    pytorch_version: Version
    dependencies: FileDescr | None = attrs.field(default=None, validator=_ENVIRONMENT)
    """A conda environment file."""

    strict: bool = True
    """Whether names of parameters must match exactly."""


@node
class TensorflowJsWeightsDescr(WeightsEntryV05):
    """A TensorFlow.js model in one ZIP file."""

    tensorflow_version: Version


@node
class TensorflowSavedModelBundleWeightsDescr(WeightsEntryV05):
    """A TensorFlow SavedModel in one ZIP file."""

    tensorflow_version: Version
    dependencies: FileDescr | None = attrs.field(default=None, validator=_ENVIRONMENT)
    """A conda environment file."""


@node
class TorchscriptWeightsDescr(WeightsEntryV05):
    """A TorchScript module."""

    pytorch_version: Version
