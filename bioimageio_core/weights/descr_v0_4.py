"""Weights entries of model format 0.4."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs

from ..spec.fields import found, in_range
from ..spec.model.weights import WeightsEntryV04
from ..spec.node import Problem, node
from ..spec.strings import Sha256, Version
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

    def problems(self) -> Iterator[Problem]:
        """Yield malformed dependencies, and the fields that later versions dropped."""
        if self.attachments is not None:
            yield Problem(loc=("attachments",), message="expected none, weights attachments are no longer supported", severity="alert")
        if self.dependencies is not None:
            manager, colon, file = self.dependencies.strip().partition(":")
            if not (manager and colon and file):
                yield Problem(loc=("dependencies",), message=f"expected manager:file, found {found(self.dependencies)}")
            yield Problem(loc=("dependencies",), message="expected none, custom dependencies make a model hard to run", severity="warning")


def _wanted(key: str, value: object) -> Iterator[Problem]:
    if value is None:
        yield Problem(loc=(key,), message="expected the version, found none", severity="alert")


@node
class KerasHdf5WeightsDescr(WeightsDescr):
    """A Keras model in one HDF5 file."""

    tensorflow_version: Version | None = None

    def problems(self) -> Iterator[Problem]:
        """Yield that the version of the framework is missing."""
        yield from super().problems()
        yield from _wanted("tensorflow_version", self.tensorflow_version)


@node
class OnnxWeightsDescr(WeightsDescr):
    """An ONNX model."""

    opset_version: int | None = attrs.field(default=None, validator=in_range(7))

    def problems(self) -> Iterator[Problem]:
        """Yield that the opset is missing."""
        yield from super().problems()
        yield from _wanted("opset_version", self.opset_version)


@node
class PytorchStateDictWeightsDescr(WeightsDescr):
    """The parameters of a PyTorch module, and where the module comes from."""

    architecture: str
    """``file:callable``, or ``module.callable`` of an installed library."""

    architecture_sha256: Sha256 | None = None
    """Of the file in ``architecture``."""

    kwargs: FrozenMapping[str, Any] = FrozenMapping()
    """Arguments of the callable."""

    pytorch_version: Version | None = None

    def problems(self) -> Iterator[Problem]:
        """Yield a malformed architecture, and what is missing."""
        yield from super().problems()
        yield from _wanted("pytorch_version", self.pytorch_version)
        file, colon, name = self.architecture.rpartition(":")
        if colon:
            if not file or not name.isidentifier():
                yield Problem(loc=("architecture",), message=f"expected file:callable, found {found(self.architecture)}")
            elif self.architecture_sha256 is None:
                yield Problem(loc=("architecture_sha256",), message=f"expected the SHA-256 of {file}, found none")
        else:
            parts = self.architecture.split(".")
            if len(parts) < 2 or not all(part.isidentifier() for part in parts):
                message = f"expected file:callable or module.callable, found {found(self.architecture)}"
                yield Problem(loc=("architecture",), message=message)
            elif self.architecture_sha256 is not None:
                yield Problem(loc=("architecture_sha256",), message="expected none, since the architecture comes from a library")


@node
class TensorflowJsWeightsDescr(WeightsDescr):
    """A TensorFlow.js model in one ZIP file."""

    tensorflow_version: Version | None = None

    def problems(self) -> Iterator[Problem]:
        """Yield that the version of the framework is missing."""
        yield from super().problems()
        yield from _wanted("tensorflow_version", self.tensorflow_version)


@node
class TensorflowSavedModelBundleWeightsDescr(WeightsDescr):
    """A TensorFlow SavedModel in one ZIP file."""

    tensorflow_version: Version | None = None

    def problems(self) -> Iterator[Problem]:
        """Yield that the version of the framework is missing."""
        yield from super().problems()
        yield from _wanted("tensorflow_version", self.tensorflow_version)


@node
class TorchscriptWeightsDescr(WeightsDescr):
    """A TorchScript module."""

    pytorch_version: Version | None = None

    def problems(self) -> Iterator[Problem]:
        """Yield that the version of the framework is missing."""
        yield from super().problems()
        yield from _wanted("pytorch_version", self.pytorch_version)
