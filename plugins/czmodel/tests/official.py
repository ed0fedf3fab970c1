"""``python official.py read|write ...``: what the official package makes of files; run by a Python that has it.

It imports nothing but that package, and prints JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from czmodel.core.legacy_model_metadata import ModelMetadata as LegacyMetadata
from czmodel.core.model_metadata import ModelMetadata
from czmodel.core.util._extract_model import extract_czann_model, extract_czseg_model
from czmodel.core.util.onnx_export import DefaultOnnxConverter, LegacyOnnxConverter


def read(path: Path, folder: Path) -> dict[str, Any]:
    """Read a file, and let the writer judge whether metadata and network fit."""
    if path.suffix == ".czann":
        metadata, network = extract_czann_model(str(path), folder)
        DefaultOnnxConverter().convert(str(network), metadata, str(folder / "again"))
        return {
            "id": metadata.model_id,
            "type": metadata.model_type.value,
            "input_shape": metadata.input_shape,
            "output_shape": metadata.output_shape,
            "min_overlap": metadata.min_overlap,
            "classes": metadata.classes,
            "name": metadata.model_name,
            "scaling": getattr(metadata, "scaling", None),
            "network": str(network),
        }
    metadata, network = extract_czseg_model(str(path), folder)
    LegacyOnnxConverter().convert(str(network), metadata, str(folder / "again"))
    return {
        "classes": [one.name for one in metadata.classes],
        "pixel_types": list(metadata.pixel_types),
        "color_handling": metadata.color_handling,
        "border_size": metadata.border_size,
        "network": str(network),
    }


def write(kind: str, network: Path, target: Path, given: dict[str, Any]) -> dict[str, Any]:
    """Write a file."""
    license_file = given.pop("license_file", None)
    if kind == "czann":
        DefaultOnnxConverter().convert(str(network), ModelMetadata.from_json(given), str(target), license_file)
    else:
        LegacyOnnxConverter().convert(str(network), LegacyMetadata(**given), str(target), license_file)
    return {"files": sorted(str(path) for path in target.parent.iterdir())}


if __name__ == "__main__":
    task = json.loads(sys.argv[2])
    with contextlib.redirect_stdout(io.StringIO()):
        if sys.argv[1] == "read":
            answer = read(Path(task["path"]), Path(task["folder"]))
        else:
            answer = write(task["kind"], Path(task["network"]), Path(task["target"]), task["metadata"])
    print(json.dumps({"version": version("czmodel"), **answer}))
