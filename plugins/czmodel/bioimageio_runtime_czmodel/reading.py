"""Readers of ``.czann``, ``.czmodel`` and ``.czseg`` files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .archive import OpenArchive, first_names
from .czann import CzannMetadata, parse_czann
from .czmodel import PIXEL_TYPES, CzmodelMetadata, parse_czmodel
from .describing import Imported, describe
from .networks import NetworkSignature, read_network

__all__ = ["CzannFormat", "CzmodelFormat", "czmodel_import", "describe_network"]

CZANN_METADATA, CZANN_NETWORK = "model.json", "model.model"
MARKER = "modelid="
"""How the name of the empty member of a ``.czmodel`` file starts."""

REGRESSION = "Regression"


class CzannFormat:
    """``.czann``: ``model.json``, ``model.model``, and perhaps a license."""

    def sniff(self, path: Path) -> bool:
        """Return whether it is a zip with, or that starts with, ``model.json``."""
        return CZANN_METADATA in first_names(path)

    def read(self, path: Path, folder: Path) -> Mapping[str, Any]:
        """Return a description.

        Raises:
            ValueError: The file is broken, made to do harm, or says something that no description can say.

        """
        with OpenArchive(path) as archive:
            _need(archive, CZANN_METADATA, CZANN_NETWORK)
            metadata = parse_czann(archive.text(CZANN_METADATA))
            files = _unpack_rest(archive, (CZANN_METADATA, CZANN_NETWORK), folder)
            found = _czann_import(metadata, files, path.stem)
            archive.unpack(CZANN_NETWORK, folder / "network")
        return describe_network(found, folder)


class CzmodelFormat:
    """``.czmodel`` and ``.czseg``: ``<id>.xml``, ``<id>.model``, perhaps a license, and an empty member that names the id."""

    def sniff(self, path: Path) -> bool:
        """Return whether it is a zip with an XML file and a network, or starts with an XML file."""
        names = first_names(path)
        xml = any(name.lower().endswith(".xml") for name in names)
        return xml and (len(names) == 1 or any(name.lower().endswith(".model") for name in names))

    def read(self, path: Path, folder: Path) -> Mapping[str, Any]:
        """Return a description.

        Raises:
            ValueError: The file is broken, made to do harm, or says something that no description can say.

        """
        with OpenArchive(path) as archive:
            if CZANN_METADATA in archive.names:
                raise ValueError(f"it holds {CZANN_METADATA}, as .czann files do: read it with format='czann' (--from czann)")
            xml, network = (_only(archive, suffix) for suffix in (".xml", ".model"))
            metadata = parse_czmodel(archive.text(xml))
            files = _unpack_rest(archive, (xml, network), folder)
            found = czmodel_import(metadata, files, "czseg" if path.suffix.lower() == ".czseg" else "czmodel")
            archive.unpack(network, folder / "network")
        return describe_network(found, folder)


def describe_network(found: Imported, folder: Path) -> dict[str, Any]:
    """Return the description of the network that lies in the folder as ``network``, which gets a name by its kind.

    Raises:
        ValueError: It is broken, or contradicts the file.

    """
    network: NetworkSignature = read_network(folder / "network")
    weights = folder / f"network{network.suffix}"
    (folder / "network").rename(weights)
    return describe(found, network, {"source": weights.name, "sha256": _sha256(weights)}, folder)


def czmodel_import(metadata: CzmodelMetadata, files: Sequence[str], kind: str) -> Imported:
    """Return the content of the XML in the form of all formats.

    Raises:
        ValueError: Pixels are complex, or of several types.

    """
    types = [PIXEL_TYPES[name] for name in metadata.pixel_types]
    dtypes = {one.dtype for one in types}
    if len(dtypes) > 1 or "complex64" in dtypes:
        raise ValueError(
            f"images of the pixel types {', '.join(metadata.pixel_types)} are not supported: expected real pixels of one data type"
        )
    return Imported(
        name=metadata.name,
        kind=kind,
        channels=_channels(metadata),
        dtype=dtypes.pop(),
        classes=tuple(one.name for one in metadata.classes),
        border=(metadata.border_size,) * 2,
        scaling={},
        sizes=None,
        output_sizes=None,
        probabilities=True,
        config={
            "kind": "czmodel",
            "version": metadata.version,
            "id": metadata.id,
            "model_name": metadata.name,
            "postprocessing": metadata.postprocessing,
            "color_handling": metadata.color_handling,
            "pixel_types": list(metadata.pixel_types),
            "classes": [{"name": c.name, "color": list(c.color), "label": c.label} for c in metadata.classes],
            "border_size": metadata.border_size,
            "files": list(files),
        },
        files=tuple(files),
    )


def _channels(metadata: CzmodelMetadata) -> tuple[str, ...]:
    """Return names of channels: those of colors, or numbers; color becomes one where ZEN makes it grey."""
    monochrome = metadata.color_handling == "ConvertToMonochrome"
    names: list[str] = []
    for number, pixel_type in enumerate(metadata.pixel_types):
        own = [""] if monochrome else PIXEL_TYPES[pixel_type].channels
        several = len(metadata.pixel_types) > 1
        names += [f"{name}{number}" if several and name else name or (f"channel{number}" if several else "intensity") for name in own]
    return tuple(names)


def _czann_import(metadata: CzannMetadata, files: Sequence[str], stem: str) -> Imported:
    channels = metadata.input_shape[-1]
    return Imported(
        name=metadata.model_name or stem,
        kind="czann",
        channels=("blue", "green", "red") if channels == 3 else (),
        dtype="float32",
        classes=metadata.classes or (),
        border=metadata.border,
        scaling=dict(zip("xyz", metadata.scaling or (), strict=False)),
        sizes=metadata.input_shape[:-1],
        output_sizes=metadata.output_shape,
        probabilities=metadata.type != REGRESSION,
        config={
            "kind": "czann",
            **{key: value for key, value in _fields(metadata).items() if value is not None},
            **({"more": dict(metadata.more)} if metadata.more else {}),
            "files": list(files),
        },
        files=tuple(files),
    )


def _fields(metadata: CzannMetadata) -> dict[str, Any]:
    names = ("format_version", "id", "type", "input_shape", "output_shape", "min_overlap", "classes", "model_name", "scaling")
    values = {name: getattr(metadata, name) for name in names}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _need(archive: OpenArchive, *names: str) -> None:
    missing = [name for name in names if name not in archive.names]
    if missing:
        raise ValueError(
            f"it lacks {' and '.join(missing)}: expected {', '.join(names)}, found {', '.join(archive.names)[:200] or 'nothing'}"
        )


def _only(archive: OpenArchive, suffix: str) -> str:
    found = [name for name in archive.names if name.lower().endswith(suffix)]
    if len(found) != 1:
        raise ValueError(
            f"it has {len(found)} members that end in {suffix}: expected one, found {', '.join(archive.names)[:200] or 'nothing'}"
        )
    return found[0]


TAKEN = ("bioimageio.yaml", "documentation.md", "network", "network.onnx", "network.zip")
"""Names of files that a description has beside it."""


def _unpack_rest(archive: OpenArchive, known: Sequence[str], folder: Path) -> list[str]:
    """Write all other members, such as a license, and return their names."""
    rest = [name for name in archive.names if name not in known and not name.startswith(MARKER)]
    for name in rest:
        if name.lower() in TAKEN:
            raise ValueError(f"it holds {name!r}, which is a name of files of a description: expected another one")
        archive.unpack(name, folder / name)
    return rest


def _sha256(path: Path) -> str:
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
