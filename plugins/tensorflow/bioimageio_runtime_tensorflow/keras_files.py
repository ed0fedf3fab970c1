"""Keras files of all versions: by the library's own adapter where Keras 3 reads them, else by Keras 2."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tensorflow as tf

from bioimageio_core.errors import ModelRunError
from bioimageio_core.registry import AdapterContext, WeightsAdapter
from bioimageio_core.weights.keras import KerasAdapter, NetworkInLists
from bioimageio_core.weights.keras_files import KerasFile, read_keras_file

from .graph_network import GraphNetwork, one_line, use_device

__all__ = ["LegacyKerasAdapter", "load_keras_2", "open_keras_file", "refuse_functions"]

FUNCTIONS = re.compile(
    r"add|cast|clip_by_value|concat|convert_to_tensor|divide|equal|exp|expand_dims|gather|greater|identity|less|maximum|minimum|multiply"
    r"|negative|ones_like|pad|pow|reduce_(max|mean|min|sum)|repeat|reshape|reverse|shape|slice|split|sqrt|square|squeeze|stack"
    r"|stop_gradient|subtract|tile|transpose|unstack|where|zeros_like|(__operators__|image|linalg|math|nn|keras\.backend)\.[\w.]+"
    r"|compat\.v1\.(shape|transpose)"
)
"""Functions of TensorFlow that a network may call: they compute, others open files."""


def open_keras_file(context: AdapterContext) -> WeightsAdapter:
    """Return an adapter for a Keras file.

    Keras 3 comes first, on PyTorch or JAX where the library prefers them; it reads most HDF5 files of Keras 2, and no ``.keras`` files
    of it.

    Raises:
        ModelRunError: Neither reads it.

    """
    file = read_keras_file(context.path)
    if file.major in (1, 2) and file.kind == "keras":
        return LegacyKerasAdapter(context, file)
    try:
        return KerasAdapter(context)
    except ModelRunError:
        if file.major > 2:
            raise
    return LegacyKerasAdapter(context, file)


class LegacyKerasAdapter(GraphNetwork):
    """A network of Keras 1 or 2 at inference, on TensorFlow."""

    def __init__(self, context: AdapterContext, file: KerasFile) -> None:
        import tf_keras

        device = use_device(context)
        with tf.device(device):
            model = load_keras_2(file)
            network = NetworkInLists(tf_keras, model, context.input_ids, context.output_ids, file.path.name)
        function = tf.function(lambda *given: network(list(given)), autograph=False, reduce_retracing=True)
        super().__init__(context, device, model, function)


def load_keras_2(file: KerasFile) -> Any:
    """Return the `tf_keras.Model` of a file, without what it was trained with.

    Raises:
        ModelRunError: Keras 2 cannot read it, or it calls functions that do more than compute.

    """
    import tf_keras

    refuse_functions(file.config, file.path.name)
    suffix = ".h5" if file.kind == "hdf5" else ".keras"
    try:
        with TemporaryDirectory(prefix="bmz-") as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what training would need
            path = Path(folder) / f"weights{suffix}"  # Keras goes by the name
            path.symlink_to(file.path.resolve())
            return tf_keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises what comes up
        written = f"Keras {file.keras_version}" if file.keras_version else "an unknown Keras"
        raise ModelRunError(
            f"neither Keras 3 nor Keras {tf_keras.__version__} can load {file.path.name}, which {written} wrote: {one_line(error)}"
        ) from error


def refuse_functions(config: Any, name: str) -> None:
    """Refuse a network whose configuration calls functions of TensorFlow that do more than compute.

    Raises:
        ModelRunError: Names the function.

    """
    for function in _functions(config):
        if FUNCTIONS.fullmatch(function) is None:
            raise ModelRunError(
                f"{name} calls the function {function[:60]} of TensorFlow, which is not part of networks: expected functions that compute"
            )


def _functions(tree: Any) -> Iterator[str]:
    """Yield the functions that layers of Keras 2 call by name."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.get("class_name") in ("TFOpLambda", "ClassMethod", "InstanceMethod", "InstanceProperty", "TensorFlowOpLayer"):
                settings = node.get("config") or {}
                yield str(settings.get("function") or settings.get("method_name") or settings.get("attr_name") or settings.get("node_def"))
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
