"""What every op keeps."""

from __future__ import annotations

from bioimageio_runtime_labels import bioimageio_processing_ops

from bioimageio_core.testing import ProcessingOpConformance
from bioimageio_core.typing import FrozenMapping

ARGMAX, COMPONENTS, WATERSHED = bioimageio_processing_ops()


class TestArgmax(ProcessingOpConformance):
    """Classes."""

    entry = ARGMAX
    kwargs = ({}, {"axis": "y"})


class TestComponents(ProcessingOpConformance):
    """Components, in images."""

    entry = COMPONENTS
    sizes = FrozenMapping({"batch": (1, 2), "channel": (3, 3), "y": (10, 25), "x": (10, 25)})
    kwargs = ({}, {"threshold": -60.0, "channel": 2, "connectivity": 1, "max_hole": 3, "min_size": 4})


class TestComponentsOfVolumes(ProcessingOpConformance):
    """Components, in volumes without batch and channel."""

    entry = COMPONENTS
    axes = ("x", "z", "y")
    sizes = FrozenMapping({"z": (1, 5)})
    kwargs = ({"connectivity": 2, "max_hole": 2},)


class TestWatershed(ProcessingOpConformance):
    """Objects from seeds, in images, where noise has small objects."""

    entry = WATERSHED
    sizes = FrozenMapping({"batch": (1, 2), "channel": (3, 3), "y": (16, 30), "x": (16, 30)})
    object_size = FrozenMapping({"y": 14, "x": 14})
    kwargs = (
        {"threshold": 40, "seeds": "1 < 0 and 2<-2e1", "flood": 0, "flood_from": "high", "max_hole": 3},
        {"threshold": 0, "seeds": "1 > 30", "smoothing": 0.9},
    )


class TestWatershedOfVolumes(ProcessingOpConformance):
    """Objects from seeds, in volumes with the channels last."""

    entry = WATERSHED
    axes = ("z", "y", "x", "channel")
    sizes = FrozenMapping({"channel": (1, 2), "z": (1, 5)})
    object_size = FrozenMapping({"z": 4, "y": 4, "x": 4})
    kwargs = ({"threshold": 90, "seeds": "0 > 95"},)
