"""Lines to copy that use a model."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from ...sources.member_names import DESCRIPTION_NAMES
from ...sources.urls import is_url

if TYPE_CHECKING:
    from .model_card import ModelCard

__all__ = ["usage"]


def usage(card: ModelCard) -> tuple[str, str]:
    """Return a command and lines of Python that predict with a model.

    Pages are published and must not show the folders of their author: of a path, they have the last part.
    """
    model = card.source if is_url(card.source) else _last_part(Path(card.source))
    required = [t.id for t in card.inputs if not t.optional]
    output = card.outputs[0].id if card.outputs else "output"
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
