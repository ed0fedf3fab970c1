"""Images of BigDataViewer in HDF5 files: a setup over all timepoints, at several levels, with what the XML file beside it tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import attrs

from ...errors import SourceError
from ...file_kinds import stem
from ...io import Image, Scene, SceneChoice, choose_scene, lazy_image
from ...io.locations import file_system, join, parent
from ...io.reading.image import PixelSize
from ...io.reading.scenes import FOR_ALL
from ...typing import AxisId, FrozenMapping
from ...units import in_named_unit
from .hdf5_attributes import Labels
from .hdf5_files import DatasetArray, dataset_at

if TYPE_CHECKING:
    import h5py

__all__ = ["Setup", "bdv_labels", "bdv_setups", "is_bdv", "open_bdv", "setups_of_xml"]

TIMEPOINT = re.compile(r"t(\d{5,})")
SETUP = re.compile(r"s(\d{2,})")
CELLS = re.compile(r"t\d{5,}/s\d{2,}/\d+/cells")

FACTORS = "resolutions"
"""Name of the dataset with the factors of each level along x, y and z."""


@attrs.frozen(kw_only=True)
class Setup:
    """What an XML file tells about a setup."""

    name: str = ""
    voxel_size: FrozenMapping[AxisId, PixelSize] = FrozenMapping()
    """Sizes of pixels of the finest level along x, y and z; empty where they are not known."""


def is_bdv(file: h5py.File) -> bool:
    """Return whether a file has setups and timepoints of BigDataViewer."""
    return bool(_setup_groups(file)) and bool(_timepoints(file))


def bdv_setups(file: h5py.File, location: str) -> tuple[Scene, ...]:
    """Return the setups of a file as scenes."""
    told = setups_of_xml(_xml_beside(location))
    groups = _setup_groups(file)
    return tuple(
        Scene(
            number=number,
            name=told.get(_number(group), Setup()).name or group,
            summary=f"setup {group} of BigDataViewer",
            fields=FrozenMapping({"scene": group} if len(groups) > 1 else {}),
        )
        for number, group in enumerate(groups)
    )


def bdv_labels(file: h5py.File, path: str) -> Labels | None:
    """Return the axes of one timepoint of a setup; None for a path to any other dataset."""
    return Labels(axes=("z", "y", "x")) if CELLS.fullmatch(path) and is_bdv(file) else None


def open_bdv(file: h5py.File, location: str, scene: SceneChoice, level: int | None) -> Image:
    """Open a setup: axes are z, y and x, with time before them where there are several timepoints.

    BigDataViewer writes integers without sign as integers with a sign, and reads them as they were.

    Args:
        file: The open file.
        location: Path or URL of the file.
        scene: Number or name of the setup; None for the only one.
        level: Level of the pyramid, 0 (the finest) where None.

    Raises:
        SourceError: There is no such setup or level, a timepoint lacks the setup, or its pixels lie in another file.

    """
    chosen = choose_scene(bdv_setups(file, location), scene, location, other_way=FOR_ALL)
    groups = _setup_groups(file)
    group = groups[chosen.number]
    factors = file[group][FACTORS][()]
    number = level or 0
    if not 0 <= number < len(factors):
        raise SourceError(f"{location} has {len(factors)} levels, counted from 0: found level {number}")
    paths = [f"{time}/{group}/{number}/cells" for time in _timepoints(file)]
    missing = [path for path in paths if path not in file]
    if missing:
        raise SourceError(f"{location} lacks {missing[0]}: expected every setup at every timepoint")
    first = dataset_at(file, paths[0], location)
    lead = (len(paths),) if len(paths) > 1 else ()
    voxel = setups_of_xml(_xml_beside(location)).get(_number(group), Setup()).voxel_size
    sizes = {
        axis: (voxel[axis][0] * float(factor), voxel[axis][1]) for axis, factor in zip("xyz", factors[number], strict=True) if axis in voxel
    }
    return lazy_image(
        DatasetArray,
        location,
        tuple(paths),
        lead,
        None,
        True,
        axes=(*(("time",) if lead else ()), "z", "y", "x"),
        name=stem(location) + (f" ({group})" if len(groups) > 1 else ""),
        part=f"{group}/{number}",
        pixel_size=sizes,
        chunks=None if first.chunks is None else (*(1 for _ in lead), *first.chunks),
    )


def setups_of_xml(location: str | None) -> Mapping[int, Setup]:
    """Return what an XML file of BigDataViewer tells about each setup, by its number; nothing where it is missing or cannot be read."""
    if location is None:
        return {}
    try:
        files, path = file_system(location)
        with files.open(path, "rb") as file:
            root = ET.parse(file).getroot()  # noqa: S314 (expat bounds what entities expand to)
        return {int(setup.findtext("id", "")): _setup(setup) for setup in root.iter("ViewSetup")}
    except Exception:  # nothing there, no XML, or a server that answers with an error
        return {}


def _setup(element: ET.Element) -> Setup:
    unit = element.findtext("voxelSize/unit")
    sizes = [float(one) for one in element.findtext("voxelSize/size", "").split()]
    named: dict[AxisId, Any] = {axis: in_named_unit(size, unit) for axis, size in zip("xyz", sizes, strict=False)}
    # Without a unit of length, as in "pixel", sizes are those that BigDataViewer writes where it does not know them.
    return Setup(name=element.findtext("name", "").strip(), voxel_size=FrozenMapping({a: s for a, s in named.items() if s[1] is not None}))


def _xml_beside(location: str) -> str | None:
    folder = parent(location)
    return f"{stem(location)}.xml" if folder is None else join(folder, f"{stem(location)}.xml")


def _setup_groups(file: h5py.File) -> list[str]:
    """Return the names of the groups of setups, which hold the factors of their levels."""
    names = [name for name in file if SETUP.fullmatch(name)]
    return sorted((name for name in names if f"{name}/{FACTORS}" in file), key=_number)


def _timepoints(file: h5py.File) -> list[str]:
    return sorted((name for name in file if TIMEPOINT.fullmatch(name)), key=_number)


def _number(name: str) -> int:
    return int(name[1:])
