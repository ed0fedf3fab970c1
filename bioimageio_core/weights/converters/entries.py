"""Entries of the converters that come with the library."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib import import_module

from ...registry import WeightsConverter, WeightsConverterEntry

__all__ = ["converter_entries"]

# PyTorch's exporters build graphs with onnx, the one for modules also with onnxscript; their graphs are tested on ONNX Runtime.
CONVERTERS = (
    ("pytorch_state_dict", "torchscript", ("torch",), "bioimageio-runtime[torch]", "scripts or traces the module"),
    ("pytorch_state_dict", "onnx", ("torch", "onnx", "onnxscript", "onnxruntime"), "bioimageio-runtime[onnx,torch]", "exports the module"),
    ("torchscript", "onnx", ("torch", "onnx", "onnxruntime"), "bioimageio-runtime[onnx,torch]", "exports the script"),
)
"""From and to which weights format, what is imported, the extra that brings it, and a summary.

The function ``FROM_to_TO`` in the module ``to_TO`` converts; ``pytorch_state_dict`` is ``state_dict`` there and ``pytorch`` in names.
"""


def converter_entries() -> Iterator[WeightsConverterEntry]:
    """Yield the built-in converters."""
    for source, target, requires, extra, summary in CONVERTERS:
        yield WeightsConverterEntry(
            name=f"{source.removesuffix('_state_dict')}_to_{target}",
            from_format=source,
            to_format=target,
            requires=requires,
            extra=extra,
            load=partial(_load, f"to_{target}", f"{source.removeprefix('pytorch_')}_to_{target}"),
            summary=summary,
        )


def _load(module: str, name: str) -> WeightsConverter:
    converter: WeightsConverter = getattr(import_module(f"{__package__}.{module}"), name)
    return converter
