"""Kinds of files by the endings of their names."""

from __future__ import annotations

from .typing import FrozenMapping

__all__ = ["FILE_KINDS", "IMAGES", "N5", "WEIGHTS", "ZARR", "ZARR_ARCHIVE", "ending", "kind_of", "stem"]

ZARR = "zarr"
"""The kind that outputs are."""

ZARR_ARCHIVE = "zipped zarr"
"""The kind of zip archives of one zarr folder."""

N5 = "N5"
"""The kind of N5 folders."""

WEIGHTS = "weights"
"""The kind of files of weights whose endings name no other kind."""

FILE_KINDS = FrozenMapping(
    {
        **dict.fromkeys((".zarr", ".ome.zarr"), ZARR),
        **dict.fromkeys((".ozx", ".zarr.zip", ".ome.zarr.zip"), ZARR_ARCHIVE),
        ".zip": "zip",
        **dict.fromkeys((".tif", ".tiff", ".btf", ".tf2", ".tf8"), "TIFF"),
        **dict.fromkeys((".ome.tif", ".ome.tiff", ".ome.btf", ".ome.tf2", ".ome.tf8"), "OME-TIFF"),
        ".npy": "numpy",
        ".npz": "numpy archive",
        **dict.fromkeys((".h5", ".hdf5", ".hdf", ".he5", ".ims"), "HDF5"),
        **dict.fromkeys((".nc", ".nc4", ".cdf"), "NetCDF"),
        ".n5": N5,
        **dict.fromkeys((".png", ".apng"), "PNG"),
        **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "JPEG"),
        **dict.fromkeys((".jp2", ".j2k"), "JPEG 2000"),
        **dict.fromkeys((".bmp", ".dib", ".gif", ".webp", ".svg", ".pdf"), "picture"),
        **dict.fromkeys((".avi", ".mov", ".mp4"), "video"),
        **dict.fromkeys((".nii", ".nii.gz"), "NIfTI"),
        **dict.fromkeys((".nrrd", ".nhdr"), "NRRD"),
        **dict.fromkeys((".mha", ".mhd"), "MetaImage"),
        ".mrc": "MRC",
        **dict.fromkeys((".dcm", ".dicom"), "DICOM"),
        **dict.fromkeys((".czi", ".lif", ".nd2", ".lsm", ".oib", ".oif", ".vsi", ".svs", ".ndpi", ".scn", ".mrxs"), "microscope"),
        **dict.fromkeys((".mat", ".pkl", ".pickle"), "data"),
        **dict.fromkeys((".onnx", ".pt", ".pth", ".pt2", ".torchscript", ".safetensors", ".keras", ".ckpt", ".pb"), WEIGHTS),
        **dict.fromkeys((".csv", ".tsv", ".xlsx", ".parquet", ".feather", ".arrow"), "table"),
        **dict.fromkeys((".json", ".geojson", ".xml", ".txt", ".yaml", ".yml", ".html"), "text"),
        **dict.fromkeys((".tar", ".tgz", ".tar.gz", ".gz", ".7z"), "archive"),
    }
)
"""Kind of file, in words, by ending in lower case. Readers and writers of further kinds add their endings here."""

IMAGES = frozenset(FILE_KINDS.values()) - {"data", WEIGHTS, "table", "text", "archive", "zip"}
"""Kinds of files that hold images, as far as their names tell."""

CONTAINERS = tuple(known for known, kind in FILE_KINDS.items() if kind in ("HDF5", "NetCDF", N5))
"""Endings of names that paths lead into, as in ``stack.h5:/raw``: what they lead to has no ending of its own."""

_LONGEST_FIRST = sorted(FILE_KINDS, key=len, reverse=True)


def ending(location: str) -> str:
    """Return the known ending of the name of a file or folder, as it is written there; empty where its ending is unknown.

    Only known endings count: ``2024.05.01_s1`` has none.
    """
    name = _last_name(location)
    found = next((known for known in _LONGEST_FIRST if name.lower().endswith(known) and len(name) > len(known)), "")
    return name[len(name) - len(found) :]


def kind_of(location: str) -> str | None:
    """Return the kind of a file or folder by the ending of its name; None where that is unknown."""
    return FILE_KINDS.get(ending(location).lower())


def stem(location: str) -> str:
    """Return the name of a file or folder without its ending, if that is a known one; of a path into a file, that of the file."""
    name = _last_name(location)
    return name[: len(name) - len(ending(name))]


def _last_name(location: str) -> str:
    first, chain, beneath = location.partition("::")
    if chain:  # what lies in an archive has a name of its own; a cache and the root of an archive do not
        inner = first.partition("://")[2].strip("/")
        return _last_name(inner or beneath)
    path = location.partition("?")[0] if "://" in location else location
    names = path.replace("\\", "/").rstrip("/").split("/")
    containers = (name.removesuffix(":") for name in names[:-1] if name.removesuffix(":").lower().endswith(CONTAINERS))
    return next(containers, names[-1])
