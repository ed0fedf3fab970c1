"""Weights entries of model format 0.4."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, TypeAlias

import attrs

from ..spec.constraints import json_schema
from ..spec.fields import in_range
from ..spec.model.weights import WeightsEntryV04, split_architecture
from ..spec.node import Issue, node
from ..spec.strings import Sha256, Version
from ..structuring.format_value import format_value
from ..typing import FrozenMapping

__all__ = [
    "KerasHdf5WeightsDescr",
    "OnnxWeightsDescr",
    "PytorchStateDictWeightsDescr",
    "TensorflowJsWeightsDescr",
    "TensorflowSavedModelBundleWeightsDescr",
    "TorchscriptWeightsDescr",
]


@node
class WeightsDescr(WeightsEntryV04):
    """The fields that all weights formats share, and their rules."""

    def problems(self) -> Iterator[Issue]:
        """Yield the fields that later versions do not have."""
        if self.attachments is not None:
            yield Issue(loc=("attachments",), message="expected none, weights attachments are no longer supported", severity="alert")
        if self.dependencies is not None:
            yield Issue(loc=("dependencies",), message="expected none, custom dependencies make a model hard to run", severity="warning")


def _wanted(key: str, value: object) -> Iterator[Issue]:
    if value is None:
        yield Issue(loc=(key,), message="expected the version, found none", severity="alert")


@node
class KerasHdf5WeightsDescr(WeightsDescr):
    """A Keras model in one HDF5 file."""

    tensorflow_version: Version | None = None

    def problems(self) -> Iterator[Issue]:
        """Yield that the version of the framework is missing."""
        yield from super().problems()
        yield from _wanted("tensorflow_version", self.tensorflow_version)


@node
class OnnxWeightsDescr(WeightsDescr):
    """An ONNX model."""

    opset_version: int | None = attrs.field(default=None, validator=in_range(7))

    def problems(self) -> Iterator[Issue]:
        """Yield that the opset is missing."""
        yield from super().problems()
        yield from _wanted("opset_version", self.opset_version)


@json_schema({"pattern": r".:[^\W\d]\w*$|^[^\W\d]\w*(?:\.[^\W\d]\w*)+$"})
def _architecture(value: str) -> str:
    file, name = split_architecture(value)
    colon = ":" in value
    if colon and not (file and name.isidentifier()):
        raise ValueError(f"expected file:callable, found {format_value(value)}")
    parts = value.split(".")
    if not colon and (len(parts) < 2 or not all(part.isidentifier() for part in parts)):
        raise ValueError(f"expected file:callable or module.callable, found {format_value(value)}")
    return value


Architecture: TypeAlias = Annotated[str, _architecture]


@node
class PytorchStateDictWeightsDescr(WeightsDescr):
    """The parameters of a PyTorch module, and where the module comes from."""

    architecture: Architecture
    """``file:callable``, or ``module.callable`` of an installed library."""

    architecture_sha256: Sha256 | None = None
    """Of the file in ``architecture``."""

    kwargs: FrozenMapping[str, Any] = FrozenMapping()
    """Arguments of the callable."""

    pytorch_version: Version | None = None

    def problems(self) -> Iterator[Issue]:
        """Yield missing and superfluous fields."""
        yield from super().problems()
        yield from _wanted("pytorch_version", self.pytorch_version)
        file, _ = split_architecture(self.architecture)
        if file and self.architecture_sha256 is None:
            yield Issue(loc=("architecture_sha256",), message=f"expected the SHA-256 of {file}, found none")
        if not file and self.architecture_sha256 is not None:
            yield Issue(loc=("architecture_sha256",), message="expected none, since the architecture comes from a library")


@node
class TensorflowJsWeightsDescr(WeightsDescr):
    """A TensorFlow.js model in one ZIP file."""

    tensorflow_version: Version | None = None

    def problems(self) -> Iterator[Issue]:
        """Yield that the version of the framework is missing."""
        yield from super().problems()
        yield from _wanted("tensorflow_version", self.tensorflow_version)


@node
class TensorflowSavedModelBundleWeightsDescr(WeightsDescr):
    """A TensorFlow SavedModel in one ZIP file."""

    tensorflow_version: Version | None = None

    def problems(self) -> Iterator[Issue]:
        """Yield that the version of the framework is missing."""
        yield from super().problems()
        yield from _wanted("tensorflow_version", self.tensorflow_version)


@node
class TorchscriptWeightsDescr(WeightsDescr):
    """A TorchScript module."""

    pytorch_version: Version | None = None

    def problems(self) -> Iterator[Issue]:
        """Yield that the version of the framework is missing."""
        yield from super().problems()
        yield from _wanted("pytorch_version", self.pytorch_version)
