"""Names of outputs from templates, as in ``results/{name}.zarr``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from string import Formatter
from typing import Any

from ...errors import BioimageioError, InputError
from ...file_kinds import ZARR, ending, kind_of
from ...io import open_image
from ...io.reading.chosen_reader import image_stem
from ...io.reading.image_parts import part_of
from ...io.reading.scenes import SceneChoice
from ...io.writing.chosen_writer import EACH

__all__ = ["fill_template", "is_template", "location_of", "names_parts", "template_in_folder"]


def is_template(output: str) -> bool:
    """Return whether the name of an output has fields to fill in."""
    return "{" in output


def fill_template(template: str, inputs: Any, number: int = 0, *, scene: SceneChoice = None) -> str:
    """Return the output for an image; a location without fields stays as it is.

    Args:
        template: As in ``results/{name}.zarr``: ``{name}`` is the name of the image without its ending,
            ``{ending}`` its ending, as in ``tif``, ``{folder}`` the name of its folder, ``{number}`` its number.
            Of one of several images in a file or folder, name and folder are those of the file, and further fields set it apart:
            ``{scene}``, or ``{plate}``, ``{row}``, ``{column}`` and ``{field}``.
        inputs: The image, or the images by tensor id, of which the first counts.
        number: Number of the image among all, from 0.
        scene: The scene that is chosen from a file or folder.

    Raises:
        InputError: The template has unknown fields.

    """
    if not is_template(template):
        return template
    part = part_of(_first(inputs), scene)
    location = (location_of(inputs) if part is None else part.within) or str(number)
    parts = location.replace("\\", "/").rstrip("/").split("/")
    fields = {"scene": "0"} if part is None else {key: re.sub(r"[/\\]+", "_", value) for key, value in part.fields.items()}
    own = {"name": image_stem(location), "ending": _ending(location), "number": number, "folder": parts[-2] if len(parts) > 1 else ""}
    known = {**own, EACH[1:-1]: EACH, **fields}
    try:
        names = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
        if part is None and names - {*known} and not _can_be_opened(inputs):  # it fails with a message when it is opened
            known |= dict.fromkeys(("plate", "row", "column", "field"), "unknown") | {"plate": known["name"]}
        if names - {*known}:
            raise KeyError(*names)
        return template.format(**known)
    except (KeyError, IndexError, ValueError, AttributeError):
        further = ", ".join(f"{{{field}}}" for field in (("scene",) if part is None else part.fields))
        raise InputError(
            f"output {template!r}: expected the fields {{name}}, {{ending}}, {{folder}}, {{number}} or {further} for {location}, "
            "as in results/{name}.zarr"
        ) from None


def _ending(location: str) -> str:
    """Return the ending of a name without its dot, in lower case."""
    name = location.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return (ending(location) or name.removeprefix(image_stem(location))).lstrip(".").lower()


def _can_be_opened(inputs: Any) -> bool:
    try:
        open_image(_first(inputs))
    except BioimageioError:
        return False
    return True


def names_parts(template: str) -> bool:
    """Return whether a template sets the images in a file or folder apart."""
    return any(f"{{{field}" in template for field in ("scene", "plate", "row", "column", "field"))


def template_in_folder(folder: str, inputs: Any, *, scene: SceneChoice = None) -> str:
    """Return the template of outputs in a folder: by the name of the image, and by what sets it apart from others in the same file.

    Raises:
        InputError: The name of the folder has the ending of a file.

    """
    suffix = ending(folder)
    if suffix and kind_of(folder) != ZARR:
        place = folder.rstrip("/\\")
        raise InputError(
            f"output {folder} is one file, and there are several images: expected a folder, or a template, "
            f"as in {place[: len(place) - len(suffix)]}/{{name}}{suffix}"
        )
    part = part_of(_first(inputs), scene)
    fields = {} if part is None else part.fields
    name = "{plate}_{row}{column}_{field}" if "plate" in fields else "{name}_{scene}" if fields else "{name}"
    return f"{folder.rstrip('/')}/{name}.zarr"


def location_of(inputs: Any) -> str | None:
    """Return the path or URL of the first input; None for arrays."""
    first = _first(inputs)
    return os.fsdecode(first) if isinstance(first, str | os.PathLike) else None


def _first(inputs: Any) -> Any:
    return next(iter(inputs.values()), None) if isinstance(inputs, Mapping) else inputs
