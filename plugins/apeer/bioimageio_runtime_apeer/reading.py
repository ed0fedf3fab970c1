"""The model out of a module that was written here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bioimageio_core.spec.yaml import load_yaml

__all__ = ["MODEL", "SPECIFICATION", "Apeer"]

MODEL, SPECIFICATION, DESCRIPTION = "model", "module_specification.json", "bioimageio.yaml"


class Apeer:
    """Reads modules that `bmz export` wrote: they hold the complete model."""

    def sniff(self, path: Path) -> bool:
        """Return whether a folder is such a module."""
        return (path / SPECIFICATION).is_file() and any((path / MODEL / name).is_file() for name in (DESCRIPTION, "rdf.yaml"))

    def read(self, path: Path, folder: Path) -> Mapping[str, Any]:
        """Return the description; see `bioimageio_core.registry.ForeignFormat`.

        Raises:
            ValueError: The module is broken.

        """
        try:
            specification = json.loads((path / SPECIFICATION).read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise ValueError(f"its {SPECIFICATION} cannot be read: {error}") from None
        if not isinstance(specification, dict) or "spec" not in specification:
            raise ValueError(f"its {SPECIFICATION} has no 'spec': expected what a module takes and gives")
        model = path / MODEL
        (description, *_) = [model / name for name in (DESCRIPTION, "rdf.yaml") if (model / name).is_file()]
        for file in sorted(model.iterdir()):
            if file.is_file() and not file.is_symlink() and file != description:
                shutil.copyfile(file, folder / file.name)
        return load_yaml(description.read_bytes(), source=description.name)
