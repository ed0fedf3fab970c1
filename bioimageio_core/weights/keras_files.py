"""The configuration of Keras files, read without Keras: the version that wrote them, and whether they would run code.

Public: adapters of plugins check files here before they pass them to a version of Keras.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import attrs

from ..errors import ModelRunError
from ..text import in_brief
from .archives import check_archive

__all__ = ["KerasFile", "check_keras_config", "read_keras_file"]

LARGEST_CONFIG = 64 << 20
"""Largest configuration in bytes; it describes layers, without parameters."""

RUNS_CODE = frozenset({"Lambda", "__lambda__", "FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"})
"""Classes that are made from pickled or marshalled Python, or from a program in a different file."""

OPENS_FILES = frozenset({"ckpt_to_load_from", "file_path", "filename", "filepath", "idf_weights", "path", "vocabulary", "vocabulary_file"})
"""Settings of layers that are numbers or lists, or names of files that the layer would read, anywhere on the machine."""

KNOWN_PACKAGES = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras")

KNOWN_PARTS = re.compile(
    "activations|constraints|dtype_policies|engine|initializers|layers|losses|metrics|mixed_precision|models|ops|optimizers|quantizers"
    "|regularizers"
)
"""Modules of Keras with the classes of networks; the others have functions that open files and URLs."""


@attrs.frozen(kw_only=True)
class KerasFile:
    """A Keras file with a network that runs no code of its own."""

    path: Path
    kind: Literal["hdf5", "keras"]
    """HDF5 or a ``.keras`` zip, by the content of the file, whatever its name."""

    keras_version: str
    """Version of the Keras that wrote it; empty where it is not known."""

    config: Any
    """The network as a tree."""

    @property
    def major(self) -> int:
        """Major version of the Keras that wrote it; 0 where it is not known."""
        found = re.match(r"\d+", self.keras_version)
        return int(found[0]) if found else 0


def read_keras_file(path: str | Path) -> KerasFile:
    """Read the configuration of a Keras file, and refuse one that would run code.

    Raises:
        ModelRunError: The file is not a Keras file, is broken, holds parameters alone, or names code.

    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(8)
        if start == b"\x89HDF\r\n\x1a\n":
            kind, (version, text) = "hdf5", _of_hdf5(path)
        elif start.startswith(b"PK"):
            kind, (version, text) = "keras", _of_zip(path)
        else:
            raise ModelRunError(f"{path.name} is not a Keras file: expected an HDF5 file or a .keras file")
        config = json.loads(text)
    except ModelRunError:
        raise
    except Exception as error:  # of zipfile, its decompressors, h5py and json
        raise ModelRunError(f"{path.name} cannot be read as a Keras file: {in_brief(error)}") from None
    check_keras_config(config, path.name)
    return KerasFile(path=path, kind=kind, keras_version=version, config=config)  # type: ignore[arg-type]


def check_keras_config(config: Any, name: str) -> None:
    """Refuse a network that would run code from its file, read other files, or call functions that are not part of networks.

    Its optimizer, loss and metrics are not looked at, since Keras leaves them out without compilation; those of networks within it are
    compiled nevertheless.

    Args:
        config: The configuration that Keras would build, as a tree.
        name: Name of the file in messages.

    Raises:
        ModelRunError: The network has such a class or setting; the message names it, and what to do.

    """
    built = {key: value for key, value in config.items() if key != "compile_config"} if isinstance(config, dict) else config
    for node in _nodes(built):
        made = node.get("class_name")
        if made in RUNS_CODE:
            raise ModelRunError(
                f"{name} holds a {made} layer, which is Python code in the weights and is never run: "
                "replace it by layers of Keras and save the network again, or save it as ONNX or SavedModel"
            )
        settings = node.get("config")
        for key, value in settings.items() if isinstance(settings, dict) else ():
            if key in OPENS_FILES and isinstance(value, str):
                raise ModelRunError(
                    f"{name} holds a {made} layer that reads the file {in_brief(value)} ({key}), and is not loaded, since it could "
                    "read any file: save the network with what the file holds, or as ONNX or SavedModel"
                )
        module = node.get("module")
        if isinstance(made, str) and module is not None and not _is_known(str(module), made, node.get("config")):
            raise ModelRunError(f"{name} names {made} of the module {module}, which is no part of Keras networks: expected layers of Keras")


def _is_known(module: str, made: str, config: Any) -> bool:
    if module == "builtins":  # Keras writes its own functions so, by name
        return made == "function" and isinstance(config, str) and config.isidentifier()
    package = next((p for p in KNOWN_PACKAGES if module == p or module.startswith(f"{p}.")), None)
    if package is None:
        return False
    parts = [part for part in module.removeprefix(package).split(".") if part not in ("", "src")]
    return not parts or KNOWN_PARTS.fullmatch(parts[0]) is not None


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield all mappings of a tree, at any depth."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _of_hdf5(path: Path) -> tuple[str, str]:
    import h5py

    with h5py.File(path, "r") as file:
        version, config = _text(file.attrs.get("keras_version", "")), file.attrs.get("model_config")
        if config is None:
            what = "parameters without the network that they belong to" if "layer_names" in file.attrs else "no Keras network"
            raise ModelRunError(
                f"{path.name} holds {what}: expected the attribute 'model_config', which save() writes and save_weights() does not"
            )
        if "model_weights" not in file:
            raise ModelRunError(f"{path.name} holds a network without its parameters: expected the group 'model_weights'")
        return version, _text(config)


def _of_zip(path: Path) -> tuple[str, str]:
    with zipfile.ZipFile(path) as archive:
        members = {name: info for info, name in check_archive(archive, path.name)}
        missing = {"metadata.json", "config.json", "model.weights.h5"} - {*members}
        if missing:
            raise ModelRunError(f"{path.name} is not a .keras file: expected {', '.join(sorted(missing))} in the zip")
        large = [name for name in ("metadata.json", "config.json") if members[name].file_size > LARGEST_CONFIG]
        if large:
            raise ModelRunError(f"{large[0]} in {path.name} is larger than {LARGEST_CONFIG >> 20} MiB, unlike that of a network")
        metadata = json.loads(archive.read("metadata.json"))
        return _text(metadata.get("keras_version", "")), archive.read("config.json").decode()


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
