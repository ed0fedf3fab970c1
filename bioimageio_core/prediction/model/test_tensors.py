"""The test tensors of a model."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError
from .loaded_model import LoadedModel
from .tensor_spec import TensorIO

__all__ = ["load_npy", "load_test_inputs", "load_test_outputs", "test_tensor_paths"]


def load_test_inputs(model: LoadedModel) -> dict[str, NDArray[Any]]:
    """Return the test inputs by id, without optional inputs that have none.

    Raises:
        SourceError: A test tensor is missing, or its file is no readable ``.npy`` file.

    """
    return {t.id: _load(t, model) for t in model.io.inputs if t.test_tensor is not None or not t.optional}


def load_test_outputs(model: LoadedModel) -> dict[str, NDArray[Any]]:
    """Return the test outputs by id.

    Raises:
        SourceError: A test tensor is missing, or its file is no readable ``.npy`` file.

    """
    return {t.id: _load(t, model) for t in model.io.outputs}


def test_tensor_paths(model: LoadedModel) -> dict[str, Path]:
    """Return the local paths of the test tensors by source.

    Raises:
        SourceError: A test tensor is missing.

    """
    files = [t.test_tensor for t in (*model.io.inputs, *model.io.outputs) if t.test_tensor is not None]
    return {file.source: model.package.local(file.source) for file in files}


test_tensor_paths.__test__ = False  # type: ignore[attr-defined]  # pytest collects functions of this name


def _load(tensor: TensorIO, model: LoadedModel) -> NDArray[Any]:
    if tensor.test_tensor is None:
        raise SourceError(f"tensor {tensor.id!r} of {model.io.name!r} has no test tensor, so it cannot be tested: expected a .npy file")
    array = load_npy(model.package.local(tensor.test_tensor.source, sha256=tensor.test_tensor.sha256))
    if array.ndim != len(tensor.axes):
        raise SourceError(
            f"the test tensor {tensor.test_tensor.source} of {tensor.id!r} has {array.ndim} axes (shape {array.shape}): "
            f"expected {len(tensor.axes)} ({', '.join(tensor.axis_ids)})"
        )
    return array


def load_npy(path: Path) -> NDArray[Any]:
    """Return the array of a ``.npy`` file without running pickled code.

    Raises:
        SourceError: The file is no readable ``.npy`` file.

    """
    try:
        array: NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise SourceError(f"{path.name} is no readable .npy file: {error}") from None
    if not isinstance(array, np.ndarray):
        raise SourceError(f"{path.name} is an archive of arrays: expected a .npy file")
    return array
