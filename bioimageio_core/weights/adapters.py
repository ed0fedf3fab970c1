"""Entries of the adapters that come with the library."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..registry import AdapterContext, WeightsAdapter, WeightsAdapterEntry
from .requirements import keras_v3_requirements, torch_requirements

__all__ = ["adapter_entries"]


def adapter_entries() -> Iterator[WeightsAdapterEntry]:
    """Yield the built-in adapters.

    The preference follows speed on CPU, ONNX Runtime before PyTorch before Keras, and then what runs without being trusted.
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
        precisions=("fp32", "bf16", "fp16"),
        extra="bioimageio-runtime[torch]",
        environment=torch_requirements,
        carries_code=True,
        summary="PyTorch's TorchScript interpreter",
    )
    yield WeightsAdapterEntry(
        name="pytorch",
        weights_format="pytorch_state_dict",
        requires=("torch",),
        load=_load_state_dict,
        devices=("cpu", "cuda", "mps"),
        preference=35,
        precisions=("fp32", "bf16", "fp16"),
        compiles=True,
        extra="bioimageio-runtime[torch]",
        environment=torch_requirements,
        summary="PyTorch module with its parameters",
    )
    for name, weights_format, preference, environment in (
        ("keras", "keras_v3", 26, keras_v3_requirements),
        ("keras_hdf5", "keras_hdf5", 25, None),
    ):
        yield WeightsAdapterEntry(
            name=name,
            weights_format=weights_format,
            requires=("keras",),
            load=_load_keras,
            devices=("cpu", "cuda"),
            preference=preference,
            extra="bioimageio-runtime[keras]",
            environment=environment,
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


def _load_state_dict() -> Callable[[AdapterContext], WeightsAdapter]:
    from .state_dict import PytorchStateDictAdapter

    return PytorchStateDictAdapter
