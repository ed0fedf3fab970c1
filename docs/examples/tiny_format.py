"""The foreign format ``tiny``: a JSON file with the name, gain and offset of a network that is ``gain * x + offset``."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bioimageio_core.registry import ForeignFormatEntry, hookimpl


class TinyFormat:
    def sniff(self, path: Path) -> bool:
        if path.is_dir():
            return False
        with path.open("rb") as file:
            return file.read(8) == b'{"tiny":'

    def read(self, path: Path, folder: Path) -> Mapping[str, Any]:
        import numpy as np

        said = json.loads(path.read_text(encoding="utf-8"))["tiny"]  # what is no JSON raises ValueError
        if not {"name", "gain", "offset"} <= said.keys():
            raise ValueError(f"expected name, gain and offset, found {', '.join(said)}")
        np.savez(folder / "weights.npz", gain=np.float32(said["gain"]), offset=np.float32(said["offset"]))
        any_size = [{"type": "space", "id": axis, "size": {"min": 1, "step": 1}} for axis in "yx"]
        same_size = [{"type": "space", "id": axis, "size": {"tensor_id": "raw", "axis_id": axis}} for axis in "yx"]
        head = [{"type": "batch"}, {"type": "channel", "channel_names": ["intensity"]}]
        return {
            "type": "model",
            "format_version": "0.5.4",
            "name": said["name"],
            "inputs": [{"id": "raw", "axes": [*head, *any_size]}],
            "outputs": [{"id": "out", "axes": [*head, *same_size]}],
            "weights": {"npz": {"source": "weights.npz"}},
        }


@hookimpl
def bioimageio_foreign_formats() -> Iterator[ForeignFormatEntry]:
    yield ForeignFormatEntry(name="tiny", patterns=("*.tiny.json",), load=TinyFormat, summary="gain and offset as JSON")
