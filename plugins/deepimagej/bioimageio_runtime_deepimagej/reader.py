"""Reads folders of deepImageJ, of all its versions."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

import bioimageio_core as bc
from bioimageio_core.errors import BioimageioError, ModelRunError, SourceError
from bioimageio_core.weights.archives import WeightsFolder

from .from_legacy import description_of
from .legacy_config import LegacyConfig, looks_legacy, read_legacy
from .macro_steps import with_macros
from .saved_model_signature import SavedModelFacts, read_saved_model

__all__ = ["DeepimagejReader"]

DESCRIPTIONS = ("bioimageio.yaml", "rdf.yaml", "model.yaml")
SAVED_MODEL = "saved_model.pb"
TORCHSCRIPT = (".pt", ".pth", ".torchscript")
LOOKED_AT = 2**18
"""Bytes of a description that are searched for the block of deepImageJ."""


class DeepimagejReader:
    """Reads ``config.xml`` with its files, and folders whose description has a block ``config.deepimagej``."""

    def sniff(self, path: Path) -> bool:
        """Return whether a file or folder is of deepImageJ."""
        if path.is_file():
            return looks_legacy(path)
        return looks_legacy(path / "config.xml") or self._described(path) is not None

    def read(self, path: Path, folder: Path) -> Mapping[str, Any]:
        """Return a description whose macros are ops; see `bioimageio_core.registry.ForeignFormat`."""
        described = self._described(path) if path.is_dir() else None
        if described is not None:
            return _read_described(described, folder)
        file = path if path.is_file() else path / "config.xml"
        if not file.is_file():
            raise ValueError(f"expected config.xml, or a description with config.deepimagej, in {path.name}, found neither")
        return _read_legacy_folder(read_legacy(file), file.parent, folder)

    @staticmethod
    def _described(path: Path) -> Path | None:
        """Return the description in a folder, if it is one of deepImageJ."""
        for name in DESCRIPTIONS:
            if (path / name).is_file():
                with (path / name).open("rb") as file:
                    return path / name if b"deepimagej:" in file.read(LOOKED_AT) else None
        return None


def _read_described(described: Path, folder: Path) -> Mapping[str, Any]:
    descr = bc.load_model_description(described)
    link = next((p for p in described.parent.rglob("*") if p.is_symlink()), None)
    if link is not None:
        raise ValueError(f"expected files in {described.parent.name}, found the link {link.name!r}, which is not followed")
    for source in described.parent.iterdir():
        if source.name in DESCRIPTIONS:
            continue
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, folder / source.name)
    written = folder / "description.yaml.part"
    bc.save_description(descr, written)
    tree: dict[str, Any] = yaml.safe_load(written.read_text(encoding="utf-8"))
    written.unlink()
    tree = with_macros(tree, lambda name: _inside(folder, name).read_bytes())
    return {key: value for key, value in tree.items() if key != "run_mode"}


def _inside(folder: Path, name: str) -> Path:
    """Return a file of a folder.

    Raises:
        ValueError: The name leads elsewhere.

    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"expected files beside the configuration, found the path {name!r}")
    return path


def _read_legacy_folder(config: LegacyConfig, base: Path, folder: Path) -> Mapping[str, Any]:
    weights, facts = _weights(base, folder)
    macros = []
    for element in ("PreprocessingFile", "PostprocessingFile"):
        name = config.text(element)
        if name is not None:
            source = _inside(base, name)
            if not source.is_file():
                raise ValueError(f"{element}: expected the file {name!r} beside config.xml, found none")
            shutil.copyfile(source, folder / source.name)
            macros.append(source.name)
    tree = description_of(config, weights, facts.outputs, _samples(base, folder))
    if macros:
        tree["attachments"] = [{"source": name} for name in dict.fromkeys(macros)]
    (folder / "README.md").write_text(_readme(config), encoding="utf-8")
    try:
        return with_macros(tree, lambda name: _inside(folder, name).read_bytes())
    except BioimageioError as error:
        raise ValueError(str(error)) from error


def _weights(base: Path, folder: Path) -> tuple[dict[str, Any], SavedModelFacts]:
    """Return the weights beside a configuration, written to the folder, and their signature."""
    found: dict[str, Any] = {}
    facts = SavedModelFacts()
    saved = _saved_model(base)
    if saved is not None:
        facts = _pack(_inside(base, saved.relative_to(base).as_posix()), folder / "saved_model.zip")
        version = facts.tensorflow_version or "1.15"  # of which deepImageJ 1.x ran models
        found["tensorflow_saved_model_bundle"] = {"source": "saved_model.zip", "tensorflow_version": version}
    script = next((p for p in sorted(base.iterdir()) if p.suffix.lower() in TORCHSCRIPT and p.is_file()), None)
    if script is not None:
        shutil.copyfile(_inside(base, script.name), folder / script.name)
        # The file has no version; zips are written since 1.6.
        found["torchscript"] = {"source": script.name, "pytorch_version": "1.6"}
    if not found:
        raise ValueError(
            f"expected weights beside config.xml: {SAVED_MODEL} with its variables, in a folder or a zip, or TorchScript "
            f"({', '.join(TORCHSCRIPT)}), found none"
        )
    return found, facts


def _saved_model(base: Path) -> Path | None:
    """Return the folder or zip of a SavedModel."""
    if (base / SAVED_MODEL).is_file():
        return base
    for path in sorted(base.iterdir()):
        if path.is_dir() and (path / SAVED_MODEL).is_file():
            return path
        if path.suffix.lower() == ".zip" and zipfile.is_zipfile(path) and _holds(path, SAVED_MODEL):
            return path
    return None


def _holds(archive: Path, name: str) -> bool:
    with zipfile.ZipFile(archive) as opened:
        return any(member.rpartition("/")[2] == name for member in opened.namelist())


def _pack(saved: Path, target: Path) -> SavedModelFacts:
    """Write a SavedModel as a zip of its own, which holds nothing else."""
    try:
        unpacked = WeightsFolder(saved, SAVED_MODEL)
    except (ModelRunError, SourceError) as error:
        raise ValueError(str(error)) from error
    try:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            parts = [unpacked.path / SAVED_MODEL]
            parts += [p for name in ("variables", "assets") for p in sorted((unpacked.path / name).rglob("*")) if p.is_file()]
            for part in parts:
                _inside(unpacked.path, part.relative_to(unpacked.path).as_posix())
                info = zipfile.ZipInfo(part.relative_to(unpacked.path).as_posix())  # of no date: the same each time
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, part.read_bytes())
        return read_saved_model(unpacked.path / SAVED_MODEL)
    finally:
        unpacked.close()


def _samples(base: Path, folder: Path) -> dict[str, str]:
    """Return names of the example image and its result, written to the folder."""
    found = {}
    for what, stem in (("input", "exampleImage"), ("output", "resultImage")):
        for path in (base / f"{stem}.tif", base / f"{stem}.tiff"):
            if path.is_file():
                shutil.copyfile(_inside(base, path.name), folder / path.name)
                found[what] = path.name
    return found


def _readme(config: LegacyConfig) -> str:
    """Return the documentation: the configuration in words."""
    lines = [f"# {config.text('Name') or 'deepImageJ model'}", "", "A model of deepImageJ, read from its config.xml.", ""]
    listed = (
        "Author",
        "Credit",
        "Version",
        "Date",
        "Reference",
        "URL",
        "InputSize",
        "OutputSize",
        "MemoryPeak",
        "Runtime",
        "PixelSize",
    )
    lines += [f"- {name}: {config.text(name)}" for name in listed if config.text(name) is not None]
    return "\n".join([*lines, "", "# Validation", "", "Nothing is known of its validation.", ""])
