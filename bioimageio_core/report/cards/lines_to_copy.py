"""Lines to copy that use a model."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from ...sources.member_names import DESCRIPTION_NAMES
from ...sources.urls import is_url

__all__ = ["lines_to_copy"]


def lines_to_copy(source: str, required: Sequence[str], output: str) -> tuple[str, str]:
    """Return a command and lines of Python that predict with a model.

    Pages are published and must not show the folders of their author: of a path, they have the last part.

    Args:
        source: Where the model was read from.
        required: Ids of its inputs, without optional ones.
        output: Id of its first output.

    """
    model = source if is_url(source) else _last_part(Path(source))
    if len(required) == 1:
        images, inputs = ["cells.tif"], '"cells.tif"'
    else:
        images = [f"{name}={name}.tif" for name in required]
        inputs = json.dumps({name: f"{name}.tif" for name in required}, ensure_ascii=False)
    command = shlex.join(["bmz", "predict", model, *images, "-o", "result.ome.zarr"])
    code = (
        "import bioimageio_core as bc\n\n"
        f"result = bc.predict({json.dumps(model, ensure_ascii=False)}, {inputs})\n"
        f"result[{json.dumps(output, ensure_ascii=False)}]  # an array with named axes"
    )
    return command, code


def _last_part(path: Path) -> str:
    """Return the name of a file, or of the folder of a description with one of the usual names."""
    return path.parent.name or path.name if path.name in DESCRIPTION_NAMES else path.name or str(path)
