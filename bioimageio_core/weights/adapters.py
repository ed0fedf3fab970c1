"""Entries of the adapters that come with the library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any

from ..registry import AdapterContext, WeightsAdapter, WeightsAdapterEntry
from .onnx_inputs import required_shapes
from .requirements import keras_v3_requirements, torch_requirements

__all__ = ["adapter_entries"]

TORCH: dict[str, Any] = {
    "requires": ("torch",),
    "devices": ("cpu", "cuda", "mps"),
    "precisions": ("fp32", "bf16", "fp16"),
    "extra": "bioimageio-runtime[torch]",
    "environment": torch_requirements,
}
KERAS: dict[str, Any] = {"requires": ("keras",), "devices": ("cpu", "cuda"), "extra": "bioimageio-runtime[keras]"}


def adapter_entries() -> Iterator[WeightsAdapterEntry]:
    """Yield the built-in adapters.

    The preference follows speed on CPU, ONNX Runtime before PyTorch before Keras; adapters that need no trust come first.
    """
    yield WeightsAdapterEntry(
        name="onnxruntime",
        weights_format="onnx",
        requires=("onnxruntime",),
        load=partial(_load, "onnx", "OnnxAdapter"),
        devices=("cpu", "cuda"),
        input_shapes=required_shapes,
        preference=50,
        extra="bioimageio-runtime[onnx]",
        summary="ONNX Runtime",
    )
    yield WeightsAdapterEntry(
        name="torchscript",
        weights_format="torchscript",
        load=partial(_load, "torchscript", "TorchscriptAdapter"),
        preference=40,
        carries_code=True,
        summary="PyTorch's TorchScript interpreter",
        **TORCH,
    )
    yield WeightsAdapterEntry(
        name="pytorch",
        weights_format="pytorch_state_dict",
        load=partial(_load, "state_dict", "PytorchStateDictAdapter"),
        preference=35,
        compiles=True,
        summary="PyTorch module with its parameters",
        **TORCH,
    )
    for name, weights_format, preference, environment in (
        ("keras", "keras_v3", 26, keras_v3_requirements),
        ("keras_hdf5", "keras_hdf5", 25, None),
    ):
        yield WeightsAdapterEntry(
            name=name,
            weights_format=weights_format,
            load=partial(_load, "keras", "KerasAdapter"),
            preference=preference,
            environment=environment,
            summary="Keras 3 on PyTorch, JAX or TensorFlow",
            **KERAS,
        )


def _load(module: str, name: str) -> Callable[[AdapterContext], WeightsAdapter]:
    adapter: Callable[[AdapterContext], WeightsAdapter] = getattr(import_module(f"{__package__}.{module}"), name)
    return adapter
