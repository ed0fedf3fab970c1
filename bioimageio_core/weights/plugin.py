"""The weights formats that the model format names, and the adapters and converters that come with the library."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Literal

from ..registry import WeightsAdapterEntry, WeightsConverterEntry, WeightsFormatEntry, hookimpl

__all__ = ["bioimageio_weights_adapters", "bioimageio_weights_converters", "bioimageio_weights_formats"]


@hookimpl
def bioimageio_weights_adapters() -> Iterable[WeightsAdapterEntry]:
    """Yield the adapters that come with the library."""
    from .adapters import adapter_entries

    return adapter_entries()


@hookimpl
def bioimageio_weights_converters() -> Iterable[WeightsConverterEntry]:
    """Yield the converters that come with the library."""
    from .converters.entries import converter_entries

    return converter_entries()


FORMATS = (
    ("keras_hdf5", "KerasHdf5WeightsDescr", ".h5", "Keras model in an HDF5 file"),
    ("keras_v3", "KerasV3WeightsDescr", ".keras", "Keras model in the .keras format"),
    ("onnx", "OnnxWeightsDescr", ".onnx", "ONNX model"),
    ("pytorch_state_dict", "PytorchStateDictWeightsDescr", ".pt", "parameters of a PyTorch module"),
    ("tensorflow_js", "TensorflowJsWeightsDescr", ".zip", "TensorFlow.js model"),
    ("tensorflow_saved_model_bundle", "TensorflowSavedModelBundleWeightsDescr", ".zip", "zipped TensorFlow SavedModel"),
    ("torchscript", "TorchscriptWeightsDescr", ".pt", "TorchScript module"),
)
"""Name, class, suffix and summary of each format; formats 0.4 and 0.5 have classes of the same names, as far as they know the format."""

ALIASES = {"torchscript": ("pytorch_script",)}


@hookimpl
def bioimageio_weights_formats() -> Iterable[WeightsFormatEntry]:
    """Yield the weights formats that the model format names."""
    from . import descr_v0_4, descr_v0_5

    versions: dict[Literal["0.4", "0.5"], ModuleType] = {"0.4": descr_v0_4, "0.5": descr_v0_5}
    for name, cls, suffix, summary in FORMATS:
        descr = {version: getattr(module, cls) for version, module in versions.items() if hasattr(module, cls)}
        yield WeightsFormatEntry(name=name, descr=descr, suffix=suffix, aliases=ALIASES.get(name, ()), summary=summary)
