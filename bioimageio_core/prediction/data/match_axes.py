"""Matches the axes of an image with those of an input: by name where the image has names, else by a guess."""

from __future__ import annotations

from typing import Any

import attrs

from ...axis_names import LETTER_OF, SPACE, axis_of_name
from ...blocks import FixedSize
from ...errors import AxesError
from ...io import Image
from ...typing import AxisId, FrozenMapping
from ..model.tensor_spec import TensorIO

__all__ = ["MatchedAxes", "match_axes"]


@attrs.frozen(kw_only=True)
class MatchedAxes:
    """An image with the axes that it is predicted with."""

    image: Image
    guessed: bool
    warnings: tuple[str, ...]


def match_axes(tensor: TensorIO, image: Image, given: Any) -> MatchedAxes:
    """Return the image with axes: the given ones, else those that it names, else a guess.

    Args:
        tensor: The input.
        image: The image as its source describes it.
        given: Axes that the user gives, as `parse_axes` reads them; None for those of the image.

    Raises:
        AxesError: Axes are of the wrong number, cannot be guessed, or leave open which of them are those of the input.

    """
    warnings: tuple[str, ...] = ()
    if given is not None:
        chosen = image.with_axes(given)
        if _contradict(image, chosen):
            warnings = (
                f"{image.name} names its axes {','.join(image.axes or ())}, which {','.join(chosen.axes or ())} contradicts: "
                "the latter are used, as given with axes= (--axes)",
            )
    else:
        chosen = image if image.axes is not None else image.with_axes(_guess_axes(tensor, image))
    chosen = _named_as_in_model(tensor, chosen)
    _check_space(tensor, chosen)
    return MatchedAxes(image=chosen, guessed=given is None and image.axes is None, warnings=warnings)


def _contradict(image: Image, chosen: Image) -> bool:
    """Return whether an image names an axis that is chosen to be a different one; a name that is not understood contradicts nothing."""
    return any(a != b and a in LETTER_OF for a, b in zip(image.axes or (), chosen.axes or (), strict=False))


def _named_as_in_model(tensor: TensorIO, image: Image) -> Image:
    """Return the image with the spatial axes as the model writes them, which may be ``height`` and ``width``."""
    assert image.axes is not None
    own = {axis_of_name(a.id): a.id for a in tensor.axes if a.kind == "space"}
    return attrs.evolve(
        image,
        axes=tuple(own.get(a, a) for a in image.axes),
        pixel_size=FrozenMapping({own.get(a, a): size for a, size in image.pixel_size.items()}),
        position=FrozenMapping({own.get(a, a): at for a, at in image.position.items()}),
    )


def _check_space(tensor: TensorIO, image: Image) -> None:
    """Refuse an image that could only be predicted pixel by pixel or line by line, since its spatial axes have different names.

    Axes that the model lacks are predicted position by position: time, channels, batch and index in any case,
    others only beside all spatial axes of the input, since otherwise one of them may be meant.
    """
    assert image.axes is not None
    space = [a.id for a in tensor.axes if a.kind == "space"]
    missing = [a for a in space if a not in image.axes]
    unclear = [a for a in image.axes if a not in tensor.axis_ids and (a in SPACE or a not in LETTER_OF)]
    if missing and (unclear or len(missing) == len(space)):
        raise AxesError(
            f"{image.name} has the axes {', '.join(image.axes)}, and input {tensor.id!r} expects {', '.join(space)} among them: "
            f"found no {' or '.join(missing)}; name the axes of the image with axes= (--axes), as in {_example(tensor, len(image.shape))!r}"
        )


def _guess_axes(tensor: TensorIO, image: Image) -> tuple[AxisId, ...]:
    """Return the most plausible axes of an image without axes.

    Candidates in order: all axes of the tensor, without batch, without batch and channel; each as described, then with channels last.
    A mismatch in the number of channels or in a fixed index size rules a candidate out.
    """
    ids = tensor.axis_ids
    without_batch = tuple(a for a in ids if a != "batch")
    spatial = tuple(a for a in without_batch if a != "channel")
    candidates: list[tuple[AxisId, ...]] = []
    for some in (ids, without_batch, spatial):
        candidates += [some, tuple(a for a in some if a != "channel") + ("channel",) * ("channel" in some)]
    for axes in candidates:
        if len(axes) == len(image.shape) and all(_plausible(tensor, a, n) for a, n in zip(axes, image.shape, strict=True)):
            return axes
    raise AxesError(
        f"{image.name} has {len(image.shape)} axes of sizes {image.shape}, which fit no part of the axes of input {tensor.id!r} "
        f"({', '.join(ids)}): name the axes of the image with axes= (--axes), as in {_example(tensor, len(image.shape))!r}"
    )


def _plausible(tensor: TensorIO, axis_id: AxisId, size: int) -> bool:
    axis = tensor.axis(axis_id)
    if axis is None or axis.kind not in ("channel", "index") or not isinstance(axis.size, FixedSize):
        return True
    return axis.size.value == size


def _example(tensor: TensorIO, rank: int) -> str:
    """Return an example for ``axes`` with this number of axes."""
    letters = {"batch": "b", "time": "t", "index": "i", "channel": "c"}
    spatial = [a.id for a in tensor.axes if a.kind == "space"]
    more = [a for a in ("channel", "time", "z", "batch", "index") if a not in spatial]
    chosen = set(more[: max(0, rank - len(spatial))])
    order = [a for a in ("batch", "time", "index", "channel", "z") if a in chosen]
    names = [letters.get(a, a) for a in [*order, *spatial][-rank:]]
    return "".join(names) if all(len(n) == 1 for n in names) else ",".join(names)
