"""Ops that use neighbouring pixels: filters before and after the network, block by block."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from made_models import pointwise_model
from numpy.typing import NDArray

from bioimageio_core.api import default_registry
from bioimageio_core.prediction.model.loaded_model import LoadedModel
from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.prediction.predictor import Predictor
from bioimageio_core.registry import Measure, Measured, Needs, ProcessingOpEntry, Registry
from bioimageio_core.sources import open_package
from bioimageio_core.spec.node import Node, node
from bioimageio_core.spec.validation import read_tree
from bioimageio_core.spec.yaml import load_yaml
from bioimageio_core.typing import FrozenMapping

RADIUS = 3
LARGEST: list[int] = []
"""Pixels of the largest region that the filter was given."""


@node
class SmoothDescr(Node):
    """The mean of 7 x 7 pixels, cropped at the border of the image."""

    id: str = "smooth"


@node
class CentreDescr(Node):
    """Subtract the mean."""

    id: str = "centre"


def smooth(tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
    LARGEST.append(tensor.size)
    total, count = np.zeros(tensor.shape, np.float64), np.zeros(tensor.shape, np.float64)
    height, width = tensor.shape[-2:]
    for dy in range(-RADIUS, RADIUS + 1):
        for dx in range(-RADIUS, RADIUS + 1):
            to = (..., slice(max(0, dy), height + min(0, dy)), slice(max(0, dx), width + min(0, dx)))
            source = (..., slice(max(0, -dy), height + min(0, -dy)), slice(max(0, -dx), width + min(0, -dx)))
            total[to] += tensor[source]
            count[to] += 1
    return (total / count).astype(np.float32)


def mean(axes: tuple[str, ...]) -> Measure:
    return Measure(kind="mean", axes=tuple(axis for axis in axes if axis != "batch"))


@pytest.fixture
def registry() -> Registry:
    looks = FrozenMapping({"y": RADIUS, "x": RADIUS})
    filters = ProcessingOpEntry(
        name="smooth",
        descr={"0.5": SmoothDescr},
        load=lambda: lambda kwargs, axes: smooth,
        requirements=lambda kwargs, axes: Needs(halo=looks, dtype="float32"),
    )
    centres = ProcessingOpEntry(
        name="centre",
        descr={"0.5": CentreDescr},
        load=lambda: lambda kwargs, axes: lambda tensor, measured: tensor - measured[mean(axes)].astype(np.float32),
        requirements=lambda kwargs, axes: Needs(measures=(mean(axes),), dtype="float32"),
    )
    known = default_registry()
    return attrs.evolve(known, processing_ops=FrozenMapping({**known.processing_ops, "smooth": filters, "centre": centres}))


def predictor(folder: Path, registry: Registry) -> Predictor:
    package = open_package(folder)
    assert isinstance(package.content, bytes)
    descr, _ = read_tree(load_yaml(package.content), registry)
    return Predictor(LoadedModel.of(descr, package, registry), PredictOptions(axes="yx"))


STEPS = [{"id": "smooth"}, {"id": "centre"}, {"id": "smooth"}]


class TestLookingAside:
    @pytest.mark.parametrize("where", ["pre", "post"])
    @pytest.mark.parametrize("shape", [(100, 83), (1, 70), (64, 64)])
    def test_blocks_equal_the_whole(self, tmp_path: Path, registry: Registry, where: Any, shape: tuple[int, int]) -> None:
        """Before and after the network, a filter gets pixels of neighbouring blocks, and the real border of the image."""
        folder = pointwise_model(tmp_path, **{where: STEPS})
        image = np.random.default_rng(1).random(shape, dtype=np.float32)
        centred = smooth(image[None, None], {})
        centred -= centred.mean(dtype=np.float64).astype(np.float32)
        expected = smooth(centred, {})
        LARGEST.clear()
        with predictor(folder, registry) as opened:
            found = opened.predict(image, block={"y": 24, "x": 24})
        np.testing.assert_allclose(found["out"], expected, atol=1e-5)
        assert found.plan is not None
        if found.plan.regions.block_count > 4 and where == "pre":
            assert min(LARGEST) < image.size / 4

    def test_out_of_core(self, tmp_path: Path, registry: Registry) -> None:
        """The same from zarr to zarr."""
        folder = pointwise_model(tmp_path, pre=STEPS[:1], post=STEPS[:1])
        image = np.random.default_rng(1).random((90, 90), dtype=np.float32)
        with predictor(folder, registry) as opened:
            found = opened.predict(image, tmp_path / "out.zarr", block={"y": 24, "x": 24})
        np.testing.assert_allclose(found["out"], smooth(smooth(image[None, None], {}), {}), atol=1e-5)
