"""Reads N5 folders, also of BigDataViewer and BigStitcher."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError
from ...file_kinds import stem
from ...io import Image, Scene, SceneChoice, choose_scene, lazy_image
from ...io.locations import local_path
from ...io.reading.image import check_number_of_pixels
from ...io.reading.scenes import FOR_ALL
from ...text import in_brief
from ...typing import FrozenMapping
from .n5_folders import N5Node, attributes_at, images_in
from .n5_labels import labels_of_n5
from .paths_within import path_within

__all__ = ["N5Reader"]

SUFFIXES = (".n5",)


@attrs.frozen
class N5Reader:
    """Reads local N5 folders with TensorStore: the images in a folder are its scenes, by their paths."""

    def sniff(self, location: str) -> bool:
        """Return whether there is an image at a path."""
        try:
            return bool(self._found(location)[2])
        except Exception:  # of a folder of another kind
            return False

    def scenes(self, location: str) -> Sequence[Scene]:
        """Return datasets, groups of levels, and setups of BigDataViewer over all their timepoints.

        A path to one of several tells them apart in names of outputs, too.
        """
        root, path, nodes = self._found(location)
        several = len(nodes) > 1 or (path != "" and len({node.path for node in (*nodes, *images_in(root, ""))}) > 1)
        return tuple(
            Scene(
                number=number,
                name=node.path.removeprefix(path).strip("/") or node.path,
                fields=FrozenMapping({"scene": node.path or "0"} if several else {}),
            )
            for number, node in enumerate(nodes)
        )

    def open(self, location: str, scene: SceneChoice, level: int | None) -> Image:
        """Open a dataset, a group of levels or a setup; blocks of a region are read, and nothing else.

        Raises:
            SourceError: There is no such image or level, or its metadata cannot be read.

        """
        root, _, nodes = self._found(location)
        if not nodes:
            raise SourceError(f"{location} holds no image: expected a folder with attributes.json that describes an N5 dataset")
        scenes = self.scenes(location)
        chosen = choose_scene(scenes, scene, location, other_way=f", or give {root}/{nodes[0].path}{FOR_ALL}")
        node = nodes[chosen.number]
        number = level or 0
        if not 0 <= number < len(node.levels):
            raise SourceError(f"{location} has {len(node.levels)} levels, counted from 0: found level {number}")
        paths = tuple(f"{time}/{node.levels[number]}".strip("/") for time in node.timepoints)
        declared = attributes_at(root, paths[0])
        labels = labels_of_n5(root, paths[0])
        lead = (len(paths),) if len(paths) > 1 else ()
        shape = tuple(int(size) for size in reversed(declared["dimensions"]))
        check_number_of_pixels((*lead, *shape), location)
        spatial = labels.axes
        return lazy_image(
            N5Array,
            root,
            paths,
            lead,
            axes=None if spatial is None else (*(("time",) if lead else ()), *spatial),
            name=stem(root) + (f" ({node.path})" if chosen.fields else ""),
            part=paths[0],
            pixel_size=labels.pixel_size,
            chunks=(*(1 for _ in lead), *(int(size) for size in reversed(declared["blockSize"]))),
        )

    def _found(self, location: str) -> tuple[str, str, tuple[N5Node, ...]]:
        """Return the folder of the container, the path in it, and the images there."""
        container, path = path_within(location, SUFFIXES, folders=True)
        root = local_path(container)
        if root is None:
            raise SourceError(f"{location} is a URL, but N5 is read from local folders: download it first")
        return root, path, images_in(root, path)


class N5Array:
    """Datasets of one shape as an array, with axes from the slowest to the fastest, as in numpy: one, or several along a leading axis.

    Args:
        root: Path of the container.
        paths: Paths of the datasets in it.
        lead: The number of datasets, if there are several.

    """

    def __init__(self, root: str, paths: Sequence[str], lead: tuple[int, ...]) -> None:
        self._root, self._paths, self._lead = root, tuple(paths), lead
        self._opened: dict[str, Any] = {}
        first = self._dataset(self._paths[0])
        self.shape = (*lead, *(int(size) for size in first.shape))
        self.dtype = np.dtype(first.dtype.numpy_dtype)

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        if not self._lead:
            return np.asarray(self._result(self._dataset(self._paths[0])[index].read()))
        out = np.empty([s.stop - s.start for s in index], self.dtype)
        pending = [self._dataset(path)[index[1:]].read() for path in self._paths[index[0]]]
        for n, part in enumerate(pending):
            out[n] = self._result(part)
        return out

    def _dataset(self, path: str) -> Any:
        if path not in self._opened:
            import tensorstore

            where = {"driver": "file", "path": f"{self._root}/{path}".rstrip("/") + "/"}
            dataset = self._result(tensorstore.open({"driver": "n5", "kvstore": where}, open=True, read=True)).T
            first = next(iter(self._opened.values()), dataset)
            if (dataset.shape, dataset.dtype) != (first.shape, first.dtype):
                raise SourceError(
                    f"{self._root} has timepoints of different kinds: expected {tuple(first.shape)} of {first.dtype.name}, "
                    f"found {tuple(dataset.shape)} of {dataset.dtype.name} in {path}"
                )
            self._opened[path] = dataset
        return self._opened[path]

    def _result(self, future: Any) -> Any:
        try:
            return future.result()
        except ValueError as error:  # with all settings of TensorStore at its end
            reason = str(error).partition(" [tensorstore_spec=")[0].partition(" [source locations=")[0]
            raise SourceError(f"{self._root} cannot be read: {in_brief(reason)}") from error
