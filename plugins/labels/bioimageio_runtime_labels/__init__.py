"""Ops that turn maps of a network into classes or labelled objects."""

from __future__ import annotations

from collections.abc import Iterator

from bioimageio_core.registry import ProcessingOpEntry, ProcessingOpFactory, hookimpl

from .descriptions import (
    ArgmaxDescr,
    ArgmaxKwargs,
    ConnectedComponentsDescr,
    ConnectedComponentsKwargs,
    SeededWatershedDescr,
    SeededWatershedKwargs,
)
from .needs import argmax_needs, components_needs, watershed_needs

__all__ = [
    "ArgmaxDescr",
    "ArgmaxKwargs",
    "ConnectedComponentsDescr",
    "ConnectedComponentsKwargs",
    "SeededWatershedDescr",
    "SeededWatershedKwargs",
    "bioimageio_processing_ops",
]


def _load_argmax() -> ProcessingOpFactory:
    from .argmax import make_argmax

    return make_argmax


def _load_components() -> ProcessingOpFactory:
    from .components import make_connected_components

    return make_connected_components


def _load_watershed() -> ProcessingOpFactory:
    from .watershed import make_seeded_watershed

    return make_seeded_watershed


@hookimpl
def bioimageio_processing_ops() -> Iterator[ProcessingOpEntry]:
    """Yield the ops."""
    yield ProcessingOpEntry(
        name="argmax",
        descr={"0.5": ArgmaxDescr},
        load=_load_argmax,
        requirements=argmax_needs,
        where=("postprocessing",),
        summary="the class of the largest score",
    )
    yield ProcessingOpEntry(
        name="connected_components",
        descr={"0.5": ConnectedComponentsDescr},
        load=_load_components,
        requirements=components_needs,
        where=("postprocessing",),
        summary="label what is connected above a threshold",
    )
    yield ProcessingOpEntry(
        name="seeded_watershed",
        descr={"0.5": SeededWatershedDescr},
        load=_load_watershed,
        requirements=watershed_needs,
        where=("postprocessing",),
        summary="label objects that touch, from seeds to the ridges between them",
    )
