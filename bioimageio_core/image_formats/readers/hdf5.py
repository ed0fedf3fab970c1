"""Reads datasets of HDF5 files, as ilastik, Fiji, BigDataViewer and others write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from ...errors import SourceError
from ...file_kinds import FILE_KINDS, stem
from ...io import Image, Scene, SceneChoice, check_single, choose_scene, lazy_image
from ...io.reading.image import check_number_of_pixels
from ...io.reading.scaled_values import with_scale
from ...io.reading.scenes import FOR_ALL
from ...typing import FrozenMapping
from .bdv import bdv_labels, bdv_setups, is_bdv, open_bdv
from .hdf5_attributes import labels_of_dataset
from .hdf5_files import DatasetArray, attribute, begins_like_hdf5, dataset_at, opened_hdf5
from .hdf5_search import image_paths
from .paths_within import path_within

if TYPE_CHECKING:
    import h5py

__all__ = ["HDF5Reader"]

SUFFIXES = tuple(suffix for suffix, kind in FILE_KINDS.items() if kind in ("HDF5", "NetCDF"))

SCALE = ("scale_factor", "add_offset", "_FillValue", "missing_value")
"""Attributes of integers that stand for other values."""


@attrs.frozen
class HDF5Reader:
    """Reads HDF5 files: the images in a file or group are its scenes, by their paths."""

    def sniff(self, location: str) -> bool:
        """Return whether a file begins like HDF5."""
        return begins_like_hdf5(path_within(location, SUFFIXES, folders=False)[0])

    def scenes(self, location: str) -> Sequence[Scene]:
        """Return the datasets of numbers with at least two axes, or the setups of BigDataViewer.

        A path to one of several datasets tells them apart in names of outputs, too.
        """
        file, path = path_within(location, SUFFIXES, folders=False)
        with opened_hdf5(file) as opened:
            return bdv_setups(opened, file) if not path and is_bdv(opened) else _scenes(opened, path, file)

    def open(self, location: str, scene: SceneChoice, level: int | None) -> Image:
        """Open a dataset, or a setup of BigDataViewer; chunks of a region are read, and nothing else.

        Raises:
            SourceError: There is no such dataset, it holds no image, or its pixels lie in another file.
            MissingRequirementError: It is compressed in a way that needs hdf5plugin.

        """
        file, path = path_within(location, SUFFIXES, folders=False)
        with opened_hdf5(file) as opened:
            if not path and is_bdv(opened):
                return open_bdv(opened, file, scene, level)
            check_single(None, level, location)
            paths = image_paths(opened, path, file)
            if not paths:
                raise SourceError(f"{location} holds no image: expected a dataset of numbers with at least two axes")
            scenes = _scenes(opened, path, file)
            one = choose_scene(scenes, scene, location, other_way=f", or give {file}:/{paths[0]}{FOR_ALL}")
            chosen = paths[one.number]
            dataset = dataset_at(opened, chosen, file)
            check_number_of_pixels(dataset.shape, f"{file}:/{chosen}")
            of_bdv = bdv_labels(opened, chosen)
            labels = of_bdv or labels_of_dataset(dataset)
            chunks = dataset.chunks
            attributes = {name: attribute(dataset, name) for name in SCALE}
        image = lazy_image(
            DatasetArray,
            file,
            (chosen,),
            (),
            None,
            of_bdv is not None,
            axes=labels.axes,
            name=f"{stem(file)} ({chosen})" if one.fields else stem(file),
            part=chosen,
            channel_names=labels.channel_names,
            pixel_size=labels.pixel_size,
            position=labels.position,
            chunks=chunks,
        )
        return with_scale(image, attributes)


def _scenes(file: h5py.File, path: str, location: str) -> tuple[Scene, ...]:
    """Return the datasets at a path in a file; of several in the file, each is named by its path."""
    chosen = image_paths(file, path, location)
    several = len(chosen) > 1 or (path != "" and len(image_paths(file, "", location)) > 1)
    return tuple(
        Scene(
            number=number,
            name=one.removeprefix(path).strip("/") or one,
            summary=f"{' x '.join(map(str, file[one].shape))}, {file[one].dtype}",
            fields=FrozenMapping({"scene": one} if several else {}),
        )
        for number, one in enumerate(chosen)
    )
