"""The layers of everything that a viewer is asked to show."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from ..errors import InputError
from ..io.reading.scenes import SceneChoice
from ..prediction.output.result import Prediction
from .layer import Colour, Layer
from .layers_of_arrays import layers_of_array, layers_of_prediction
from .layers_of_file import layers_of_file
from .object_tables import read_table

__all__ = ["layers_of"]

OVER: tuple[Colour, ...] = ((255, 0, 255), (0, 255, 0), (255, 255, 0), (0, 255, 255))
"""Colours of outputs over an image, one after the other."""


def layers_of(
    *sources: Any, labels: Any = (), table: Any = None, scene: SceneChoice = None, axes: str | Sequence[str] | None = None
) -> tuple[Layer, ...]:
    """Return the layers of images, results and labels: images first, then outputs, then labels.

    An image that several sources name is one layer.

    Args:
        sources: Paths or URLs of files and folders, arrays, predictions or their outputs.
        labels: Names of layers that are labels, or further sources that are; one, or a sequence.
        table: A table of the objects of the only labels: a CSV or Parquet file, or a mapping of columns with ``id``;
            or a mapping from names of layers to tables.
        scene: Number or name of the image in a file of several.
        axes: Axes for images that name none.

    Raises:
        InputError: There is nothing to show, or a table does not fit.
        SourceError: A source cannot be read.
        AxesError: The axes of an image are not known, or y or x is missing.

    """
    given = [labels] if isinstance(labels, str | os.PathLike) or hasattr(labels, "dtype") else list(labels)
    paths = {os.fsdecode(one) for one in given if isinstance(one, str | os.PathLike)}
    found: list[Layer] = []
    for source in sources:
        known = True if isinstance(source, str | os.PathLike) and os.fsdecode(source) in paths else None
        found += _layers_of_source(source, scene, axes, known)
    names = {layer.name for layer in found}
    opened = {os.fsdecode(one) for one in sources if isinstance(one, str | os.PathLike)}
    for one in given:
        text = os.fsdecode(one) if isinstance(one, str | os.PathLike) else None
        if text is None or text not in names | opened:
            found += _layers_of_source(one, scene, axes, True)
    chosen = [_as_labels(layer) if layer.name in paths else layer for layer in _distinct(found)]
    chosen.sort(key=lambda layer: (layer.kind == "labels", layer.is_output))
    if not chosen:
        raise InputError("there is nothing to show: give an image, a result or an array with axes y and x")
    return tuple(_with_tables(_coloured_apart(_named_apart(chosen)), table))


def _layers_of_source(source: Any, scene: SceneChoice, axes: str | Sequence[str] | None, labels: bool | None) -> Iterator[Layer]:
    if isinstance(source, Prediction):
        return layers_of_prediction(source)
    if isinstance(source, str | os.PathLike):
        return layers_of_file(os.fsdecode(source), scene=scene, axes=axes, labels=labels)
    return layers_of_array(source, axes=axes, labels=labels)


def _distinct(layers: Iterable[Layer]) -> Iterator[Layer]:
    """Yield each layer once, by the place of its pixels."""
    places = set()
    for layer in layers:
        image = layer.levels[0].image
        place = (image.location, image.part, image.arrays[:1]) if image.location is not None else id(layer)
        if place not in places:
            places.add(place)
            yield layer


def _as_labels(layer: Layer) -> Layer:
    if layer.dtype.kind not in "bui":
        raise InputError(f"{layer.name!r} is {layer.dtype}, and labels are integers: leave it out of labels= (--labels), or convert it")
    return attrs.evolve(layer, kind="labels", channels=())


def _named_apart(layers: Iterable[Layer]) -> list[Layer]:
    named: dict[str, Layer] = {}
    for layer in layers:
        number, name = 1, layer.name
        while name in named:
            number += 1
            name = f"{layer.name} {number}"
        named[name] = attrs.evolve(layer, name=name)
    return list(named.values())


def _coloured_apart(layers: Iterable[Layer]) -> list[Layer]:
    """Return the layers with outputs of one channel in colours, unless the first layer is one: white would hide what is beneath."""
    found: list[Layer] = []
    for layer in layers:
        channels = layer.channels
        if found and layer.is_output and len(channels) == 1:
            colour = OVER[sum(one.is_output for one in found) % len(OVER)]
            channels = (attrs.evolve(channels[0], colour=colour),)
        found.append(attrs.evolve(layer, channels=channels))
    return found


def _with_tables(layers: list[Layer], table: Any) -> Iterator[Layer]:
    """Yield the layers with their tables.

    Raises:
        InputError: It is not known, or not true, that a table belongs to labels that are shown.

    """
    labels = [layer.name for layer in layers if layer.kind == "labels"]
    listed = ", ".join(map(repr, labels)) or "none"
    tables: Mapping[str, Any] = {}
    if isinstance(table, Mapping) and "id" not in table:
        tables = table
    elif table is not None:
        if len(labels) != 1:
            raise InputError(
                f"a table is of one of several labels: found {listed}; name them with table={{NAME: FILE}} (--table NAME=FILE)"
            )
        tables = {labels[0]: table}
    for name in tables:
        if name not in labels:
            raise InputError(f"a table is given for {name!r}: expected the name of labels that are shown, which are {listed}")
    for layer in layers:
        given = tables.get(layer.name)
        if given is None:
            yield layer
        else:
            yield attrs.evolve(layer, table=given if isinstance(given, Mapping) else read_table(given))
