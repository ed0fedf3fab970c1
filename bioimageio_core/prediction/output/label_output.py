"""Outputs in the group ``labels`` of an OME-Zarr image: they are labels of this image, in its version of the format."""

from __future__ import annotations

import attrs

from ...errors import OutputError
from ...io.writing.label_images import check_integers, version_of_labelled_image
from ..options import PredictOptions
from ..planning.plan import Plan

__all__ = ["as_labels", "check_labels"]


def as_labels(options: PredictOptions, output: str) -> PredictOptions:
    """Return options that write an output as OME-Zarr if it is to be labels of an image.

    Raises:
        OutputError: The options ask for another version than that of the image.

    """
    version = version_of_labelled_image(output)
    if version is None or options.ome == version:
        return options
    if options.ome is not None:
        raise OutputError(f"{output} would be labels of an OME-Zarr {version} image: expected ome= (--ome) {version}, found {options.ome}")
    return attrs.evolve(options, ome=version)


def check_labels(plan: Plan, output: str) -> None:
    """Refuse labels of an image that are no integers.

    Raises:
        OutputError: An output has another dtype.

    """
    if plan.ome and version_of_labelled_image(output) is not None:
        for name, image in plan.ome.items():
            check_integers(f"output {name!r}", image.dtype)
