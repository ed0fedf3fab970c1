"""Outputs in the group ``labels`` of an OME-Zarr image: they are labels of this image, in its version of the format."""

from __future__ import annotations

import attrs
import numpy as np

from ...errors import OutputError
from ...io.writing.label_images import LabelsPlace, check_integers, labels_place
from ..options import PredictOptions
from ..planning.plan import Plan

__all__ = ["as_labels", "check_labels"]


def as_labels(options: PredictOptions, output: str) -> PredictOptions:
    """Return options that write an output as OME-Zarr if it is to be labels of an image.

    Raises:
        OutputError: The options ask for another version than that of the image, or the output is the group of all labels.

    """
    place = _named_labels(output)
    if place is None or options.ome == place.version:
        return options
    if options.ome != "auto":
        raise OutputError(
            f"{output} would be labels of an OME-Zarr {place.version} image: expected "
            f"ome='{place.version}' (--ome {place.version}), found {options.ome}"
        )
    return attrs.evolve(options, ome=place.version)


def check_labels(plan: Plan, output: str) -> None:
    """Refuse an output in the group ``labels`` of an image that would not be labels of it.

    Raises:
        OutputError: The output is the group of all labels, is planned as plain zarr or in another version of OME-Zarr than the image,
            or an array has no integers, or integers that stand for other values, as for probabilities.

    """
    place = _named_labels(output)
    if place is None:
        return
    versions = [image.version for image in plan.ome.values()]
    if place.version not in versions:
        found = f"OME-Zarr {versions[0]}" if versions else "plain zarr"
        raise OutputError(
            f"{output} would be labels of an OME-Zarr {place.version} image: "
            f"expected a plan for this output, or with ome={place.version!r}, found a plan for {found}"
        )
    for name, image in plan.ome.items():
        check_integers(f"output {name!r}", image.dtype)
        factor, offset = image.attributes.get("scale_factor", 1.0), image.attributes.get("add_offset", 0.0)
        if (factor, offset) != (1.0, 0.0):
            most = np.iinfo(image.dtype).max
            raise OutputError(
                f"output {name!r} is {image.dtype} that stands for floats in steps of {factor:.3g}, but labels of an image are ids: "
                f"make labels of it with an op, postprocessing= (--post), give value_range=(0, {most}) "
                f"(--value-range 0,{most}) if its values "
                "are labels, or write it elsewhere"
            )


def _named_labels(output: str) -> LabelsPlace | None:
    place = labels_place(output)
    if place is not None and not place.name:
        raise OutputError(f"{output} is the group of all labels of {place.image}: expected a name in it, as in {output.rstrip('/')}/nuclei")
    return place
