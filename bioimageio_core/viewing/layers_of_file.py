"""The layers of a file or folder: its image or images, and the labels that belong to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..errors import SourceError
from ..io import Scene, choose_scene
from ..io.locations import join, opening_errors
from ..io.reading.chosen_reader import reader_of
from ..io.reading.image_levels import open_levels
from ..io.reading.scenes import SceneChoice
from ..io.reading.zarr_groups import attributes_of_group
from ..io.reading.zarr_layouts import labels_of_group
from .layer import Layer
from .make_layer import image_layer, labels_layer, with_known_axes
from .written_records import about_image

__all__ = ["layers_of_file"]

LABELS = "labels"


def layers_of_file(
    location: str, *, scene: SceneChoice = None, axes: str | Sequence[str] | None = None, labels: bool | None = None
) -> Iterator[Layer]:
    """Yield the layers of a file or folder that an installed plugin reads.

    Images beside each other in a zarr group, as the outputs of a prediction are, are a layer each.
    Labels in the group ``labels`` of an OME-Zarr image follow it.

    Args:
        location: Path or URL.
        scene: Number or name of the image in a file of several.
        axes: Axes for images that name none.
        labels: Whether the image is labels; None where the file says.

    Raises:
        SourceError: There is no such image, several of which none is chosen, or it cannot be read.
        MissingRequirementError: A package that reads this kind of file is not installed.
        AxesError: The axes of an image are not known, or y or x is missing.

    """
    reader = reader_of(location)
    with opening_errors(location, "an image"):
        scenes = tuple(reader.scenes(location))
    if not scenes:
        raise SourceError(f"{location} holds no image")
    beside = scene is None and len(scenes) > 1 and not any(one.in_batches for one in scenes)
    for one in scenes if beside else (choose_scene(scenes, scene, location),):
        if one.error is not None:
            raise one.error
        yield from _layers_of_scene(location, one, single=len(scenes) == 1, axes=axes, labels=labels)


def _layers_of_scene(
    location: str, scene: Scene, *, single: bool, axes: str | Sequence[str] | None, labels: bool | None
) -> Iterator[Layer]:
    place = scene.location or location
    images = [with_known_axes(i, axes) for i in open_levels(place, scene=None if scene.location or single else scene.number)]
    about = about_image(images[0])
    name = scene.name if scene.location and scene.name else images[0].name
    if about.labels if labels is None else labels:
        yield labels_layer(name, images, colours=about.label_colours, is_output=about.is_output)
    else:
        yield image_layer(name, images, colours=about.channel_colours, is_output=about.is_output)
    if about.group is not None:
        yield from _labels_beside(about.group)


def _labels_beside(group: str) -> Iterator[Layer]:
    """Yield the labels that an OME-Zarr image lists; labels that are listed and missing are left out."""
    place = join(group, LABELS)
    for path in labels_of_group(attributes_of_group(place)):
        label = join(place, path)
        try:
            images = [with_known_axes(image, None) for image in open_levels(label)]
        except SourceError:
            continue
        about = about_image(images[0])
        yield labels_layer(path, images, colours=about.label_colours, is_output=about.is_output)
