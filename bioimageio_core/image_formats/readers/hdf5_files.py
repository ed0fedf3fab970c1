"""HDF5 files, local or on a server, and datasets in them as arrays."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import MissingRequirementError, SourceError
from ...io.locations import file_system, local_path

if TYPE_CHECKING:
    import h5py

__all__ = ["DatasetArray", "attribute", "begins_like_hdf5", "dataset_at", "opened_hdf5"]

SIGNATURE = b"\x89HDF\r\n\x1a\n"
"""The first bytes of an HDF5 file; with a block of the user before them, they come later."""

DAMAGE = {
    "signature not found": "it does not begin as such files do",
    "truncated": "it ends early",
    "read data": "a chunk of its pixels is damaged",
}
"""What is wrong with a file, by words of HDF5."""

HERE = "."
"""What virtual datasets call the file that they are in."""


class DatasetArray:
    """Datasets of one shape as an array: one, or several along leading axes.

    Args:
        location: Path or URL of the file.
        paths: Path of each dataset in the file, those of the last leading axis first.
        lead: Sizes of the leading axes; empty for a single dataset.
        shape: Sizes of the other axes, where datasets are larger, because chunks fill them up; None for those of the first dataset.
        unsigned: Whether integers are without sign, although the file declares them with one.

    """

    def __init__(
        self,
        location: str,
        paths: Sequence[str],
        lead: tuple[int, ...] = (),
        shape: tuple[int, ...] | None = None,
        unsigned: bool = False,
    ) -> None:
        self._file, self._opened = _open(location)
        self._location, self._paths, self._lead = location, tuple(paths), lead
        self._datasets: dict[str, h5py.Dataset] = {}
        try:
            first = self._dataset(self._paths[0])
            stored = first.dtype
            self.dtype = np.dtype(stored.str.replace("i", "u")) if unsigned and stored.kind == "i" else stored
            self._inner = first.shape if shape is None else shape
            self.chunks = None if first.chunks is None else (*(1 for _ in lead), *first.chunks)
        except BaseException:
            self.close()
            raise
        self.shape = (*lead, *self._inner)

    def close(self) -> None:
        """Close the file."""
        self._datasets.clear()
        _close(self._file, self._opened)

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        with _damage(self._location):
            return self._region(index)

    def _region(self, index: tuple[slice, ...]) -> NDArray[Any]:
        count = len(self._lead)
        if not count:
            return np.asarray(self._dataset(self._paths[0])[index]).view(self.dtype)
        out = np.empty([s.stop - s.start for s in index], self.dtype)
        for position in product(*(range(s.start, s.stop) for s in index[:count])):
            dataset = self._dataset(self._paths[int(np.ravel_multi_index(position, self._lead))])
            out[tuple(n - s.start for n, s in zip(position, index, strict=False))] = dataset[index[count:]].view(self.dtype)
        return out

    def _dataset(self, path: str) -> h5py.Dataset:
        if path not in self._datasets:
            dataset = dataset_at(self._file, path, self._location)
            _check_filters(dataset, self._location)
            first = next(iter(self._datasets.values()), dataset)
            if (dataset.shape, dataset.dtype) != (first.shape, first.dtype):
                raise SourceError(
                    f"{self._location} has parts of different kinds: expected {first.shape} of {first.dtype} as in {first.name}, "
                    f"found {dataset.shape} of {dataset.dtype} in {dataset.name}"
                )
            self._datasets[path] = dataset
        return self._datasets[path]


@contextmanager
def opened_hdf5(location: str) -> Iterator[h5py.File]:
    """Open a file for reading, and close it afterwards.

    Args:
        location: Path or URL of the file.

    """
    file, opened = _open(location)
    try:
        yield file
    finally:
        _close(file, opened)


def begins_like_hdf5(location: str) -> bool:
    """Return whether there is a file that begins like HDF5."""
    try:
        files, path = file_system(location)
        with files.open(path, "rb") as file:
            return bool(file.read(len(SIGNATURE)) == SIGNATURE)
    except Exception:  # there is a folder, or nothing
        return False


def dataset_at(file: h5py.File, path: str, location: str) -> h5py.Dataset:
    """Return a dataset of a file.

    Args:
        file: The open file.
        path: Path in the file.
        location: Path or URL of the file, for messages.

    Raises:
        SourceError: There is no such dataset, or its pixels lie in another file.

    """
    import h5py

    dataset = file.get(path)
    if not isinstance(dataset, h5py.Dataset):
        raise SourceError(f"{location} holds no dataset {path}")
    if dataset.file.filename != file.filename:
        raise SourceError(f"{path} of {location} is a link into {dataset.file.filename}: give this file as the image")
    if dataset.external:
        raise SourceError(
            f"{path} of {location} lies in {dataset.external[0][0]}, which is no HDF5 file: expected pixels in the file itself"
        )
    elsewhere = [one.file_name for one in dataset.virtual_sources() if one.file_name != HERE] if dataset.is_virtual else []
    if elsewhere:
        raise SourceError(
            f"{path} of {location} shows pixels of other files, such as {elsewhere[0]}: give one of them, or the dataset as h5py opens it"
        )
    return dataset


def attribute(node: Any, name: str) -> Any:
    """Return an attribute of a group or dataset as a number, a text or a list of these; None where it is missing or cannot be read.

    An array of single characters, as Imaris writes texts, is a text.
    """
    try:
        value = node.attrs.get(name)
    except Exception:  # of types that numpy lacks
        return None
    if isinstance(value, np.ndarray) and value.dtype.kind == "S" and value.dtype.itemsize == 1:
        value = value.tobytes()
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return [_text(one) for one in value] if isinstance(value, list) else _text(value)


def _text(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _open(location: str) -> tuple[h5py.File, Any]:
    """Open a file; return also what h5py reads it through."""
    import h5py

    local = local_path(location)
    if local is not None:
        with _damage(location):
            return h5py.File(local, "r"), None
    files, path = file_system(location)
    opened = files.open(path, "rb")
    try:
        with _damage(location):
            return h5py.File(opened, "r"), opened
    except BaseException:
        opened.close()
        raise


@contextmanager
def _damage(location: str) -> Iterator[None]:
    """Say in one sentence what HDF5 reports for a damaged file."""
    try:
        yield
    except OSError as error:
        if type(error) is not OSError or error.errno is not None:  # of the system or a server: there is no file, or it may not be read
            raise
        reason = next((said for key, said in DAMAGE.items() if key in str(error)), "it is damaged")
        raise SourceError(f"{location} cannot be read as HDF5: {reason}; fetch it again, or restore it from a backup") from error


def _close(file: h5py.File, opened: Any) -> None:
    file.close()
    if opened is not None:
        opened.close()


def _check_filters(dataset: h5py.Dataset, location: str) -> None:
    """Refuse a dataset that is compressed in a way which HDF5 knows only with the package hdf5plugin."""
    from h5py import h5z

    created = dataset.id.get_create_plist()
    filters = [created.get_filter(n) for n in range(created.get_nfilters())]
    for number, _, _, name in filters:
        if h5z.filter_avail(number):
            continue
        with contextlib.suppress(ImportError):
            importlib.import_module("hdf5plugin")
        if not h5z.filter_avail(number):
            raise MissingRequirementError(
                f"{dataset.name} of {location} is compressed with the filter {_text(name) or number}: pip install hdf5plugin"
            )
