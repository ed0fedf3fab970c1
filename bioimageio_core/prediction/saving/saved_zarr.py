"""Saves arrays as a zarr folder: OME-Zarr images, or plain arrays where that cannot hold the axes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from ...io import OutputStore
from ...io.writing.chunk_store import ArraySpec
from ...io.writing.label_images import add_to_labels, labels_place, renew_consolidated_metadata
from ...io.writing.ome_output import OmeImage, OmeSink
from ...io.writing.output_store import check_replaceable, create_output
from ...io.writing.replaced_output import mark_as_replacement, place_to_write, replaced_alone, take_place
from ...labelled_arrays import LabelledArray
from ..data.boxes import Boxes
from .saved_image import chunk_of, pixels_of, saved_image

__all__ = ["save_as_zarr"]


def save_as_zarr(arrays: Sequence[LabelledArray], location: str, *, overwrite: bool) -> None:
    """Save arrays; a single one is the image itself, several are images below it, by name.

    Args:
        arrays: The arrays, with different names.
        location: Path or URL.
        overwrite: Whether an existing zarr store is replaced, when the new one is complete.

    Raises:
        OutputError: It exists and is not replaced, or the write failed.

    """
    check_replaceable(location, overwrite=overwrite)
    images = {array.name: saved_image(array, array.name if len(arrays) > 1 else "") for array in arrays}
    kept = [image for image in images.values() if image is not None]
    labels = labels_place(location) if kept else None
    with replaced_alone(location):
        written = place_to_write(location, overwrite=overwrite, continues=False)
        specs = [spec for array in arrays for spec in _specs(array, images[array.name])]
        store = create_output(written, specs, overwrite=overwrite)
        if written != location:
            mark_as_replacement(written)
        for array in arrays:
            _write(array, images[array.name], store)
        if store.run is not None:
            store.run.sync()
        for image in kept:
            image.write_metadata(written, None)
        of_root: Mapping[str, Any] = next((image.metadata() for image in kept if not image.path), {})
        store.finish({**of_root, "bioimageio_core": {"version": version("bioimageio-runtime")}})
        store.close()
        take_place(written, location)
    if labels is not None:
        add_to_labels(labels, [image.path for image in kept])
    else:
        renew_consolidated_metadata(location)


def _specs(array: LabelledArray, image: OmeImage | None) -> tuple[ArraySpec, ...]:
    if image is not None:
        return image.specs()
    chunks = tuple(chunk_of(axis, size) for axis, size in array.sizes.items())
    dtype = array.dtype.newbyteorder("=").name
    return (ArraySpec(name=array.name, shape=array.shape, dtype=dtype, axes=array.axes, chunks=chunks),)


def _write(array: LabelledArray, image: OmeImage | None, store: OutputStore) -> None:
    """Write an array and its coarser levels, a chunk at a time."""
    chunks = [chunk_of(axis, size) for axis, size in array.sizes.items()]
    sink = None if image is None else OmeSink(store=store, image=image)
    for start, stop in _boxes(array.shape, chunks):
        pixels = pixels_of(array, array.axes, [slice(a, b) for a, b in zip(start, stop, strict=True)])
        if sink is not None:
            sink.write(start, pixels)
        else:
            store.write(array.name, start, pixels)
    for number, level in enumerate(image.levels if image is not None else ()):
        if sink is not None and image is not None and not level.with_regions:
            for start, stop in _boxes(level.shape, level.chunks):
                store.write(image.place(number), start, sink.read_level(number, start, stop))


def _boxes(shape: Sequence[int], chunks: Sequence[int]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yield ``(start, stop)`` of each chunk."""
    boxes = Boxes(shape=tuple(shape), size=tuple(chunks))
    return map(boxes.box, range(boxes.count))
