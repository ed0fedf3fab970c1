"""The weights formats of the model format itself, and the adapters and converters that come with the library."""

from __future__ import annotations

from collections.abc import Iterable

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


@hookimpl
def bioimageio_weights_formats() -> Iterable[WeightsFormatEntry]:
    """Yield the weights formats that the model format names."""
    from . import descr_v0_4 as v0_4
    from . import descr_v0_5 as v0_5

    yield WeightsFormatEntry(
        name="keras_hdf5",
        suffix=".h5",
        descr={"0.4": v0_4.KerasHdf5WeightsDescr, "0.5": v0_5.KerasHdf5WeightsDescr},
        summary="Keras model in an HDF5 file",
    )
    yield WeightsFormatEntry(
        name="keras_v3", descr={"0.5": v0_5.KerasV3WeightsDescr}, suffix=".keras", summary="Keras model in the .keras format"
    )
    yield WeightsFormatEntry(
        name="onnx",
        suffix=".onnx",
        descr={"0.4": v0_4.OnnxWeightsDescr, "0.5": v0_5.OnnxWeightsDescr},
        summary="ONNX model",
    )
    yield WeightsFormatEntry(
        name="pytorch_state_dict",
        suffix=".pt",
        descr={"0.4": v0_4.PytorchStateDictWeightsDescr, "0.5": v0_5.PytorchStateDictWeightsDescr},
        summary="parameters of a PyTorch module",
    )
    yield WeightsFormatEntry(
        name="tensorflow_js",
        suffix=".zip",
        descr={"0.4": v0_4.TensorflowJsWeightsDescr, "0.5": v0_5.TensorflowJsWeightsDescr},
        summary="TensorFlow.js model",
    )
    yield WeightsFormatEntry(
        name="tensorflow_saved_model_bundle",
        suffix=".zip",
        descr={"0.4": v0_4.TensorflowSavedModelBundleWeightsDescr, "0.5": v0_5.TensorflowSavedModelBundleWeightsDescr},
        summary="zipped TensorFlow SavedModel",
    )
    yield WeightsFormatEntry(
        name="torchscript",
        suffix=".pt",
        descr={"0.4": v0_4.TorchscriptWeightsDescr, "0.5": v0_5.TorchscriptWeightsDescr},
        aliases=("pytorch_script",),
        summary="TorchScript module",
    )
