"""Plans of images that look alike, as those of a plate or of a time series: made once, then given to each further image."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import attrs

from ...io import Image, local_path
from ...io.reading.rescaled import Resampler
from ..data.bind_inputs import BoundInput
from ..options import PlanOptions
from .plan import Plan

__all__ = ["AlikePlans"]

OWN = ("name", "location", "part", "arrays", "reader")
"""Fields of `Image` in which images that look alike differ."""

KEPT = 4
"""Plans that are kept: images of a few kinds, or one kind with other options, may alternate."""


class AlikePlans:
    """The latest plans of a predictor; each serves further images that differ from its own in nothing that a plan depends on."""

    def __init__(self) -> None:
        self._latest: deque[tuple[Any, Plan]] = deque(maxlen=KEPT)

    def plan_of(self, request: Any, inputs: Sequence[BoundInput], options: PlanOptions) -> Plan | None:
        """Return a plan with these images in place of its own; None if they need a plan of their own.

        Args:
            request: All that the plan depends on beside the images.
            inputs: The images.
            options: How to predict.

        """
        if not _by_look(inputs, options):
            return None
        looks = [_look(b) for b in inputs]
        for known, plan in tuple(self._latest):
            if known == request and looks == [_look(p.bound) for p in plan.inputs]:
                planned = tuple(attrs.evolve(p, bound=b) for p, b in zip(plan.inputs, inputs, strict=True))
                return attrs.evolve(plan, inputs=planned, statistics_file=options.statistics.path)
        return None

    def keep(self, request: Any, plan: Plan, options: PlanOptions) -> None:
        """Keep a plan, unless it depends on pixels, names or places of its images."""
        named = any(p.bound.image.name in line for line in plan.warnings for p in plan.inputs)
        if not named and _by_look([p.bound for p in plan.inputs], options):
            self._latest.appendleft((request, plan))


def _by_look(inputs: Sequence[BoundInput], options: PlanOptions) -> bool:
    """Return whether a plan depends on no more of its images than their looks: not on a mask, on statistics of single images, on what
    they are resampled from, or on arrays in memory.
    """
    in_files = all(b.image.location is not None and not isinstance(b.image.reader, Resampler) for b in inputs)
    return in_files and options.mask is None and not options.statistics.images


def _look(bound: BoundInput) -> tuple[Any, ...]:
    """Return what a plan may depend on."""
    image = bound.image
    of_image = [getattr(image, field.name) for field in attrs.fields(Image) if field.name not in OWN]
    of_binding = [getattr(bound, field.name) for field in attrs.fields(BoundInput) if field.name != "image"]
    is_remote = image.location is not None and local_path(image.location) is None
    return is_remote, *of_image, *of_binding
