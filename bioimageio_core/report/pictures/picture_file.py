"""The file of a picture of a prediction: checked before anything is computed."""

from __future__ import annotations

from pathlib import Path

from ...atomic_files import write_bytes
from ...errors import InputError, OutputError
from ...io.places_of_arrays import places_of
from ...places import check_apart, local_path, place_of
from ...prediction.output.inputs_kept import check_images_known
from ...prediction.planning.plan import Plan

__all__ = ["check_picture", "check_picture_name", "write_picture"]

PNG = b"\x89PNG\r\n\x1a\n"
"""The first bytes of a PNG file."""


def check_picture_name(path: str) -> Path:
    """Return the place of a picture, if it is the path of a PNG file on this machine.

    Raises:
        InputError: It is not.

    """
    place = local_path(path)
    if place is None or Path(place).suffix.lower() != ".png":
        raise InputError(f"the picture is {path!r}: expected the path of a file of this machine that ends in .png")
    return Path(place)


def check_picture(path: str, plan: Plan | None, output: str | None = None, *, overwrite: bool) -> None:
    """Check that a picture can be written where it is to be.

    Args:
        path: Path of the picture.
        plan: The plan of the prediction, with all that it reads; None where it is not known.
        output: Path or URL of the output of the prediction; None if it stays in memory, or is complete.
        overwrite: Whether an existing picture is replaced.

    Raises:
        InputError: The name does not end in ``.png``, or is no path of this machine.
        OutputError: The file exists, or is no PNG; its folder does not exist; or it would overwrite an image, the mask or the file of
            statistics, or lie within the output.

    """
    place = check_picture_name(path)
    if place.is_dir():
        raise OutputError(f"the picture {path} is a folder: expected the name of a file, as in {path.rstrip('/')}/picture.png")
    if not place.parent.is_dir():
        raise OutputError(f"the picture {path} cannot be written: the folder {place.parent} does not exist, or is a file: make it first")
    if plan is not None:
        _check_apart(path, place, plan)
    if output is not None and place_of(output).holds(place_of(path)):
        raise OutputError(f"the picture {path} would lie within the output {output}: give a name beside it")
    if not place.exists():
        return
    if not overwrite:
        raise OutputError(f"the picture {path} exists: overwrite=True (--overwrite) replaces it; or give another name")
    with place.open("rb") as file:
        if file.read(len(PNG)) != PNG:
            raise OutputError(f"{path} is no PNG file, so no picture replaces it: give another name, or remove the file")


def _check_apart(path: str, place: Path, plan: Plan) -> None:
    """Refuse a picture that would overwrite, or lie within, what the prediction reads."""
    images = [(f"the image for {i.id!r}", i.bound.image) for i in plan.inputs]
    if plan.mask is not None:
        images.append(("the mask", plan.mask.image))
    read = [(what, source) for what, image in images for source in places_of(image)]
    if plan.statistics_file is not None:
        read.append(("the statistics", place_of(plan.statistics_file)))
    check_apart(path, read, within=True)
    if place.exists():
        check_images_known(path, images)


def write_picture(path: str, content: bytes, *, overwrite: bool) -> None:
    """Write a picture, which appears when it is complete.

    Raises:
        OutputError: It cannot be written.

    """
    write_bytes(check_picture_name(path), content, overwrite=overwrite)
