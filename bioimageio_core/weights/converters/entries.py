"""Entries of the converters that come with the library."""

from __future__ import annotations

from collections.abc import Iterator

from ...registry import WeightsConverter, WeightsConverterEntry

__all__ = ["converter_entries"]


def converter_entries() -> Iterator[WeightsConverterEntry]:
    """Yield the built-in converters."""
    yield WeightsConverterEntry(
        name="pytorch_to_torchscript",
        from_format="pytorch_state_dict",
        to_format="torchscript",
        requires=("torch",),
        extra="bioimageio-runtime[torch]",
        load=_load_state_dict_to_torchscript,
        summary="scripts or traces the module",
    )
    # PyTorch's exporters build graphs with onnx, the one for modules by onnxscript; what they made is tried on ONNX Runtime.
    yield WeightsConverterEntry(
        name="pytorch_to_onnx",
        from_format="pytorch_state_dict",
        to_format="onnx",
        requires=("torch", "onnx", "onnxscript", "onnxruntime"),
        extra="bioimageio-runtime[onnx,torch]",
        load=_load_state_dict_to_onnx,
        summary="exports the module",
    )
    yield WeightsConverterEntry(
        name="torchscript_to_onnx",
        from_format="torchscript",
        to_format="onnx",
        requires=("torch", "onnx", "onnxruntime"),
        extra="bioimageio-runtime[onnx,torch]",
        load=_load_torchscript_to_onnx,
        summary="exports the script",
    )


def _load_state_dict_to_torchscript() -> WeightsConverter:
    from .to_torchscript import state_dict_to_torchscript

    return state_dict_to_torchscript


def _load_state_dict_to_onnx() -> WeightsConverter:
    from .to_onnx import state_dict_to_onnx

    return state_dict_to_onnx


def _load_torchscript_to_onnx() -> WeightsConverter:
    from .to_onnx import torchscript_to_onnx

    return torchscript_to_onnx
