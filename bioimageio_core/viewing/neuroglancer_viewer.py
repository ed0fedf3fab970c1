"""Layers in neuroglancer: a server on the loopback interface, whose pages and pixels need a token, and the client in the browser."""

from __future__ import annotations

import json
import os
import sys
import warnings
import webbrowser
from collections.abc import Sequence
from math import floor, log2, prod
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..axis_names import SPACE
from ..errors import BioimageioError, InputError, MissingRequirementError, PredictionWarning
from ..text import in_brief
from .coarse_regions import coarse_region, shown_dtype
from .layer import Layer
from .neuroglancer_state import Dimension, dimensions, pixel_source, surface_source, table_source, viewer_state
from .placement import space_of
from .segment_properties import segment_properties
from .surfaces import CoarseLabels, labels_for_surfaces

__all__ = ["NeuroglancerView", "open_in_browser", "view_in_neuroglancer"]

LOOPBACK = "127.0.0.1"

ADDED_STEPS = {2: 3, 3: 2}
"""Powers of two by which chunks for the screen may be coarser than the coarsest level, by the number of axes of space:
a chunk then takes 64 times its pixels."""

MOST_PIXELS_OF_CHUNK = 2**24
"""Pixels of a chunk that is sent; the client asks for 2**18."""

LARGEST = 128
"""Pixels along each axis of a level that needs no coarser one."""


class NeuroglancerView:
    """Layers that a browser shows until the view is closed, or the process ends."""

    def __init__(self, layers: Sequence[Layer], server: Any, url: str) -> None:
        self.layers = tuple(layers)
        """What is shown."""
        self.url = url
        """Where a browser on this machine shows it; the token in it is a key to the pixels."""
        self._server: Any = server

    def close(self) -> None:
        """Stop the server; the browser shows nothing new from then on."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()
            server.executor.shutdown(wait=False)

    def __enter__(self) -> NeuroglancerView:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        shown = ", ".join(layer.name for layer in self.layers)
        return f"<view of {shown}: {self.url if self._server is not None else 'closed'}>"

    def _repr_html_(self) -> str:
        from html import escape

        shown = escape(", ".join(layer.name for layer in self.layers))
        if self._server is None:
            return f"{shown} (closed)"
        return f'<a href="{escape(self.url)}" target="_blank">{shown}</a> in neuroglancer'


def view_in_neuroglancer(layers: Sequence[Layer], *, port: int = 0) -> NeuroglancerView:
    """Serve layers to browsers of this machine.

    Args:
        layers: What is shown.
        port: Port of the server; 0 for any that is free.

    Raises:
        MissingRequirementError: The package neuroglancer is not installed.
        InputError: The port cannot be used.

    """
    try:
        from neuroglancer.server import Server
        from neuroglancer.viewer_base import ViewerBase
    except ModuleNotFoundError as error:
        raise MissingRequirementError(
            f"the viewer needs {error.name}: pip install 'bioimageio-runtime[view]'; or view with napari=True (--napari)"
        ) from error
    try:
        server = Server(bind_address=LOOPBACK, bind_port=port)
    except OSError as error:
        raise InputError(f"the viewer cannot use the port {port}: {in_brief(error)}; give another one, or 0 for a free one") from error
    viewer = ViewerBase(allow_credentials=False)  # the page needs no accounts of the user
    server.viewers = {viewer.token: viewer}  # of itself, the server keeps no viewer alive
    space = space_of(layers)
    tables: list[bytes] = []
    sources_of_layers = []
    for layer in layers:
        volume = _volume(layer, dimensions(layer, space))
        sources = [pixel_source(viewer.volume_manager.register_volume(volume))]
        coarse = labels_for_surfaces(layer)
        if coarse is not None:
            sources.append(surface_source(viewer.volume_manager.register_volume(_surfaces(coarse, dimensions(layer, space)))))
        if layer.table is not None:
            sources.append(table_source(f"{server.server_url}/objects/{viewer.token}/{len(tables)}"))
            tables.append(json.dumps(segment_properties(layer.table, layer.name)).encode())
        sources_of_layers.append(sources)
    server.app.add_handlers(".*$", [(rf"^/objects/{viewer.token}/(\d+)/info$", _table_handler(), {"tables": tables})])
    viewer.set_state(viewer_state(layers, space, sources_of_layers))
    return NeuroglancerView(layers, server, f"{server.server_url}/v/{viewer.token}/")


def _volume(layer: Layer, shown: Sequence[Dimension]) -> Any:
    """Return a layer as a volume of neuroglancer, whose chunks are read when the browser asks for them."""
    from neuroglancer import CoordinateSpace, LocalVolume

    class LayerVolume(LocalVolume):  # type: ignore[misc]  # neuroglancer is not followed
        """A volume whose coarser resolutions are read from levels of the layer."""

        def get_encoded_subvolume(self, data_format: str, start: Any, end: Any, scale_key: str) -> tuple[bytes, str]:
            """Return a chunk; its pixels follow each other along the first dimension, which is the last axis of the layer."""
            factors = [int(factor) for factor in scale_key.split(",")]
            if data_format != "raw" or not len(start) == len(end) == len(factors) == len(shown):
                raise ValueError("a chunk of another rank or format is asked for than the volume has")
            if prod(int(b) - int(a) for a, b in zip(start, end, strict=True)) > MOST_PIXELS_OF_CHUNK:
                raise ValueError(f"a chunk has at most {MOST_PIXELS_OF_CHUNK} pixels")
            first, stop, steps = (_of_axes(numbers, shown) for numbers in (start, end, factors))
            try:
                return coarse_region(layer, first, stop, steps).tobytes(), "application/octet-stream"
            except BioimageioError as error:  # such as a damaged chunk, which the browser leaves empty
                warnings.warn(str(error), PredictionWarning, stacklevel=2)
                raise ValueError(str(error)) from error

        def get_object_mesh(self, object_id: int) -> bytes:
            """Refuse: surfaces are made from a coarse level, which is another volume.

            Raises:
                ValueError: Always.

            """
            raise ValueError("this volume has no surfaces")

    volume = LayerVolume(
        SimpleNamespace(shape=tuple(one.size for one in shown), dtype=shown_dtype(layer.dtype, layer.kind)),
        dimensions=CoordinateSpace(names=[d.name for d in shown], scales=[d.scale for d in shown], units=[d.unit for d in shown]),
        volume_type="segmentation" if layer.kind == "labels" else "image",
        encoding="raw",
        max_downsampling=float("inf"),
        max_downsampled_size=LARGEST,
        max_downsampling_scales=_scales(layer),
    )
    volume.voxel_offset = np.array([one.offset for one in shown])  # it would be rounded above
    return volume


def _surfaces(labels: CoarseLabels, shown: Sequence[Dimension]) -> Any:
    """Return the volume from which neuroglancer makes surfaces of objects."""
    from neuroglancer import CoordinateSpace, LocalVolume

    scales = [one.scale * factor for one, factor in zip(shown, labels.factors, strict=True)]
    volume = LocalVolume(
        labels,
        dimensions=CoordinateSpace(names=[d.name for d in shown], scales=scales, units=[d.unit for d in shown]),
        volume_type="segmentation",
    )
    volume.voxel_offset = np.array([one.offset / factor for one, factor in zip(shown, labels.factors, strict=True)])
    return volume


def _scales(layer: Layer) -> int:
    """Return the number of resolutions, each half of the one before, that browsers may ask for."""
    space = [n for n, axis in enumerate(layer.axes) if axis in SPACE]
    coarsest = max(layer.factors(len(layer.levels) - 1)[n] for n in space)
    return 1 + floor(log2(coarsest)) + ADDED_STEPS[len(space)]


def _of_axes(numbers: Any, shown: Sequence[Dimension]) -> list[int]:
    """Return numbers of dimensions as those of the axes of the layer."""
    return [int(n) for n, one in zip(numbers, shown, strict=True) if one.axis is not None][::-1]


def _table_handler() -> type[Any]:
    """Return what answers the browser that asks for a table."""
    from tornado.web import RequestHandler

    class TableHandler(RequestHandler):  # type: ignore[misc]  # tornado is not followed
        """Sends the properties of segments, by the number of the table."""

        def initialize(self, tables: Sequence[bytes]) -> None:
            """Keep the tables."""
            self.tables = tables

        def get(self, number: str) -> None:
            """Send a table."""
            if int(number) >= len(self.tables):
                self.send_error(404)
                return
            self.set_header("Content-type", "application/json")
            self.finish(self.tables[int(number)])

    return TableHandler


def open_in_browser(url: str) -> bool:
    """Open a page in the browser of the user, and return whether there is one; browsers in the terminal do not count."""
    windows = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(windows) and webbrowser.open(url)
