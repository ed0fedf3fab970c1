"""Weights of Keras and TensorFlow as SavedModel or ONNX, converted by a process of their own.

Keras has one backend for the life of a process, and TensorFlow keeps memory: neither is decided for the process that asks.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bioimageio_core.errors import ModelRunError, TrustError
from bioimageio_core.python_process import python_command
from bioimageio_core.registry import ConverterContext
from bioimageio_core.text import in_brief

__all__ = ["to_onnx", "to_saved_model"]


def to_saved_model(context: ConverterContext) -> Mapping[str, Any]:
    """Write a zipped SavedModel whose signature ``serving_default`` has the described ids; see `bioimageio_core.registry.WeightsConverter`.

    Raises:
        ModelRunError: The weights cannot be read, or not be converted.
        TrustError: Their graph does more than compute.

    """
    return _converted(context, "saved_model")


def to_onnx(context: ConverterContext) -> Mapping[str, Any]:
    """Write an ONNX graph whose inputs and outputs have the described ids; see `bioimageio_core.registry.WeightsConverter`.

    Raises:
        ModelRunError: The weights cannot be read, or have no equal in ONNX.
        TrustError: Their graph does more than compute.

    """
    return _converted(context, "onnx")


def _converted(context: ConverterContext, target_format: str) -> Mapping[str, Any]:
    source = context.source
    with TemporaryDirectory(prefix=".bmz-", dir=context.target.parent) as folder:  # beside the target, so that it can be moved there
        written = Path(folder) / "written"
        task = {
            "path": source.path,
            "input_ids": source.input_ids,
            "output_ids": source.output_ids,
            "trust": source.trust,
            "threads": source.threads,
            "target": str(written),
            "target_format": target_format,
            "inputs": [_size(context, number) for number in range(len(context.inputs))],
        }
        environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = python_command("-m", "bioimageio_runtime_tensorflow.convert_process")
        done = subprocess.run(command, input=json.dumps(task), capture_output=True, text=True, env=environment, check=False)
        answer = _answer(done)
        written.replace(context.target)
    return answer


def _size(context: ConverterContext, number: int) -> dict[str, Any]:
    """Return the shape of a test input, None along axes that vary, and its dtype."""
    tensor = context.inputs[number]
    shape: list[int | None] = list(tensor.shape)
    if number < min(len(context.input_axes), len(context.variable_axes)):
        axes, variable = context.input_axes[number], context.variable_axes[number]
        shape = [None if axis in variable else size for axis, size in zip(axes, tensor.shape, strict=True)]
    return {"shape": shape, "dtype": str(tensor.dtype)}


def _answer(done: subprocess.CompletedProcess[str]) -> Mapping[str, Any]:
    """Return the fields in the last line of the process, or raise its error."""
    lines = done.stdout.strip().splitlines()
    try:
        answer = json.loads(lines[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise ModelRunError(f"the process that converts ended with status {done.returncode}: {in_brief(last)}") from None
    if "error" in answer:
        raise (TrustError if answer["kind"] == "trust" else ModelRunError)(answer["error"])
    fields: Mapping[str, Any] = answer["fields"]
    return fields
