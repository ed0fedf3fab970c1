"""Names of outputs from templates, as in ``results/{name}.zarr``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ...errors import InputError
from ...io.file_kinds import stem

__all__ = ["fill_template", "is_template", "location_of"]


def is_template(output: str) -> bool:
    """Return whether the name of an output has fields to fill in."""
    return "{" in output


def fill_template(template: str, inputs: Any, number: int = 0) -> str:
    """Return the output for an image; a location without fields stays as it is.

    Args:
        template: As in ``results/{name}.zarr``: ``{name}`` is the name of the image without its ending,
            ``{folder}`` the name of its folder, ``{number}`` its number.
        inputs: The image, or the images by tensor id, of which the first counts.
        number: Number of the image among all, from 0.

    Raises:
        InputError: The template has unknown fields.

    """
    if not is_template(template):
        return template
    location = location_of(inputs) or str(number)
    parts = location.replace("\\", "/").rstrip("/").split("/")
    try:
        return template.format(name=stem(location), number=number, folder=parts[-2] if len(parts) > 1 else "")
    except (KeyError, IndexError, ValueError, AttributeError):
        raise InputError(
            f"output {template!r}: expected the fields {{name}}, {{folder}} or {{number}}, as in results/{{name}}.zarr"
        ) from None


def location_of(inputs: Any) -> str | None:
    """Return the path or URL of the first input; None for arrays."""
    first = next(iter(inputs.values()), None) if isinstance(inputs, Mapping) else inputs
    return os.fsdecode(first) if isinstance(first, str | os.PathLike) else None
