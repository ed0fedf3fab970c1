"""Weights of TensorFlow: SavedModels, TensorFlow.js, and Keras files of all versions; converters among them and to ONNX."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from bioimageio_core.env import set_temporarily
from bioimageio_core.registry import AdapterContext, WeightsAdapter, WeightsAdapterEntry, WeightsConverter, WeightsConverterEntry, hookimpl
from bioimageio_core.weights.requirements import keras_v3_requirements, pinned

__all__ = ["bioimageio_weights_adapters", "bioimageio_weights_converters"]

EXTRA = "bioimageio-runtime-tensorflow[cpu]"
TO_ONNX = "bioimageio-runtime-tensorflow[cpu,onnx]"

KERAS_FORMATS = ("keras_v3", "keras_hdf5")


@hookimpl
def bioimageio_weights_adapters() -> Iterator[WeightsAdapterEntry]:
    """Yield what runs them.

    Keras files go to these adapters before those of the library: they leave to the library's what that can read, on the backend
    that it prefers, and read the files of Keras 1 and 2 besides. An adapter is chosen before its file is read, so that the
    one that reads more has to come first.
    """
    for rank, weights_format in enumerate(reversed(KERAS_FORMATS)):
        yield WeightsAdapterEntry(
            name=f"tensorflow_{weights_format}",
            weights_format=weights_format,
            requires=("keras", "tensorflow", "tf_keras"),
            load=_load_keras,
            devices=("cpu", "cuda"),
            preference=27 + rank,
            extra=EXTRA,
            environment=keras_v3_requirements if weights_format == "keras_v3" else None,
            summary="Keras 3, or Keras 2 on TensorFlow",
        )
    yield WeightsAdapterEntry(
        name="tensorflow",
        weights_format="tensorflow_saved_model_bundle",
        requires=("tensorflow",),
        load=_load_saved_model,
        devices=("cpu", "cuda"),
        preference=20,
        extra=EXTRA,
        environment=_requirements,
        carries_code=True,
        summary="TensorFlow",
    )
    yield WeightsAdapterEntry(
        name="tensorflow_js",
        weights_format="tensorflow_js",
        requires=("tensorflow", "tf_keras"),
        load=_load_tensorflow_js,
        devices=("cpu", "cuda"),
        preference=10,
        extra=EXTRA,
        environment=_requirements,
        carries_code=True,
        summary="TensorFlow, without a browser",
    )


@hookimpl
def bioimageio_weights_converters() -> Iterator[WeightsConverterEntry]:
    """Yield the ways to other formats."""
    for weights_format in KERAS_FORMATS:
        yield WeightsConverterEntry(
            name=f"tensorflow_{weights_format}_to_saved_model",
            from_format=weights_format,
            to_format="tensorflow_saved_model_bundle",
            requires=("keras", "tensorflow", "tf_keras"),
            extra=EXTRA,
            load=_load_to_saved_model,
            summary="Keras networks as zipped SavedModels",
        )
        yield WeightsConverterEntry(
            name=f"tensorflow_{weights_format}_to_onnx",
            from_format=weights_format,
            to_format="onnx",
            requires=("keras", "tensorflow", "tf_keras", "tf2onnx"),
            extra=TO_ONNX,
            load=_load_to_onnx,
            summary="Keras networks as ONNX, by tf2onnx",
        )
    yield WeightsConverterEntry(
        name="tensorflow_saved_model_to_onnx",
        from_format="tensorflow_saved_model_bundle",
        to_format="onnx",
        requires=("tensorflow", "tf2onnx"),
        extra=TO_ONNX,
        load=_load_to_onnx,
        summary="SavedModels as ONNX, by tf2onnx",
    )


def _requirements(entry: Any) -> tuple[str, ...]:
    """Return the requirements of weights with a described version of TensorFlow; newer versions read older weights."""
    return (pinned("tensorflow-cpu", entry.tensorflow_version, since=(2, 16)),)


def _quietly() -> AbstractContextManager[None]:
    """Suppress TensorFlow's messages while it is imported, unless the user sets the variable; failures are raised."""
    name = "TF_CPP_MIN_LOG_LEVEL"
    return set_temporarily(name, os.environ.get(name, "3"))


def _load_keras() -> Callable[[AdapterContext], WeightsAdapter]:
    with _quietly():
        from .keras_files import open_keras_file

    return open_keras_file


def _load_saved_model() -> Callable[[AdapterContext], WeightsAdapter]:
    with _quietly():
        from .saved_model import SavedModelAdapter

    return SavedModelAdapter


def _load_tensorflow_js() -> Callable[[AdapterContext], WeightsAdapter]:
    with _quietly():
        from .tensorflow_js import TensorflowJsAdapter

    return TensorflowJsAdapter


def _load_to_saved_model() -> WeightsConverter:
    from .converting import to_saved_model

    return to_saved_model


def _load_to_onnx() -> WeightsConverter:
    from .converting import to_onnx

    return to_onnx
