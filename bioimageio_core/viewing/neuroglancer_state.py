"""What neuroglancer shows: axes, layers with shaders and colours, layout, position and zoom; plain data, as its JSON has it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from ..typing import AxisId
from ..units import METRES, SECONDS
from .coarse_regions import shown_dtype
from .layer import Channel, Layer, as_hex
from .placement import Space

__all__ = ["Dimension", "dimensions", "viewer_state"]

GLOBAL = ("x", "y", "z", "time")
"""Axes that all layers share; each layer has a slider of its own for all others."""

WIDTH, HEIGHT = 850, 700
"""Pixels of the screen within which the first image fits at the beginning."""

COLUMNS = 4
"""Columns of a table that are listed at the beginning; all others are listed on request."""

OBLIQUE = (0.37, 0.22, 0.09, 0.9)
"""The orientation of the view in three dimensions, as a quaternion: all three planes are seen."""

MAP_OPACITY = 0.6
"""Opacity of outputs over the image."""


@attrs.frozen(kw_only=True)
class Dimension:
    """An axis of a layer as neuroglancer has it."""

    name: str
    axis: AxisId | None
    """The axis of the layer; None for the axis z of planes."""

    size: int
    """Number of pixels."""

    scale: float
    """Size of a pixel in `unit`."""

    unit: str
    """``m``, ``s``, or empty where no unit is known."""

    offset: float
    """Where the first pixel begins, counted in pixels of this layer."""


def dimensions(layer: Layer, space: Space) -> tuple[Dimension, ...]:
    """Return the dimensions of a layer in the order of neuroglancer, the reverse of that of its axes; planes have one pixel along z.

    Positions are counted so that the first pixel of the first layer begins at its position, which is mostly 0.
    """
    axes = [*reversed(layer.axes)]
    if "z" not in axes:
        axes.insert(2, "z")
    return tuple(_dimension(layer, axis, space) for axis in axes)


def _dimension(layer: Layer, axis: AxisId, space: Space) -> Dimension:
    present = axis in layer.axes
    if axis not in GLOBAL:
        channels = axis == "channel" and len(layer.channels) > 1
        name = "c" if axis == "channel" else re.sub(r"^[^a-zA-Z]|\W", "_", axis, flags=re.ASCII).lstrip("_") or "other"
        return Dimension(name=name + ("^" if channels else "'"), axis=axis, size=layer.size(axis), scale=1.0, unit="", offset=0.0)
    placed = space.place(layer, axis)
    first = space.axes.get(axis, placed)
    if axis == "z" and "z" not in space.axes and "y" in space.axes:  # a plane is as thick as its pixels are wide
        placed = first = attrs.evolve(space.axes["y"], position=0.0)
    factor, unit = _si(placed.unit)
    return Dimension(
        name="t" if axis == "time" else axis,
        axis=axis if present else None,
        size=layer.size(axis),
        scale=placed.size * factor,
        unit=unit,
        offset=(placed.position + first.size / 2) / placed.size - 0.5,
    )


def _si(unit: str | None) -> tuple[float, str]:
    for units, base in ((METRES, "m"), (SECONDS, "s")):
        if unit is not None and unit in units:
            return units[unit], base
    return 1.0, ""


def pixel_source(url: str) -> dict[str, Any]:
    """Return a volume as the source of the pixels of a layer alone."""
    return {"url": url, "subsources": {"bounds": False, "meshes": False}}


def surface_source(url: str) -> dict[str, Any]:
    """Return a volume as the source of surfaces of objects alone."""
    return {"url": url, "enableDefaultSubsources": False, "subsources": {"meshes": True}}


def table_source(url: str) -> dict[str, Any]:
    """Return a URL as the source of properties of objects."""
    return {"url": f"precomputed://{url}"}


def viewer_state(layers: Sequence[Layer], space: Space, sources: Sequence[Sequence[dict[str, Any]]]) -> dict[str, Any]:
    """Return the state of the viewer.

    Args:
        layers: What is shown; the first layer is all that is in sight at the beginning.
        space: The space of the layers.
        sources: For each layer the source of its pixels, then those of surfaces and a table of objects, where it has them.

    """
    shared: dict[str, Dimension] = {}
    for layer in layers:
        for one in dimensions(layer, space):
            if not one.name.endswith(("'", "^")):
                shared.setdefault(one.name, one)
    finest = min(shared[axis].scale for axis in "xyz")
    extents = {axis: shared[axis].size * shared[axis].scale / finest for axis in "xyz"}
    panes = 2 if any(layer.size("z") > 1 for layer in layers) else 1  # along x and y
    state = {
        "title": ", ".join(layer.name for layer in layers),
        "dimensions": {name: [one.scale, one.unit] for name, one in shared.items()},
        "position": [one.offset + (0.5 if name == "t" else one.size // 2 + 0.5) for name, one in shared.items()],
        "crossSectionScale": panes * max(extents["x"] / WIDTH, extents["y"] / HEIGHT),
        "projectionScale": max(extents.values()),
        "projectionOrientation": OBLIQUE,
        "layers": [_layer(layer, own, first=n == 0) for n, (layer, own) in enumerate(zip(layers, sources, strict=True))],
        "layout": "4panel-alt" if panes > 1 else "xy",
        "showAxisLines": False,
        "showDefaultAnnotations": False,
        "crossSectionBackgroundColor": "#000000",
        "projectionBackgroundColor": "#000000",
        "hideCrossSectionBackground3D": True,
    }
    tables = [layer for layer in layers if layer.table is not None]
    if tables:
        state["selectedLayer"] = {"visible": True, "layer": tables[0].name, "size": 420}
    return state


def _layer(layer: Layer, sources: Sequence[dict[str, Any]], *, first: bool) -> dict[str, Any]:
    common = {"name": layer.name, "source": list(sources)}
    if layer.kind == "labels":
        colours = {str(number): as_hex(colour) for number, colour in layer.colours.items()}
        return {
            **common,
            "type": "segmentation",
            "segmentColors": colours,
            "segmentQuery": _columns(layer),
            "tab": "segments" if layer.table is not None else "rendering",
            "selectedAlpha": 0.5,
            "notSelectedAlpha": 0.15,
        }
    over = layer.is_output and not first
    blend = {} if first or over else {"blend": "additive"}
    opacity = MAP_OPACITY if over else 1.0
    return {**common, "type": "image", "shader": _shader(layer, over=over), "opacity": opacity, "tab": "rendering", **blend}


def _columns(layer: Layer) -> str:
    """Return a query that lists the first columns of numbers of the table beside the labels."""
    table = layer.table or {}
    names = [name for name in table if name != "id" and not re.search(r"\s", name) and np.asarray(table[name]).dtype.kind in "buif"]
    return " ".join(f"|{name}" for name in names[:COLUMNS])


def _shader(layer: Layer, *, over: bool) -> str:
    """Return a program that adds up the channels, each in its colour, with a control for its contrast.

    Over an image, low values are transparent, so that the image is seen where nothing is found in it.
    """
    whole = shown_dtype(layer.dtype, layer.kind).kind != "f"
    if len(layer.channels) == 1:
        limits = _invlerp(layer.channels[0], whole)
        colour = f'#uicontrol vec3 colour color(default="{as_hex(layer.channels[0].colour)}")'
        emit = "emitRGBA(vec4(colour, contrast()))" if over else "emitRGB(colour * contrast())"
        return f"#uicontrol invlerp contrast({limits})\n{colour}\nvoid main() {{\n  {emit};\n}}\n"
    controls, lines = [], []
    for number, (channel, name) in enumerate(zip(layer.channels, _identifiers(layer.channels), strict=True)):
        controls += [
            f"#uicontrol bool show_{name} checkbox(default=true)",
            f"#uicontrol invlerp {name}({_invlerp(channel, whole)}, channel={number})",
            f'#uicontrol vec3 colour_{name} color(default="{as_hex(channel.colour)}")',
        ]
        lines.append(f"  if (show_{name}) colour += colour_{name} * {name}();")
    emit = (
        "  float strongest = max(colour.r, max(colour.g, colour.b));\n  emitRGBA(vec4(colour / max(strongest, 1e-6), min(strongest, 1.0)));"
    )
    end = emit if over else "  emitRGB(colour);"
    return "\n".join([*controls, "void main() {", "  vec3 colour = vec3(0.0);", *lines, end, "}", ""])


def _invlerp(channel: Channel, whole: bool) -> str:
    ranges = {"range": channel.limits, "window": channel.window}
    return ", ".join(f"{name}={json.dumps([_number(n, whole) for n in values])}" for name, values in ranges.items())


def _number(value: float, whole: bool) -> float | int:
    return round(value) if whole else float(np.float32(value))


def _identifiers(channels: Sequence[Channel]) -> list[str]:
    """Return names of variables for the channels; those that would not differ get their number."""
    names = [re.sub(r"\W+", "_", channel.name, flags=re.ASCII).strip("_").lower() for channel in channels]
    return [f"c{n}_{name}" if name else f"c{n}" for n, name in enumerate(names)]
