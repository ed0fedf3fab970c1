"""Exports for Fiji, and folders of models that may hold one: which of both systems they are of, and what lies where."""

from __future__ import annotations

import json
import lzma
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import attrs

from bioimageio_core.errors import ModelRunError, SourceError
from bioimageio_core.weights.archives import WeightsFolder

from .saved_model import SavedNetwork, read_saved_model

__all__ = ["Export", "System", "export_in", "system_of"]

System = Literal["csbdeep", "stardist"]

NETWORK, META, CONFIG, THRESHOLDS = "saved_model.pb", "meta.json", "config.json", "thresholds.json"
OF_OTHERS = ("config.xml", "rdf.yaml", "rdf.yml", "model.yaml", "bioimageio.yaml")
"""Descriptions of other systems, which may lie beside a SavedModel, too."""

UNREADABLE = (OSError, ValueError, NotImplementedError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)
"""What files, zips and their decompressors raise."""

LARGEST_HEAD = 1 << 28
"""Bytes of the largest graph or JSON that is looked at: they hold no parameters."""

MAKERS = {"csbdeep": "CSBDeep", "stardist": "StarDist"}
CLASSES = {"csbdeep": "CARE", "stardist": "StarDist2D"}


@attrs.frozen(kw_only=True)
class Export:
    """A SavedModel with its metadata."""

    folder: Path
    """Holds the SavedModel."""

    network: SavedNetwork
    meta: Mapping[str, Any]
    """CSBDeep's ``meta.json``."""

    config: Mapping[str, Any]
    """The configuration of the model, where the export lies in its folder."""

    thresholds: Mapping[str, Any]


def system_of(path: Path) -> System | None:
    """Return which of both systems a file or folder is of; None: of neither, or it cannot be read."""
    try:
        files = _Files(path)
        top = files.holder(NETWORK)
        if top is None:
            top = files.holder(CONFIG)
            return None if top is None else _trained_by(_mapping(files.read(top / CONFIG)))
        if any(files.has(top / name) for name in OF_OTHERS):
            return None
        if files.has(top / META):
            return "csbdeep" if {"axes_div_by", "tile_overlap"} <= _mapping(files.read(top / META)).keys() else None
        graph = files.read(top / NETWORK)
        return "stardist" if b"prob/kernel" in graph and b"dist/kernel" in graph else None
    except UNREADABLE:
        return None


@contextmanager
def export_in(path: Path, system: System) -> Iterator[Export]:
    """Find the SavedModel in a zip, a folder, or the folder of a model (which may be zipped, too); what was unpacked goes afterwards.

    Raises:
        ValueError: It is broken, or there is none.

    """
    try:
        files = _Files(path)
    except UNREADABLE as error:
        raise ValueError(f"it cannot be read as a zip or a folder: {error}") from None
    marker = NETWORK if files.holder(NETWORK) is not None else CONFIG
    with _unpacked(path, marker) as folder:
        if marker == NETWORK:
            yield _export(folder, {}, {})
            return
        config = _mapping((folder / CONFIG).read_bytes())
        thresholds = _mapping((folder / THRESHOLDS).read_bytes()) if (folder / THRESHOLDS).is_file() else {}
        with _unpacked(_export_beside(folder, system), NETWORK) as inner:
            yield _export(inner, config, thresholds)


def _export(folder: Path, config: Mapping[str, Any], thresholds: Mapping[str, Any]) -> Export:
    meta = _mapping((folder / META).read_bytes()) if (folder / META).is_file() else {}
    return Export(folder=folder, network=read_saved_model(folder / NETWORK), meta=meta, config=config, thresholds=thresholds)


def _export_beside(folder: Path, system: System) -> Path:
    zips = [found for found in sorted(folder.glob("*.zip")) if system_of(found) == system]
    if len(zips) > 1:
        raise ValueError(f"it holds several exports ({', '.join(p.name for p in zips)}): import one of them, or leave one")
    if not zips:
        weights = ", ".join(sorted(p.name for p in folder.glob("*.h5"))) or "no weights"
        raise ValueError(
            f"it holds parameters ({weights}) without the network, which only the Python code of {MAKERS[system]} can build: call "
            f"export_TF() on the model ({CLASSES[system]}), which writes TF_SavedModel.zip into its folder, and import the folder again"
        )
    return zips[0]


@contextmanager
def _unpacked(path: Path, marker: str) -> Iterator[Path]:
    try:
        folder = WeightsFolder(path, marker)
    except (ModelRunError, SourceError) as error:
        raise ValueError(str(error)) from None
    with closing(folder):
        yield folder.path


class _Files:
    """Names in a zip or a folder, and the content of small files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._zip = None if path.is_dir() else path
        if self._zip is None:
            self._names = {PurePosixPath(p.name) for p in path.iterdir()}
        else:
            with zipfile.ZipFile(self._zip) as archive:
                self._names = {PurePosixPath(name) for name in archive.namelist()}

    def has(self, name: PurePosixPath) -> bool:
        return name in self._names

    def holder(self, name: str) -> PurePosixPath | None:
        """Return the topmost folder that holds a file of this name."""
        found = sorted((p for p in self._names if p.name == name and "__MACOSX" not in p.parts), key=lambda p: (len(p.parts), p))
        return found[0].parent if found else None

    def read(self, name: PurePosixPath) -> bytes:
        if self._zip is None:
            file = self._path / name
            if file.stat().st_size > LARGEST_HEAD:
                raise ValueError(f"{name} is too large")
            return file.read_bytes()
        with zipfile.ZipFile(self._zip) as archive:
            if archive.getinfo(str(name)).file_size > LARGEST_HEAD:
                raise ValueError(f"{name} is too large")
            return archive.read(str(name))


def _trained_by(config: Mapping[str, Any]) -> System | None:
    if "n_rays" in config:
        return "stardist"
    return "csbdeep" if {"unet_n_depth", "probabilistic"} <= config.keys() and not any("n2v" in key for key in config) else None


def _mapping(content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its JSON cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"its JSON holds {type(found).__name__}: expected names with values")
    return found
