"""HDF5 files as ilastik, BigDataViewer and Imaris lay them out, written with h5py."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np

__all__ = ["XML", "axistags", "letters", "save_bdv", "save_imaris"]


def axistags(*axes: tuple[str, int, float]) -> str:
    """Return axes as vigra writes them: key, type and resolution."""
    written = [{"key": key, "typeFlags": kind, "resolution": size, "description": ""} for key, kind, size in axes]
    return json.dumps({"axes": written})


def save_bdv(path: Path, data: np.ndarray, *, setups: int = 1) -> None:
    """Write volumes (t, z, y, x) as BigDataViewer does: integers with a sign that stand for such without one, at two levels."""
    with h5py.File(path, "w") as file:
        for setup in range(setups):
            file[f"s{setup:02}/resolutions"] = np.array([[1, 1, 1], [2, 2, 1]], float)
            file[f"s{setup:02}/subdivisions"] = np.array([[4, 4, 4], [4, 4, 4]], np.int32)
            for time, volume in enumerate(data):
                stored = (volume + setup).view(np.int16)
                for level, one in enumerate((stored, stored[:, ::2, ::2])):
                    file.create_dataset(f"t{time:05}/s{setup:02}/{level}/cells", data=one, chunks=(1, 2, 2), compression="gzip")


XML = """<?xml version="1.0" encoding="UTF-8"?>
<SpimData version="0.2"><BasePath type="relative">.</BasePath><SequenceDescription>
<ImageLoader format="bdv.hdf5"><hdf5 type="relative">a.h5</hdf5></ImageLoader>
<ViewSetups>
<ViewSetup><id>0</id><name>nuclei</name><size>6 4 3</size><voxelSize><unit>{unit}</unit><size>0.5 0.25 2.0</size></voxelSize></ViewSetup>
<ViewSetup><id>1</id><name>membranes</name><size>6 4 3</size></ViewSetup>
</ViewSetups></SequenceDescription></SpimData>"""


def letters(text: str) -> np.ndarray:
    """Return a text as Imaris writes it."""
    return np.frombuffer(text.encode(), "S1")


def save_imaris(path: Path, data: np.ndarray) -> None:
    """Write an image (t, c, z, y, x) as Imaris does: at two levels, in datasets that chunks fill up."""
    with h5py.File(path, "w") as file:
        info = file.create_group("DataSetInfo/Image")
        extents = {"ExtMin0": "10", "ExtMax0": "13", "ExtMin1": "0", "ExtMax1": "1.25", "ExtMin2": "0", "ExtMax2": "6"}
        for name, text in {"X": "6", "Y": "5", "Z": "3", "Unit": "um", **extents}.items():
            info.attrs[name] = letters(text)
        for channel in range(data.shape[1]):
            file.create_group(f"DataSetInfo/Channel {channel}").attrs["Name"] = letters(f"dye {channel}")
        for level, step in enumerate((1, 2)):
            for time, channels in enumerate(data):
                for channel, volume in enumerate(channels):
                    one = volume[:, ::step, ::step]
                    group = file.create_group(f"DataSet/ResolutionLevel {level}/TimePoint {time}/Channel {channel}")
                    for axis, size in zip("ZYX", one.shape, strict=True):
                        group.attrs[f"ImageSize{axis}"] = letters(str(size))
                    stored = np.pad(one, [(0, 1), (0, 8 - one.shape[1]), (0, 8 - one.shape[2])])
                    group.create_dataset("Data", data=stored, chunks=(4, 4, 4), compression="gzip")
