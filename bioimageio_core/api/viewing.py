"""Images, results and labels in viewers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..viewing.layers import layers_of
from ..viewing.napari_layers import LayerData, napari_layers, view_in_napari
from ..viewing.neuroglancer_viewer import open_in_browser, view_in_neuroglancer

__all__ = ["layers", "view"]


def view(
    *sources: Any,
    labels: Any = (),
    table: Any = None,
    scene: int | str | None = None,
    axes: str | Sequence[str] | None = None,
    napari: bool = False,
    port: int = 0,
    open_browser: bool = True,
) -> Any:
    """Show images, outputs and labels of any size, on top of each other, in neuroglancer or napari.

    Pixels are read when the viewer asks for them, at the resolution of the screen.
    Neuroglancer runs in a browser of this machine: its server listens on the loopback interface alone, and its address holds a token.

    Args:
        sources: Paths or URLs of files and folders that `image_card` knows, arrays, results of `predict`, or their outputs.
            Labels in the group ``labels`` of an OME-Zarr image are shown with it.
        labels: Names of what is shown that are labels, or further paths and arrays that are; one, or a sequence.
            Files say so themselves if they are OME-Zarr labels or were written by `predict`.
        table: A table of the objects: a CSV or Parquet file, or columns with ``id``, as `Prediction.objects` has;
            with several labels, a mapping from names of labels to tables.
        scene: Number (from 0) or name of the image in a file of several.
        axes: Axes of images that name none.
        napari: Show them in napari; without it, in neuroglancer.
        port: Port of the server of neuroglancer; 0 for any that is free.
        open_browser: Open the page in the browser, if there is one.

    Returns:
        An object with ``url`` and ``close()``, which shows its link in notebooks; with ``napari``, the viewer of napari.

    Raises:
        SourceError: A source cannot be read.
        InputError: There is nothing to show, or labels or a table do not fit.
        AxesError: The axes of an image are not known, or y or x is missing.
        MissingRequirementError: The package of the viewer, or one that reads a file, is not installed.

    """
    shown = layers_of(*sources, labels=labels, table=table, scene=scene, axes=axes)
    if napari:
        return view_in_napari(shown)
    opened = view_in_neuroglancer(shown, port=port)
    if open_browser:
        open_in_browser(opened.url)
    return opened


def layers(
    *sources: Any, labels: Any = (), table: Any = None, scene: int | str | None = None, axes: str | Sequence[str] | None = None
) -> list[LayerData]:
    """Return images, outputs and labels as napari takes them: tuples of data, attributes and type, for ``viewer.add_layer``.

    Data are dask arrays, at all resolutions, of which nothing is read but a sample for the contrast.
    ``metadata["is_output"]`` of the attributes says whether a layer is the output of a prediction.

    Args:
        sources: See `view`.
        labels: See `view`.
        table: See `view`; its columns are features of the labels.
        scene: See `view`.
        axes: See `view`.

    Raises:
        SourceError: A source cannot be read.
        InputError: There is nothing to show, or labels or a table do not fit.
        AxesError: The axes of an image are not known, or y or x is missing.

    """
    return napari_layers(layers_of(*sources, labels=labels, table=table, scene=scene, axes=axes))
