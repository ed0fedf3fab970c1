"""The JSON specification of an exported network: what ``.czmodel`` files are made of."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .czann import parse_json
from .czmodel import COLOR_HANDLING, PIXEL_TYPES, CzmodelMetadata, TrainingClass, class_color
from .reading import czmodel_import, describe_network
from .saved_models import zip_saved_model

__all__ = ["SpecificationFormat"]

REQUIRED = ("BorderSize", "ColorHandling", "PixelType", "Classes", "ModelPath")
LARGEST = 1 << 22
KERAS = (".h5", ".hdf5", ".keras")


class SpecificationFormat:
    """A JSON file that names a network, a license and a test image on disk."""

    def sniff(self, path: Path) -> bool:
        """Return whether it is an object of JSON with the keys that are required."""
        try:
            return {*REQUIRED} <= {*_load(path)}
        except (ValueError, OSError):
            return False

    def read(self, path: Path, folder: Path) -> Mapping[str, Any]:
        """Return a description.

        Raises:
            ValueError: The file is malformed, or what it names is not there or cannot be read.

        """
        tree = _load(path)
        missing = [key for key in REQUIRED if key not in tree]
        if missing:
            raise ValueError(f"it lacks {', '.join(missing)}: expected {', '.join(REQUIRED)}")
        network = _existing(tree, "ModelPath", path.parent)
        files = [_existing(tree, "LicenseFile", path.parent)] if tree.get("LicenseFile") is not None else []
        image = _path(tree, "TestImageFile", path.parent) if tree.get("TestImageFile") is not None else None
        if image is not None and image.is_file():  # which few files name for real, since nothing read it
            files.append(image)
        for file in files:
            if not file.is_file():
                raise ValueError(f"{file} is not a file")
            shutil.copyfile(file, folder / file.name)
        _copy_network(network, folder / "network")
        found = czmodel_import(_metadata(tree, network), [file.name for file in files], "czmodel")
        return describe_network(found, folder)


def _load(path: Path) -> Mapping[str, Any]:
    if not path.is_file() or path.stat().st_size > LARGEST:
        raise ValueError(f"{path.name} is not a file of at most {LARGEST} bytes")
    return parse_json(path.read_bytes(), path.name)


def _metadata(tree: Mapping[str, Any], network: Path) -> CzmodelMetadata:
    border, classes, pixel_types = tree["BorderSize"], tree["Classes"], tree["PixelType"]
    if not isinstance(border, int) or isinstance(border, bool) or border < 0:
        raise ValueError(f"expected BorderSize to be an integer of at least 0, found {border!r}")
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise ValueError(f"expected Classes to be a list of names, found {classes!r}")
    types = pixel_types if isinstance(pixel_types, list) and pixel_types else [pixel_types]
    for key, values, known in (("PixelType", types, tuple(PIXEL_TYPES)), ("ColorHandling", [tree["ColorHandling"]], COLOR_HANDLING)):
        for value in values:
            if value not in known:
                raise ValueError(f"expected {key} to be one of {', '.join(known)}, found {value!r}")
    name = network.name if network.is_dir() else network.stem
    return CzmodelMetadata(
        # The same for the same specification: it has none of its own.
        id=str(uuid.uuid5(uuid.NAMESPACE_URL, repr(sorted((key, repr(value)) for key, value in tree.items())))),
        name=name,
        color_handling=tree["ColorHandling"],
        pixel_types=tuple(types),
        classes=tuple(TrainingClass(name=name, color=class_color(n), label=n + 1) for n, name in enumerate(classes)),
        border_size=border,
    )


def _path(tree: Mapping[str, Any], key: str, folder: Path) -> Path:
    text = tree[key]
    if not isinstance(text, str) or not text or "\0" in text:
        raise ValueError(f"expected {key} to be a path, found {text!r}")
    path = folder / text
    # Written on Windows, most of them.
    return path if path.exists() or "\\" not in text else folder / text.replace("\\", "/")


def _existing(tree: Mapping[str, Any], key: str, folder: Path) -> Path:
    path = _path(tree, key, folder)
    if not path.exists():
        raise ValueError(
            f"{key} names {tree[key]!r}, which does not exist: expected a path relative to the folder of the file, or an absolute one"
        )
    return path


def _copy_network(network: Path, target: Path) -> None:
    if network.is_dir():
        zip_saved_model(network, target)
    elif network.suffix.lower() in KERAS:
        raise ValueError(f"{network.name} is a Keras file: expected ONNX or a SavedModel, of which ZEN's files are made")
    else:
        shutil.copyfile(network, target)
