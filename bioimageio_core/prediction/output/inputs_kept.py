"""An output never overwrites what it is made from: images, masks, statistics and the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...errors import BioimageioError, OutputError
from ...io import Image, holds_something, open_image
from ...io.locations import parent
from ...io.places_of_arrays import places_of, unknown_origin
from ...io.reading.zarr_image import levels_of
from ...io.writing.chosen_writer import check_output_name
from ...places import Place, check_apart, place_of
from ..model.loaded_model import LoadedModel
from ..planning.plan import Plan

__all__ = ["check_images_known", "check_inputs_kept", "lies_within_array"]


def check_inputs_kept(output: str, plan: Plan, model: LoadedModel, *, overwrite: bool) -> None:
    """Refuse an output that would overwrite anything that the prediction reads, or that has the name of another kind of file.

    A new name within the group of an image is allowed, such as ``image.zarr/labels/nuclei``; its arrays, and names within them, are not.

    Args:
        output: Path or URL of the output.
        plan: The plan, with the images, the mask and the file of statistics.
        model: The model.
        overwrite: Whether an existing output is removed.

    Raises:
        OutputError: The output is, or contains, an image, the mask, the file of statistics or the model, or lies within an array;
            or it exists and is to be overwritten, while it is not known where an image is read from.

    """
    check_output_name(output)
    images = [(f"the image for {i.id!r}", i.bound.image) for i in plan.inputs]
    if plan.mask is not None:
        images.append(("the mask", plan.mask.image))
    read = [(what, place) for what, image in images for place in places_of(image)]
    read += [("the model", place) for place in model.places]
    if plan.statistics_file is not None:
        read.append(("the statistics", place_of(plan.statistics_file)))
    check_apart(output, read)
    target = place_of(output)
    for what, image in images:
        array = next((array for array in _arrays(image, target) if array.overlaps(target)), None)
        if array is not None:
            raise OutputError(f"output {output} would overwrite a part of {what}, {array.location}: give a different name")
    if overwrite:
        check_images_known(output, images)


def check_images_known(output: str, images: Iterable[tuple[str, Any]]) -> None:
    """Refuse to overwrite an existing output while it is not known where an image is read from, since that may be there.

    Args:
        output: Path or URL of the output.
        images: Images, each after what it is in words.

    Raises:
        OutputError: There is something at this place, and an image is, or contains, an array of an unknown class or a function.

    """
    for what, image in images:
        unknown = unknown_origin(image)
        if unknown is not None and holds_something(output):
            raise OutputError(
                f"output {output} exists, and may be what {what} is read from, which is not known of {unknown}: "
                "give a different name, give the image as a path or zarr array, or remove the output yourself"
            )


def lies_within_array(target: Place, image: Place) -> bool:
    """Return whether a place lies within an array of an image; beside its arrays, as labels of OME-Zarr do, it does no harm."""
    return image.holds(target) and any(array.holds(target) for array in _arrays_at(image))


def _arrays(image: Image, target: Place) -> Iterator[Place]:
    """Yield the places of the arrays of an image, and of its other levels if the target may be one of them."""
    arrays = [place_of(array) for array in image.arrays]
    if not arrays:
        arrays = [array for place in places_of(image) if _in_folder_of(target, place) for array in _arrays_at(place)]
    for array in arrays:
        yield array
        if _in_folder_of(target, array):
            folder = parent(array.location)
            levels = [] if folder is None else [place_of(level) for level in levels_of(folder)]
            yield from levels if array in levels else ()


def _in_folder_of(target: Place, place: Place) -> bool:
    return place.storage == target.storage and place.parts[:-1] == target.parts[: len(place.parts) - 1]


def _arrays_at(place: Place) -> tuple[Place, ...]:
    """Return the places of the arrays of the image at a place; none where there is no image."""
    try:
        return tuple(map(place_of, open_image(place.location).arrays))
    except BioimageioError:
        return ()
