"""An image that looks like the one before gets the plan that it would get on its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import tifffile
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_models import half_micrometer_model, pointwise_model

import bioimageio_core as bc
from bioimageio_core.prediction.planning.plan import Plan
from bioimageio_core.prediction.predictor import Predictor

SHAPES = ((40, 56), (40, 57), (300, 56))
CHUNKS = ((16, 16), (40, 56))
DTYPES = ("uint8", "float32")
OPTIONS: tuple[dict[str, Any], ...] = ({}, {"block": 32}, {"dtype": "float16"}, {"ome": "none"})


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    """Twice the image, which is normalised by its own statistics before."""
    folder = tmp_path_factory.mktemp("model")
    return bc.open_predictor(pointwise_model(folder, gain=2.0, pre=[{"id": "scale_range", "kwargs": {"axes": ["y", "x"]}}]))


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[Any, ...], list[Path]]:
    """Two images of each kind."""
    folder = tmp_path_factory.mktemp("images")
    found: dict[tuple[Any, ...], list[Path]] = {}
    for number, (shape, chunks, dtype) in enumerate((s, c, d) for s in SHAPES for c in CHUNKS for d in DTYPES):
        for one in "ab":
            path = folder / f"{number}{one}.zarr"
            zarr.create_array(str(path), data=np.ones(shape, dtype), chunks=chunks, dimension_names=("y", "x"))
            found.setdefault((shape, chunks, dtype), []).append(path)
    return found


def decisions(plan: Plan) -> Any:
    """Return all of a plan but the readers of its images, which differ each time that an image is opened."""
    inputs = [(p.ties, p.steps, attrs.evolve(p.bound, image=attrs.evolve(p.bound.image, reader=None))) for p in plan.inputs]  # type: ignore[arg-type]
    return attrs.evolve(plan, inputs=()), inputs


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_same_plan(data: st.DataObject, predictor: Predictor, images: dict[tuple[Any, ...], list[Path]]) -> None:
    """Whatever was planned before, the plan is that of a predictor which plans for the first time."""
    for _ in range(3):
        kind = data.draw(st.sampled_from(sorted(images)))
        image, options = data.draw(st.sampled_from(images[kind])), data.draw(st.sampled_from(OPTIONS))
        afresh = Predictor(predictor.model, predictor.options)
        assert decisions(predictor.plan(image, **options)) == decisions(afresh.plan(image, **options))


def test_alike_images_share_decisions(predictor: Predictor, images: dict[tuple[Any, ...], list[Path]]) -> None:
    """The second image of a kind is not planned again; an array in memory is."""
    first, second = (predictor.plan(image) for image in images[SHAPES[0], CHUNKS[0], "uint8"])
    assert second.regions is first.regions
    assert [p.bound.image.name for p in second.inputs] == ["0b" if first.inputs[0].bound.image.name == "0a" else "0a"]
    array = np.ones((40, 56), np.uint8)
    assert predictor.plan(array, axes="yx").regions is not predictor.plan(array, axes="yx").regions


def test_masks_are_planned_each_time(predictor: Predictor, images: dict[tuple[Any, ...], list[Path]]) -> None:
    """A mask counts after a plan without one; it is an array, which may have changed since the last plan."""
    image = images[SHAPES[2], CHUNKS[0], "uint8"][0]
    mask = np.zeros(SHAPES[2], bool)
    mask[:8] = True
    assert predictor.plan(image, block=32).mask is None
    covered = predictor.plan(image, mask=mask, block=32).mask
    mask[:] = True
    whole = predictor.plan(image, mask=mask, block=32).mask
    assert covered is not None
    assert whole is not None
    assert whole.task_count > covered.task_count
    assert predictor.plan(image, block=32).mask is None


def test_resampled_images_are_planned_each_time(tmp_path: Path) -> None:
    """Parts are given in pixels of the image, so they depend on what it is resampled from."""
    (tmp_path / "model").mkdir()
    model = half_micrometer_model(tmp_path / "model")
    found = {}
    with bc.open_predictor(model, rescale=True, roi={"y": (20, 60), "x": (20, 60)}) as predictor:
        for pixels, size in ((100, 0.5), (200, 0.25)):
            path = tmp_path / f"{pixels}.ome.tif"
            sizes = {f"PhysicalSize{a}": size for a in "XY"} | {f"PhysicalSize{a}Unit": "µm" for a in "XY"}
            tifffile.imwrite(path, np.ones((pixels, pixels), np.float32), ome=True, metadata={"axes": "YX", **sizes})
            grid = predictor.plan(path).grids[-1]
            found[pixels] = (grid.begin, grid.end)
    assert found == {100: (20, 60), 200: (10, 30)}
