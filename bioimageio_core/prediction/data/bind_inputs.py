"""The user's images, matched to the inputs of a model."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...blocks import FixedSize, SteppedSize, Window
from ...errors import AxesError, ChannelError, InputError, PredictionWarning
from ...io import Image, open_image
from ...io.reading.rescaled import Resampler
from ...typing import AxisId
from ..model.tensor_spec import AxisIO, ModelIO, TensorIO
from ..option_values import check_tensor_ids, value_for_tensor
from ..options import PlanOptions
from .match_axes import match_axes
from .pixel_size import fit_pixel_size, with_given_pixel_size

__all__ = ["BoundInput", "bind_inputs", "pad_windows", "warn_of_images"]


@attrs.frozen(kw_only=True)
class BoundInput:
    """An image along the axes of a model input, after extra axes that the model lacks."""

    tensor: TensorIO
    image: Image
    axes: tuple[AxisId, ...]
    """Extra axes, then the axes of the tensor in described order."""

    source_axes: tuple[int | None, ...]
    """For each of `axes`: its position among the axes of the image; None where the image lacks it."""

    axes_guessed: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def guess(self) -> tuple[str, ...]:
        """A line about axes that are guessed; none where they are known."""
        guessed = f"axes of {self.image.name} guessed: {','.join(self.image.axes or ())} (give axes= (--axes) if that is wrong)"
        return (guessed,) * self.axes_guessed

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the image."""
        return self.image.dtype

    @property
    def extra_axes(self) -> tuple[AxisId, ...]:
        """Axes of the image that the model lacks."""
        return self.axes[: len(self.axes) - len(self.tensor.axes)]

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along each of `axes`; 1 where the image lacks the axis."""
        return tuple(1 if n is None else self.image.shape[n] for n in self.source_axes)

    @property
    def chunks(self) -> tuple[int, ...]:
        """Chunk size of the storage along each of `axes`; 1 where the image has no chunks."""
        chunks = self.image.chunks or (1,) * len(self.image.shape)
        return tuple(1 if n is None else chunks[n] for n in self.source_axes)

    @property
    def resampled(self) -> dict[AxisId, tuple[int, float]]:
        """Size before, and pixels per pixel before, by axis, of an image that is resampled; empty for others."""
        reader, axes = self.image.reader, self.image.axes
        if not isinstance(reader, Resampler) or axes is None:
            return {}
        return {axis: (size, factor) for axis, size, factor in zip(axes, reader.image.shape, reader.factors, strict=True) if factor != 1}

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return the region ``[start, stop)`` along `axes`, unpadded, in the dtype of the image."""
        index = [slice(0, n) for n in self.image.shape]
        for n, low, high in zip(self.source_axes, start, stop, strict=True):
            if n is not None:
                index[n] = slice(low, high)
        region = self.image.read(tuple(index))
        present = [n for n in self.source_axes if n is not None]
        # A channel axis with a single channel, which the model lacks, is not among `axes`.
        dropped = [n for n in range(region.ndim) if n not in present]
        region = region.transpose([*present, *dropped]).reshape([region.shape[n] for n in present])
        return region[tuple(np.newaxis if n is None else slice(None) for n in self.source_axes)]

    def read_padded(self, windows: Sequence[Window]) -> NDArray[Any]:
        """Return the region that the windows describe along each of `axes`, padded as the input describes."""
        region = self.read([w.start for w in windows], [w.stop for w in windows])
        return pad_windows(region, windows, self.tensor.pad_value)


def warn_of_images(inputs: Iterable[BoundInput]) -> None:
    """Warn of guessed axes, and of what is doubtful about images.

    Warns:
        PredictionWarning: Once for each line.

    """
    for bound in inputs:
        for line in (*bound.guess, *bound.warnings):
            warnings.warn(line, PredictionWarning, stacklevel=4)


def pad_windows(region: NDArray[Any], windows: Sequence[Window], value: float) -> NDArray[Any]:
    """Return a region padded by its windows, with ``value`` where a window contains -1."""
    for axis, w in enumerate(windows):
        if w.is_plain and w.core == (0, region.shape[axis]):
            continue
        order = np.concatenate([w.before, np.arange(*w.core), w.after]).astype(np.intp)
        outside = order < 0
        if outside.all():  # all constant: the region may be empty, with nothing to copy
            shape = list(region.shape)
            shape[axis] = order.size
            region = np.full(shape, value, region.dtype)
            continue
        region = np.take(region, np.where(outside, 0, order), axis)
        if outside.any():
            region[(slice(None),) * axis + (outside,)] = value
    return region


def bind_inputs(model: ModelIO, inputs: Any, options: PlanOptions) -> tuple[BoundInput, ...]:
    """Match images to the inputs of a model.

    Args:
        model: The model.
        inputs: One image (array or path) for a model with one input, or a mapping by tensor id.
        options: `axes`, `channel`, `level`, `scene`, `pixel_size` and `rescale` are used.

    Raises:
        InputError: An input is missing, unknown, an output of another model that is not given by name, or has a dtype that the model
            cannot take without loss; or an option is given for an input that the model lacks.
        AxesError: The axes of an image are unknown or do not match the input.
        ChannelError: The channels of an image do not match the input.

    """
    ids = [t.id for t in model.inputs]
    for name, option in (("axes", options.axes), ("channel", options.channel)):
        check_tensor_ids(name, option, ids, "input")
    by_id = _by_id(model, inputs)
    return tuple(_bind(t, by_id[t.id], options) for t in model.inputs if t.id in by_id)


def _by_id(model: ModelIO, inputs: Any) -> dict[str, Any]:
    ids = [t.id for t in model.inputs]
    if not isinstance(inputs, Mapping):
        required = [t.id for t in model.inputs if not t.optional]
        if len(required) > 1:
            raise InputError(
                f"the model takes {len(required)} inputs: expected one image for each of {', '.join(required)}, found a single image"
            )
        taken = (required or ids)[0]
        chained = model.tensor(taken).output_of
        if chained is not None:
            raise InputError(
                f"input {taken!r} takes the output {taken!r} of the model {chained!r}, which is not run in the same call: "
                f"predict with that model first, and give its output by name, as in {{{taken!r}: output}} ({taken}=PATH)"
            )
        return {taken: inputs}
    unknown = [str(k) for k in inputs if k not in ids]
    missing = [t.id for t in model.inputs if not t.optional and t.id not in inputs]
    if unknown or missing:
        parts = ["unknown: " + ", ".join(unknown)] * bool(unknown) + ["missing: " + ", ".join(missing)] * bool(missing)
        raise InputError(f"inputs do not match the model, whose inputs are {', '.join(ids)} ({'; '.join(parts)})")
    return dict(inputs)


def _bind(tensor: TensorIO, source: Any, options: PlanOptions) -> BoundInput:
    image = open_image(source, level=options.level, scene=options.scene)
    check_has_pixels(image)
    _check_dtype(tensor, image)
    matched = match_axes(tensor, image, value_for_tensor(options.axes, tensor.id))
    image = _select_channels(tensor, matched.image, value_for_tensor(options.channel, tensor.id))
    image, overruled = with_given_pixel_size(tensor, image, options.pixel_size)
    image, differing = fit_pixel_size(tensor, image, rescale=options.rescale)
    assert image.axes is not None
    ids = tensor.axis_ids
    extra = tuple(a for a in image.axes if a not in ids and not (a == "channel" and image.shape[image.axes.index(a)] == 1))
    axes = extra + ids
    numbers = tuple(image.axes.index(a) if a in image.axes else None for a in axes)
    bound = BoundInput(
        tensor=tensor,
        image=image,
        axes=axes,
        source_axes=numbers,
        axes_guessed=matched.guessed,
        warnings=(*matched.warnings, *overruled, *differing),
    )
    for axis, size in zip(tensor.axes, bound.shape[len(extra) :], strict=True):
        _check_whole_axis(tensor, axis, size, image)
    return bound


def check_has_pixels(image: Image) -> None:
    """Refuse an empty image.

    Raises:
        InputError: It has no pixels.

    """
    if 0 in image.shape:
        raise InputError(f"{image.name} is empty (shape {image.shape}): expected at least one pixel")


def _check_dtype(tensor: TensorIO, image: Image) -> None:
    required = np.dtype(tensor.dtype)
    if required.kind != "f" and not np.can_cast(image.dtype, required, "safe"):
        raise InputError(
            f"{image.name} has dtype {image.dtype}, which does not fit into the {required} of input {tensor.id!r}: "
            f"convert the image to {required} first, with the scaling that the model was trained with"
        )


def _check_whole_axis(tensor: TensorIO, axis: AxisIO, size: int, image: Image) -> None:
    """Check the size of an axis that is neither cut nor padded."""
    if axis.kind not in ("channel", "index") or axis.concatenable or not isinstance(axis.size, FixedSize | SteppedSize):
        return
    if axis.size.smallest(size) == size:
        return
    if axis.kind == "channel":
        required = ", ".join(axis.channel_names or ()) or str(axis.size)
        raise ChannelError(
            f"{image.name} has {_channels(image)}, input {tensor.id!r} takes {axis.size} ({required}): "
            "choose with channel= (--channel), by name or number"
        )
    raise AxesError(f"{image.name} has {size} pixels along axis {axis.id!r}, input {tensor.id!r} takes {axis.size}")


def _channels(image: Image) -> str:
    """Return the channels of an image in words."""
    assert image.axes is not None
    n = image.shape[image.axes.index("channel")] if "channel" in image.axes else 0
    names = f" ({', '.join(image.channel_names)})" if image.channel_names else ""
    return f"{n} channel{'s' * (n != 1)}{names}" if n else "no channel axis"


def _select_channels(tensor: TensorIO, image: Image, channel: Any) -> Image:
    assert image.axes is not None
    if channel is not None:
        if "channel" not in image.axes:
            raise ChannelError(f"{image.name} has no channel axis (axes {', '.join(image.axes)}), so channel {channel!r} cannot be chosen")
        return image.select("channel", channel)
    if "channel" in image.axes and tensor.axis("channel") is None and image.shape[image.axes.index("channel")] > 1:
        raise ChannelError(
            f"{image.name} has {_channels(image)}, input {tensor.id!r} has no channel axis: "
            "choose one with channel= (--channel), by name or number"
        )
    return image
