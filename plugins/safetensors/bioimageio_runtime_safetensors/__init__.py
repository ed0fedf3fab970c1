"""Weights of the format ``pytorch_safetensors``: the parameters of a PyTorch module in a safetensors file, which holds no code."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs

from bioimageio_core.registry import AdapterContext, WeightsAdapter, WeightsAdapterEntry, WeightsFormatEntry, hookimpl
from bioimageio_core.spec.fields import each, suffix
from bioimageio_core.spec.files import FileDescr
from bioimageio_core.spec.model.weights import WeightsEntryV05
from bioimageio_core.spec.node import node
from bioimageio_core.spec.strings import PackagedSource, Version
from bioimageio_core.weights.architecture import ArchitectureFromFileDescr, ArchitectureFromLibraryDescr

__all__ = ["PytorchSafetensorsWeightsDescr", "bioimageio_weights_adapters", "bioimageio_weights_formats"]


@node
class PytorchSafetensorsWeightsDescr(WeightsEntryV05):
    """The parameters of a PyTorch module in a safetensors file, and where the module comes from."""

    source: PackagedSource = attrs.field(validator=suffix(".safetensors"))
    architecture: ArchitectureFromFileDescr | ArchitectureFromLibraryDescr
    pytorch_version: Version
    dependencies: FileDescr | None = attrs.field(default=None, validator=attrs.validators.optional(suffix(".yaml", ".yml")))
    """A conda environment file."""

    attachments: tuple[FileDescr, ...] = attrs.field(default=(), validator=each(suffix(".py")))
    """Further Python files, which the architecture file imports by their names."""


@hookimpl
def bioimageio_weights_formats() -> Iterator[WeightsFormatEntry]:
    """Yield the format."""
    yield WeightsFormatEntry(
        name="pytorch_safetensors",
        descr={"0.5": PytorchSafetensorsWeightsDescr},
        summary="parameters of a PyTorch module, without pickle",
    )


@hookimpl
def bioimageio_weights_adapters() -> Iterator[WeightsAdapterEntry]:
    """Yield what runs it."""
    yield WeightsAdapterEntry(
        name="safetensors",
        weights_format="pytorch_safetensors",
        requires=("torch", "safetensors"),
        load=_load,
        devices=("cpu", "cuda", "mps"),
        preference=30,
        precisions=("fp32", "bf16", "fp16"),
        compiles=True,
        extra="bioimageio-runtime-safetensors",
        summary="PyTorch module with safetensors",
    )


def _load() -> Callable[[AdapterContext], WeightsAdapter]:
    from .adapter import SafetensorsAdapter

    return SafetensorsAdapter
