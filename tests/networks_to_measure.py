"""Networks to measure, made on the spot."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from bioimageio_core.errors import ModelRunError
from bioimageio_core.prediction.geometry.network_geometry import AnalysedAxis, AnalysedOutputAxis, NetworkAnalysis
from bioimageio_core.prediction.geometry.signature import NetworkInput, NetworkOutput, Signature

AXES = {1: ("x",), 2: ("y", "x"), 3: ("z", "y", "x")}


def of_torch(module: Any) -> Callable[[Sequence[Any]], list[np.ndarray]]:
    """Return a module as a network."""
    import torch

    module = module.eval()

    def call(inputs: Sequence[Any]) -> list[np.ndarray]:
        try:
            with torch.inference_mode():
                result = module(*(torch.from_numpy(i) for i in inputs))
        except RuntimeError as error:
            raise ModelRunError(str(error)) from error
        return [r.numpy() for r in (result if isinstance(result, tuple) else (result,))]

    return call


def of_onnx(module: Any, example: Any, path: Path) -> Callable[[Sequence[Any]], list[np.ndarray]]:
    """Return a module as a network on ONNX Runtime, which drops not-a-number in rectifiers and poolings."""
    import torch

    dims = {0: "b", **{n: f"d{n}" for n in range(2, example.ndim)}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(), (example,), str(path), dynamo=False, input_names=["i"], output_names=["o"], dynamic_axes={"i": dims, "o": dims}
        )
    return of_session(path)


def of_session(path: Path) -> Callable[[Sequence[Any]], list[np.ndarray]]:
    """Return an ONNX file as a network."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]

    def call(inputs: Sequence[Any]) -> list[np.ndarray]:
        try:
            return list(session.run(None, dict(zip(names, inputs, strict=True))))
        except Exception as error:
            raise ModelRunError(str(error)) from error

    return call


def signature(*shapes: Sequence[int], outputs: int = 1, fixed: bool = False) -> Signature:
    """Return the signature of a network with batch, channels and one to three axes of space."""
    axes = AXES[len(shapes[0]) - 2]
    return Signature(
        inputs=tuple(
            NetworkInput(id=f"in{n}", axes=("batch", "channel", *axes), dtype="float32", shape=tuple(s)) for n, s in enumerate(shapes)
        ),
        outputs=tuple(NetworkOutput(id=f"out{n}", axes=("batch", "channel", *axes)) for n in range(outputs)),
        analysed=axes,
        fixed=frozenset((f"in{n}", a) for n in range(len(shapes)) for a in axes) if fixed else frozenset(),
    )


def only(measured: NetworkAnalysis, axis: str = "x") -> tuple[AnalysedAxis, AnalysedOutputAxis]:
    """Return an axis and the one output axis that follows it."""
    found = next(a for a in measured.axes if a.axis == axis)
    (output,) = found.outputs
    return found, output
