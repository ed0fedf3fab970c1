"""Images on the command line."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import AxesError, InputError

if TYPE_CHECKING:
    from ..prediction.planning.plan import Plan

__all__ = ["check_axes_known", "image_inputs", "image_list"]


def image_list(paths: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the images if the arguments name many for a model with one input: several, a pattern or a folder; else None."""
    if any("=" in path and not Path(path).exists() for path in paths):
        return None
    from ..prediction.data.expand_image_paths import expand_image_paths

    found = expand_image_paths(paths)
    if not found:
        raise InputError(f"no images in {', '.join(paths)}: expected files of a format that is read, such as .tif, .zarr or .png")
    return None if len(paths) == 1 and found == paths else found


def image_inputs(paths: tuple[str, ...]) -> str | dict[str, str]:
    """Return the inputs of one prediction: one path, or the paths by input id, written as ``ID=PATH``.

    Raises:
        InputError: A pattern matches no image or several, or one of several paths has no id.

    """
    if len(paths) == 1 and (Path(paths[0]).exists() or "=" not in paths[0]):
        return _single(paths[0])
    inputs = {}
    for path in paths:
        name, equals, rest = path.partition("=")
        if not equals:
            raise InputError(f"several images: expected ID=PATH for each input of the model, found {path!r}")
        inputs[name] = rest
    return inputs


def _single(path: str) -> str:
    """Return the image that a path is, or the only one that a pattern matches."""
    if not glob.has_magic(path) or "://" in path or Path(path).exists():
        return path
    from ..prediction.data.expand_image_paths import expand_image_paths

    found = expand_image_paths([path])
    if len(found) > 1:
        raise InputError(f"the pattern {path!r} matches {len(found)} images: expected one, as {found[0]}")
    return found[0]


def check_axes_known(plan: Plan, *, as_json: bool) -> None:
    """Raise AxesError if axes are guessed and the output is for programs, or there are several inputs, whose guesses may not agree."""
    guessed = [i for i in plan.inputs if i.bound.axes_guessed]
    if guessed and (as_json or len(plan.inputs) > 1):
        image = guessed[0].bound.image
        raise AxesError(
            f"{image.name} does not name its axes, which look like {','.join(image.axes or ())}; "
            "axes are not guessed under --json or for several inputs: give --axes"
        )
