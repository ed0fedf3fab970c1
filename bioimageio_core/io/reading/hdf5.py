"""Datasets of HDF5 files that the user opened, in other processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import InputError

__all__ = ["open_dataset", "reopening"]


def reopening(dataset: Any) -> tuple[Any, ...]:
    """Return a function and its arguments, as `pickle` takes them, that open an ``h5py.Dataset`` in another process.

    Raises:
        InputError: The file is in memory, or open for writing, so that other processes may not see what it holds.

    """
    file = dataset.file
    if not Path(file.filename).is_file():
        raise InputError(f"HDF5 dataset {dataset.name} is not in a file on disk, so workers cannot read it: give it as an array")
    if file.mode != "r":
        raise InputError(f"{file.filename} is open for writing, so workers cannot read it: open it with h5py.File(path, 'r')")
    return open_dataset, (str(Path(file.filename).resolve()), dataset.name)


def open_dataset(path: str, name: str) -> Any:
    """Open a dataset of an HDF5 file."""
    import h5py

    return h5py.File(path, "r")[name]
