"""An output never overwrites what it is made from: images, masks, statistics and the model."""

from __future__ import annotations

from collections.abc import Iterator

from ... import places
from ...errors import OutputError
from ...io import Image
from ...io.file_kinds import check_output_name
from ...io.places_of_arrays import places_of
from ...io.reading.zarr_image import levels_of
from ...packaging.package_places import package_places
from ...places import Place, place_of
from ..model.loaded_model import LoadedModel
from ..planning.plan import Plan
from ..statistics_file import Statistics

__all__ = ["check_apart"]


def check_apart(output: str, plan: Plan, model: LoadedModel, statistics: Statistics | None = None) -> None:
    """Refuse an output that would overwrite anything that the prediction reads, or that has the name of another kind of file.

    A new name within the group of an image is allowed, such as ``image.zarr/labels/nuclei``; its arrays, and names within them, are not.

    Args:
        output: Path or URL of the output.
        plan: The plan, with the images and the mask.
        model: The model.
        statistics: Statistics of a file that is read.

    Raises:
        OutputError: The output is, or contains, an image, the mask, the file of statistics or the model, or lies within an array.

    """
    check_output_name(output)
    images = [(f"the image for {i.id!r}", i.bound.image) for i in plan.inputs]
    if plan.mask is not None:
        images.append(("the mask", plan.mask.image))
    read = [(what, place) for what, image in images for place in places_of(image)]
    read += [("the model", place) for place in package_places(model.descr, model.package)]
    if statistics is not None and statistics.path is not None:
        read.append(("the statistics", place_of(statistics.path)))
    places.check_apart(output, read)
    target = place_of(output)
    for what, image in images:
        for array in _arrays(image, target):
            if array.overlaps(target):
                raise OutputError(f"output {output} would overwrite a part of {what}, {array.location}: give a different name")


def _arrays(image: Image, target: Place) -> Iterator[Place]:
    """Yield the places of the arrays of an image, and of its other levels if the target may be one of them."""
    for array in tuple(map(place_of, image.arrays)) or places_of(image):
        yield array
        if array.storage == target.storage and array.parts[:-1] == target.parts[: len(array.parts) - 1]:
            levels = [place_of(level) for level in levels_of(array.location.rstrip("/").rpartition("/")[0])]
            yield from levels if array in levels else ()
