"""Entries of the adapters that come with the library."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..registry import AdapterContext, WeightsAdapter, WeightsAdapterEntry

__all__ = ["adapter_entries"]


def adapter_entries() -> Iterator[WeightsAdapterEntry]:
    """Yield the built-in adapters.

    The preference follows speed on CPU: ONNX Runtime before TorchScript before Keras.
    """
    yield WeightsAdapterEntry(
        name="onnxruntime",
        weights_format="onnx",
        requires=("onnxruntime",),
        load=_load_onnx,
        devices=("cpu", "cuda"),
        preference=50,
        extra="bioimageio-runtime[onnx]",
        summary="ONNX Runtime",
    )
    yield WeightsAdapterEntry(
        name="torchscript",
        weights_format="torchscript",
        requires=("torch",),
        load=_load_torchscript,
        devices=("cpu", "cuda", "mps"),
        preference=40,
        extra="bioimageio-runtime[torch]",
        carries_code=True,
        summary="PyTorch's TorchScript interpreter",
    )
    for name, weights_format, preference in (("keras", "keras_v3", 26), ("keras_hdf5", "keras_hdf5", 25)):
        yield WeightsAdapterEntry(
            name=name,
            weights_format=weights_format,
            requires=("keras",),
            load=_load_keras,
            devices=("cpu", "cuda"),
            preference=preference,
            extra="bioimageio-runtime[keras]",
            summary="Keras 3 on PyTorch, JAX or TensorFlow",
        )


def _load_onnx() -> Callable[[AdapterContext], WeightsAdapter]:
    from .onnx import OnnxAdapter

    return OnnxAdapter


def _load_keras() -> Callable[[AdapterContext], WeightsAdapter]:
    from .keras import KerasAdapter

    return KerasAdapter


def _load_torchscript() -> Callable[[AdapterContext], WeightsAdapter]:
    from .torchscript import TorchscriptAdapter

    return TorchscriptAdapter
