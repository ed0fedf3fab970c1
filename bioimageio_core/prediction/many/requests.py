"""The images of a prediction of many, each with its output; outputs lie apart from each other and from the images."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import attrs

from ...errors import InputError, OutputError
from ...io import run_of_output
from ...io.places_of_arrays import places_of
from ...io.reading.image_parts import expand_parts
from ...io.reading.scenes import ImagePart
from ...io.writing.chosen_writer import check_output_name
from ...places import Place, nested_places, place_of
from ..files.file_set import is_written_by_run
from ..output.inputs_kept import lies_within_array
from ..output.output_names import fill_template, is_template, location_of, template_in_folder

__all__ = ["PredictionRequest", "plan_many"]


@attrs.frozen(kw_only=True)
class PredictionRequest:
    """An image to predict, and the path of its output."""

    inputs: Any
    """One image, or a mapping by tensor id, as for `Predictor.predict`."""

    output: str
    number: int = 0
    """Number of the image among all."""

    @property
    def images(self) -> tuple[Any, ...]:
        """All images of the request."""
        return tuple(self.inputs.values()) if isinstance(self.inputs, Mapping) else (self.inputs,)

    @property
    def name(self) -> str:
        """The path of the (first) image, or its number."""
        return str(self.inputs) if isinstance(self.inputs, ImagePart) else location_of(self.inputs) or f"image {self.number}"


def plan_many(inputs: Sequence[Any], template: str, *, scene: int | str | None = None) -> tuple[PredictionRequest, ...]:
    """Return the prediction requests for many images.

    Args:
        inputs: Images, or mappings of images by tensor id.
        template: As in ``results/{name}.zarr``: ``{name}`` is the file name without extension, ``{ending}`` its extension,
            ``{number}`` counts from 0, ``{folder}`` is the name of the folder of the file. Without braces: a folder for outputs with the
            names of the images.
            Files and folders that hold several images are predicted image by image: those of TIFF files and of bioformats2raw have
            the field ``{scene}``; those of plates ``{plate}``, ``{row}``, ``{column}`` and ``{field}``.
        scene: The only image to predict of each file that holds several; None for all.

    Raises:
        InputError: The template has unknown fields, or two images have the same output.
        OutputError: The name of an output is that of another kind of file, or one output lies within another or over an image.

    """
    if is_template(template):
        check_output_name(template)
    planned: dict[Place, PredictionRequest] = {}
    for place, request in _requests(tuple(expand_parts(inputs) if scene is None else inputs), template, scene):
        check_output_name(request.output)
        if place in planned:
            raise InputError(
                f"{planned[place].name} and {request.name} have the same output {request.output}: "
                "expected a distinct output for each; use {ending}, {folder}, {number} or {scene} in a template, "
                "as in out/{name}_{ending}.zarr"
            )
        planned[place] = request
    _check_outputs_apart(planned)
    _check_images_apart(planned)
    return tuple(planned.values())


def _requests(images: tuple[Any, ...], template: str, scene: int | str | None) -> list[tuple[Place, PredictionRequest]]:
    """Return a request for each image, after the place of its output, apart from outputs of an earlier run of the same batch, which lie
    among its images.
    """
    requests = []
    for number, one in enumerate(images):
        own = template if is_template(template) else template_in_folder(template, one, scene=scene)
        output = fill_template(own, one, number, scene=scene)
        requests.append((place_of(output), PredictionRequest(inputs=one, output=output, number=number)))
    makers: dict[Place, set[int]] = {}
    for place, request in requests:
        makers.setdefault(place, set()).add(request.number)
    kept = tuple(request.inputs for _, request in requests if not _is_output_of_another(request, makers))
    return requests if len(kept) == len(images) else _requests(kept, template, scene)


def _is_output_of_another(request: PredictionRequest, makers: Mapping[Place, AbstractSet[int]]) -> bool:
    """Return whether an image is what an earlier run made of another image; ``makers`` has the numbers of requests by place of output."""
    image = request.inputs
    location = image.within if isinstance(image, ImagePart) else image
    if not isinstance(location, str | os.PathLike) or not makers.get(place_of(location), set()) - {request.number}:
        return False
    written = os.fsdecode(location)
    complete, record = run_of_output(written)
    return complete or record is not None or is_written_by_run(written)


def _check_outputs_apart(planned: Mapping[Place, PredictionRequest]) -> None:
    for outer, inner in nested_places(planned, planned):
        if outer != inner:
            raise OutputError(
                f"the output {inner.location} of {planned[inner].name} is, or lies within, "
                f"the output {outer.location} of {planned[outer].name}: expected outputs beside each other"
            )


def _check_images_apart(planned: Mapping[Place, PredictionRequest]) -> None:
    """Refuse outputs that would overwrite one of the images, or lie within an array of another image."""
    sources = {p: r for r in planned.values() for i in r.images for p in places_of(i)}
    for output, image in nested_places(planned, sources):
        raise OutputError(
            f"the output {output.location} of {planned[output].name} would overwrite {image.location}, an image to predict: "
            "give different names"
        )
    for image, output in nested_places(sources, planned):
        if planned[output] is not sources[image] and lies_within_array(output, image):
            raise OutputError(
                f"the output {output.location} of {planned[output].name} would lie within {image.location}, an image to predict: "
                "give different names"
            )
