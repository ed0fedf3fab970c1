"""Layers as napari takes them: data, attributes and type of each, with lazily read levels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from ..errors import MissingRequirementError
from ..typing import AxisId
from .coarse_levels import CoarseLevel, coarse_levels
from .layer import Channel, Layer
from .level_array import ORDER, LevelArray
from .placement import Space, space_of

__all__ = ["LayerData", "napari_layers", "view_in_napari"]

LayerData: TypeAlias = tuple[Any, dict[str, Any], str]
"""What napari calls a layer data tuple."""

CHUNK = 2**20
"""Pixels of a dask chunk of an image that has no chunks of its own."""


def napari_layers(layers: Sequence[Layer]) -> list[LayerData]:
    """Return layers for napari; nothing is read.

    Each channel that is shown is a layer, but pictures are one, and many channels are an axis with a slider.
    napari holds all of the coarsest level in memory, so an image has coarser levels, computed where they are shown, until one is small.
    All have the same axes in the same order, as napari aligns layers by their last axes; an axis that a layer lacks has one pixel.
    """
    space = space_of(layers)
    axes = tuple(sorted({axis for layer in layers for axis in _sliders(layer)}, key=lambda axis: ORDER.get(axis, 1)))
    return [data for layer in layers for data in _of_layer(layer, axes, space)]


def _sliders(layer: Layer) -> tuple[AxisId, ...]:
    """Return the axes of a layer in napari: those whose positions are not layers of their own, or colours."""
    return tuple(axis for axis in layer.axes if axis != "channel" or len(layer.channels) <= 1)


def _of_layer(layer: Layer, axes: tuple[AxisId, ...], space: Space) -> list[LayerData]:
    placed = [space.place(layer, axis) for axis in axes]
    common: dict[str, Any] = {
        "name": layer.name,
        "scale": [one.size for one in placed],
        "translate": [one.position for one in placed],
        "units": [one.unit or "pixel" for one in placed],
        "axis_metadata": list(axes),
        "metadata": {"is_output": layer.is_output},
    }
    levels: list[LevelArray | CoarseLevel] = [*layer.levels, *coarse_levels(layer)]
    arrays = [_dask_array(level) for level in levels]
    # Axes that the layer lacks have one pixel; channels, if they are no axis in napari, are chosen before.
    index = tuple(slice(None) if axis in layer.axes else None for axis in axes)
    if layer.kind == "labels":
        return [(_levels(array[index] for array in arrays), {**common, **_labels_attributes(layer)}, "labels")]
    if layer.has_true_colours:
        pictures = (_last([array[number][index] for number in range(3)]) for array in arrays)
        return [(_levels(pictures), {**common, "rgb": True}, "image")]
    found: list[LayerData] = []
    for number, channel in enumerate(layer.channels):
        several = len(layer.channels) > 1
        data = _levels((array[number] if several else array)[index] for array in arrays)
        name = f"{layer.name} {channel.name}" if several else layer.name
        found.append((data, {**common, **_image_attributes(channel, layer, first=number == 0), "name": name}, "image"))
    return found


def _labels_attributes(layer: Layer) -> dict[str, Any]:
    own: dict[str, Any] = {}
    if layer.table is not None:
        own["features"] = {"index": layer.table["id"], **_columns(layer.table)}
    if layer.colours:
        colours = {number: [*(part / 255 for part in colour), 1.0] for number, colour in layer.colours.items()}
        own["colormap"] = {None: [0.5, 0.5, 0.5, 1.0], 0: [0.0, 0.0, 0.0, 0.0], **colours}
    return own


def _image_attributes(channel: Channel, layer: Layer, *, first: bool) -> dict[str, Any]:
    red, green, blue = (part / 255 for part in channel.colour)
    return {
        "contrast_limits": list(channel.limits),
        "colormap": np.array([[0.0, 0.0, 0.0, 1.0], [red, green, blue, 1.0]]),
        "blending": "translucent" if first and not layer.is_output else "additive",
        "opacity": 0.6 if layer.is_output else 1.0,
    }


def _columns(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: table[name] for name in table if name not in ("id", "index")}


def _levels(arrays: Iterable[Any]) -> Any:
    """Return the array of one level, or a list of several."""
    levels = list(arrays)
    return levels if len(levels) > 1 else levels[0]


def _last(arrays: Sequence[Any]) -> Any:
    """Return arrays as one, side by side along a new last axis."""
    import dask.array as da

    return da.stack(arrays, axis=-1)


def _dask_array(level: LevelArray | CoarseLevel) -> Any:
    import dask.array as da

    chunks: Any = level.chunks
    if chunks is None:
        chunks = tuple(1 if axis not in ("y", "x") else min(n, int(CHUNK**0.5)) for axis, n in zip(level.axes, level.shape, strict=True))
    return da.from_array(level, chunks=chunks, name=False, asarray=False, meta=np.empty((0,) * level.ndim, level.dtype))


def view_in_napari(layers: Sequence[Layer]) -> Any:
    """Open napari with layers and return its viewer; ``napari.run()`` shows it outside of notebooks and consoles.

    Raises:
        MissingRequirementError: napari is not installed.

    """
    try:
        import napari
    except ModuleNotFoundError as error:
        raise MissingRequirementError(f"napari needs {error.name}: pip install 'napari[all]'") from error
    viewer = napari.Viewer(title=", ".join(layer.name for layer in layers))
    for data, attributes, kind in napari_layers(layers):
        getattr(viewer, f"add_{kind}")(data, **attributes)
    return viewer
