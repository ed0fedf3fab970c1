"""The image that a picture shows, and where its pixels are in the outputs, also of a chain of models."""

from __future__ import annotations

import attrs

from ...prediction.chain.predicted_image import EarlierOutput, PredictedReader
from ...prediction.planning.plan import Plan
from ...prediction.planning.planned_tensors import PlannedInput, PlannedOutput
from ...typing import AxisId
from .shown_planes import Span

__all__ = ["Follows", "ShownImage", "shown_image"]


@attrs.frozen(kw_only=True)
class Follows:
    """How positions along an axis of an output follow from those of the image: ``image * scale + shift``."""

    scale: float = 1.0
    shift: float = 0.0

    def then(self, following: Follows) -> Follows:
        """Return how positions follow in two steps."""
        return Follows(scale=self.scale * following.scale, shift=self.shift * following.scale + following.shift)

    def image_span(self, size: int, limit: int) -> Span:
        """Return the part of an image of `limit` pixels that an output of `size` pixels shows."""
        return _clipped(-self.shift / self.scale, (size - self.shift) / self.scale, limit)

    def output_span(self, span: Span, size: int) -> Span:
        """Return the part of an output of `size` pixels that shows a part of the image."""
        return _clipped(span[0] * self.scale + self.shift, span[1] * self.scale + self.shift, size)


def _clipped(start: float, stop: float, size: int) -> Span:
    """Return a span within an axis, of one pixel at least."""
    low = min(max(round(start), 0), size - 1)
    return low, max(low + 1, min(round(stop), size))


@attrs.frozen(kw_only=True)
class ShownImage:
    """An image of the user, at the start of a chain of models."""

    planned: PlannedInput
    links: tuple[tuple[PlannedOutput, PlannedInput], ...] = ()
    """Outputs of earlier models, each with the input of the next model that it is; empty for a single model."""

    def follow(self, output: PlannedOutput, axis: AxisId) -> Follows | None:
        """Return how an axis of an output follows from the image; None if the image, or an output between them, does not have it."""
        found, image = Follows(), self.planned
        for number in range(len(self.links) + 1):
            earlier = self.links[number][0] if number < len(self.links) else output
            if axis not in earlier.axes or axis not in image.bound.axes:
                return None
            found = found.then(_follow(image, earlier, axis))
            if number < len(self.links):
                image = self.links[number][1]
                found = found.then(Follows(shift=-_start(image, axis)))
        return found


def shown_image(plan: Plan) -> ShownImage | None:
    """Return the first image of a plan with axes y and x; None where there is none."""
    image = next((i for i in plan.inputs if {"y", "x"} <= set(i.bound.axes)), None)
    if image is None:
        return None
    reader = image.bound.image.reader
    if not isinstance(reader, EarlierOutput | PredictedReader):
        return ShownImage(planned=image)
    first = shown_image(reader.plan)
    return None if first is None else attrs.evolve(first, links=(*first.links, (reader.output, image)))


def _start(image: PlannedInput, axis: AxisId) -> int:
    """Return where an image starts within the output that it is a part of."""
    axes, start = image.bound.image.axes, image.bound.image.start
    return start[axes.index(axis)] if start and axes is not None and axis in axes else 0


def _follow(image: PlannedInput, output: PlannedOutput, axis: AxisId) -> Follows:
    """Return how an axis follows from the image, also in a region of interest and where convolutions crop."""
    n, m = output.axes.index(axis), image.bound.axes.index(axis)
    tie, base = output.ties[n], image.ties[m]
    if tie is None or base is None or tie.grid != base.grid:
        return Follows(scale=output.shape[n] / image.bound.shape[m])
    return Follows(scale=float(tie.tied.ratio / base.tied.ratio), shift=tie.tied.offset / 2 - output.origin[n])
