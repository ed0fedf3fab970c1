"""Keras files on Keras 3, whatever its backend.

Public: plugins that read further Keras files use this adapter for the files that Keras 3 reads.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelRunError
from ..registry import AdapterContext
from ..text import in_brief
from .keras_backend import compiled, device_name, import_keras, without_gradients
from .keras_files import KerasFile, read_keras_file

__all__ = ["KerasAdapter", "NetworkInLists", "load_keras_3"]

LAYERS_WITHOUT_GROUPS = ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "DepthwiseConv1D", "DepthwiseConv2D")
"""Layers for which Keras 2 writes ``groups``, always 1, which Keras 3 does not accept."""


class KerasAdapter:
    """A network of Keras 3 at inference; `__call__` may run in several threads at once.

    Described inputs and outputs are matched with those of the network by position, whatever their names;
    only if the network takes or returns a mapping with the described ids as keys are they matched by id.
    """

    def __init__(self, context: AdapterContext) -> None:
        file = read_keras_file(context.path)
        keras = import_keras()
        self._keras = keras
        self._device = device_name(keras, context.device, context.threads)
        with keras.device(self._device):
            self.native = load_keras_3(keras, file)
            network = NetworkInLists(keras, self.native, context.input_ids, context.output_ids, file.path.name)
        self._network = compiled(keras, network)

    def __call__(self, inputs: Sequence[NDArray[Any] | None]) -> list[NDArray[Any]]:
        """Run the network; see `bioimageio_core.registry.WeightsAdapter`."""
        keras = self._keras
        try:
            with keras.device(self._device), without_gradients(keras):
                given = [None if a is None else keras.ops.convert_to_tensor(np.ascontiguousarray(a)) for a in inputs]
                return [np.asarray(keras.ops.convert_to_numpy(output)) for output in self._network(given)]
        except Exception as error:  # Keras passes on what its backends raise
            shapes = ", ".join("none" if a is None else f"{a.dtype} {a.shape}" for a in inputs)
            raise ModelRunError(f"the Keras network failed on inputs {shapes}: {_cause(error)}") from error

    def close(self) -> None:
        """Free the network; its layers refer to each other, so that only garbage collection frees them."""
        del self.native, self._network
        gc.collect()


class NetworkInLists:
    """A Keras network that takes and returns lists in described order.

    Args:
        keras: The Keras that made it.
        model: The network.
        input_ids: Ids of the described inputs.
        output_ids: Ids of the described outputs.
        name: Name of the file in messages.

    Raises:
        ModelRunError: The network takes more inputs than are described, or its inputs are not known.

    """

    def __init__(self, keras: Any, model: Any, input_ids: Sequence[str], output_ids: Sequence[str], name: str) -> None:
        inputs, outputs = (list(getattr(model, end, None) or ()) for end in ("inputs", "outputs"))
        if not inputs or not outputs:
            raise ModelRunError(f"{name} does not define the inputs of its network: expected a built network, sequential or functional")
        if len(inputs) > len(input_ids):
            raise ModelRunError(
                f"the network in {name} takes {len(inputs)} inputs ({', '.join(_name(i) for i in inputs)}), "
                f"the description has {len(input_ids)} ({', '.join(input_ids)})"
            )
        position = {id(tensor): n for n, tensor in enumerate(inputs)}  # tensors of Keras compare element by element
        self._order = [position[id(tensor)] for tensor in _by_id(getattr(model, "input", None), inputs, input_ids)]
        self.inputs = [inputs[n] for n in self._order]
        """Tensors of Keras, in described order."""

        self._model = keras.Model(inputs, _by_id(getattr(model, "output", None), outputs, output_ids))

    def __call__(self, given: list[Any]) -> list[Any]:
        """Return the outputs of tensors of the backend."""
        ordered: list[Any] = [None] * len(self._order)
        for position, tensor in zip(self._order, given, strict=False):
            ordered[position] = tensor
        outputs = self._model(ordered, training=False)
        return list(outputs) if isinstance(outputs, list | tuple) else [outputs]  # Keras unwraps a list of one


def load_keras_3(keras: Any, file: KerasFile) -> Any:
    """Return the `keras.Model` of a file, without optimizer and losses.

    Raises:
        ModelRunError: Keras 3 cannot read it.

    """
    objects = {name: _without_groups(getattr(keras.layers, name)) for name in LAYERS_WITHOUT_GROUPS if hasattr(keras.layers, name)}
    suffix = ".h5" if file.kind == "hdf5" else ".keras"
    try:
        with TemporaryDirectory(prefix="bmz-") as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what training would need
            path = file.path
            if path.suffix != suffix:  # Keras goes by the name
                path = Path(folder) / f"weights{suffix}"
                path.symlink_to(file.path.resolve())
            model = keras.models.load_model(path, custom_objects=objects, compile=False, safe_mode=True)
    except Exception as error:  # Keras passes on errors of many kinds
        raise ModelRunError(f"Keras {keras.__version__} cannot load {file.path.name}{_advice(file)}: {_cause(error)}") from error
    return model


def _advice(file: KerasFile) -> str:
    if file.major > 2:
        return f", which Keras {file.keras_version} wrote"
    written = f"Keras {file.keras_version}" if file.keras_version else "an old Keras"
    return f", which {written} wrote (the plugin bioimageio-runtime-tensorflow reads files of Keras 1 and 2)"


def _without_groups(layer: Any) -> Any:
    """Return a class whose `from_config` makes the original layer of Keras from a configuration of Keras 2."""

    def from_config(_cls: Any, config: dict[str, Any]) -> Any:
        if config.get("groups", 1) != 1:
            raise ValueError(f"{layer.__name__} with {config['groups']} groups is not known to Keras 3")
        return layer.from_config({key: value for key, value in config.items() if key != "groups"})

    return type(layer.__name__, (layer,), {"from_config": classmethod(from_config)})


def _by_id(structure: Any, tensors: list[Any], ids: Sequence[str]) -> list[Any]:
    """Return the tensors of a mapping whose keys are the ids in described order, and other tensors unchanged.

    Sequential networks have no structure, only tensors.
    """
    if isinstance(structure, dict) and {*structure} == {*ids} and {id(t) for t in structure.values()} == {id(t) for t in tensors}:
        return [structure[i] for i in ids]
    return tensors


def _name(tensor: Any) -> str:
    return str(getattr(tensor, "name", "?"))


def _cause(error: BaseException) -> str:
    """Return the cause in one line: Keras puts the configuration first."""
    return in_brief(str(error).rpartition("Exception encountered: ")[2].strip() or error)
