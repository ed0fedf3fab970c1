"""Layers as napari takes them: data, attributes and type of each, with lazily read levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from ..errors import MissingRequirementError
from ..typing import AxisId
from .layer import Channel, Layer
from .level_array import ORDER, LevelArray
from .placement import Space, space_of

__all__ = ["LayerData", "napari_layers", "view_in_napari"]

LayerData: TypeAlias = tuple[Any, dict[str, Any], str]
"""What napari calls a layer data tuple."""

CHUNK = 2**20
"""Pixels of a dask chunk of an image that has no chunks of its own."""


def napari_layers(layers: Sequence[Layer]) -> list[LayerData]:
    """Return layers for napari, each channel of an image as a layer; nothing is read.

    All have the same axes in the same order, as napari aligns layers by their last axes; an axis that a layer lacks has one pixel.
    """
    space = space_of(layers)
    axes = tuple(sorted({axis for layer in layers for axis in layer.axes if axis != "channel"}, key=lambda axis: ORDER.get(axis, 1)))
    return [data for layer in layers for data in _of_layer(layer, axes, space)]


def _of_layer(layer: Layer, axes: tuple[AxisId, ...], space: Space) -> list[LayerData]:
    placed = [space.place(layer, axis) for axis in axes]
    common: dict[str, Any] = {
        "name": layer.name,
        "scale": [one.size for one in placed],
        "translate": [one.position for one in placed],
        "units": [one.unit or "pixel" for one in placed],
        "axis_labels": list(axes),
        "metadata": {"is_output": layer.is_output},
    }
    arrays = [_dask_array(level) for level in layer.levels]
    if layer.kind == "labels":
        if layer.axes[0] == "channel":
            arrays = [array[0] for array in arrays]
        own: dict[str, Any] = {}
        if layer.table is not None:
            own["features"] = {"index": layer.table["id"], **_columns(layer.table)}
        if layer.colours:
            colours = {number: [*(part / 255 for part in colour), 1.0] for number, colour in layer.colours.items()}
            own["colormap"] = {None: [0.5, 0.5, 0.5, 1.0], 0: [0.0, 0.0, 0.0, 0.0], **colours}
        return [(_levels(arrays, layer, axes), {**common, **own}, "labels")]
    found: list[LayerData] = []
    split = layer.axes[0] == "channel"
    for number in range(layer.size("channel") if split else 1):
        shown = layer.channels[number] if number < len(layer.channels) else layer.channels[0]
        name = f"{layer.name} {shown.name if number < len(layer.channels) else number}" if split else layer.name
        chosen = [array[number] for array in arrays] if split else arrays
        found.append((_levels(chosen, layer, axes), {**common, **_image_attributes(shown, layer, first=not found), "name": name}, "image"))
    return found


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


def _levels(arrays: Sequence[Any], layer: Layer, axes: tuple[AxisId, ...]) -> Any:
    """Return the array of one level, or a list of several, with the axes that all layers have."""
    own = [axis for axis in layer.axes if axis != "channel"]
    index = tuple(slice(None) if axis in own else None for axis in axes)
    levels = [array[index] for array in arrays]
    return levels if len(levels) > 1 else levels[0]


def _dask_array(level: LevelArray) -> Any:
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
