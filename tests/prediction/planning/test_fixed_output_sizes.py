"""Fixed sizes of outputs follow the sizes of inputs by the rule that the numbers tell."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import BATCH, box_graph, channels, resample_graph, save_description_0_4, save_description_0_5, space, tensor

import bioimageio_core as bc
from bioimageio_core.blocks import FixedSize, SteppedSize
from bioimageio_core.prediction.model.tensor_spec import AxisIO
from bioimageio_core.prediction.planning.blocks.fixed_output_sizes import followed_size

pytest.importorskip("onnxruntime")


def axis(size: Any, scale: float = 1.0, kind: Any = "space") -> AxisIO:
    """Return an axis."""
    return AxisIO(id="y", kind=kind, size=size, scale=scale)


@pytest.mark.parametrize(
    ("output", "followed", "ratio", "offset"),
    [
        (axis(FixedSize(64)), axis(FixedSize(64)), "1", 0),
        (axis(FixedSize(64)), axis(FixedSize(32)), "2", 0),
        (axis(FixedSize(16)), axis(FixedSize(64)), "1/4", 0),
        (axis(FixedSize(1), 64.0), axis(FixedSize(64)), "1/64", 0),  # a value per block
        (axis(FixedSize(388)), axis(FixedSize(572)), "1", -184),  # convolutions without padding
        (axis(FixedSize(64), 0.5), axis(FixedSize(32)), "2", 0),
        (axis(FixedSize(60), 0.5), axis(FixedSize(32)), "2", -4),
        (axis(FixedSize(42), 3.0), axis(FixedSize(128)), "1/3", 0),  # floor(128 / 3)
        (axis(FixedSize(64), 0.5), axis(FixedSize(64)), "1", 0),  # sizes are facts
        (axis(FixedSize(16)), axis(SteppedSize(16, 8)), "1", 0),
        (axis(FixedSize(40)), axis(SteppedSize(16, 8)), "1", 0),  # the size of a larger test tensor
        (axis(FixedSize(32)), axis(SteppedSize(16, 16)), "2", 0),
        (axis(FixedSize(8), 2.0), axis(SteppedSize(16, 8)), "1/2", 0),
        (axis(FixedSize(3), kind="channel"), axis(FixedSize(3), kind="channel"), "1", 0),
    ],
)
def test_rules(output: AxisIO, followed: AxisIO, ratio: str, offset: int) -> None:
    """Worked out by hand."""
    found = followed_size(output, followed)
    assert found is not None
    assert (found.ratio, found.offset) == (Fraction(ratio), offset)


@pytest.mark.parametrize(
    ("output", "followed"),
    [
        (axis(FixedSize(1)), axis(SteppedSize(16, 8))),  # pooled over all pixels
        (axis(FixedSize(1)), axis(FixedSize(64))),
        (axis(FixedSize(17)), axis(SteppedSize(16, 8))),
        (axis(FixedSize(1), kind="channel"), axis(FixedSize(3), kind="channel")),
        (axis(FixedSize(4), kind="index"), axis(FixedSize(2), kind="index")),
        (axis(SteppedSize(16, 8)), axis(FixedSize(16))),
    ],
)
def test_no_rule(output: AxisIO, followed: AxisIO) -> None:
    """Sizes that do not depend on the image stay as they are."""
    assert followed_size(output, followed) is None


def doubling_model(folder: Path, version: str, scale: float | None = None) -> Path:
    """Return a model that repeats each pixel twice: 32 pixels in, 64 out."""
    resample_graph(folder / "weights.onnx", up=2)
    more: dict[str, Any] = {} if scale is None else {"scale": scale, "unit": "micrometer"}
    if version == "0.5":
        return save_description_0_5(
            folder,
            [tensor("raw", BATCH, channels(), space("y", 32), space("x", 32))],
            [tensor("out", BATCH, channels(), space("y", 64, **more), space("x", 64, **more))],
        )
    shapes = {"raw": [1, 1, 32, 32], "out": [1, 1, 64, 64]}
    described = {n: {"name": n, "axes": "bcyx", "data_type": "float32", "shape": s} for n, s in shapes.items()}
    return save_description_0_4(folder, [described["raw"]], [described["out"]])


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("shape", [(20, 25), (32, 32), (33, 70), (100, 64)])
def test_images_of_any_size(tmp_path: Path, version: str, shape: tuple[int, int]) -> None:
    """Each pixel is repeated twice along both axes, whatever the size of the image."""
    x = np.random.default_rng(0).random(shape, dtype=np.float32)
    found = np.asarray(bc.predict(doubling_model(tmp_path, version), x, axes="yx")["out"])[0, 0]
    np.testing.assert_array_equal(found, x.repeat(2, 0).repeat(2, 1))


@pytest.mark.parametrize(("scale", "warns"), [(None, False), (0.5, False), (0.25, True)])
def test_contradictions_are_named(tmp_path: Path, scale: float | None, warns: bool) -> None:
    """Pixel sizes that do not agree with the sizes give a line in the plan."""
    plan = bc.open_predictor(doubling_model(tmp_path, "0.5", scale)).plan(np.zeros((40, 40), np.float32), axes="yx")
    found = [line for line in plan.warnings if "in contradiction to the pixel sizes" in line]
    assert len(found) == (2 if warns else 0)


def test_stepped_input(tmp_path: Path) -> None:
    """A published habit: the input may grow in steps, and the output has the size of the smallest."""
    box_graph(tmp_path / "weights.onnx")
    shape = {"min": [1, 1, 16, 16], "step": [0, 0, 8, 8]}
    common = {"axes": "bcyx", "data_type": "float32"}
    model = save_description_0_4(
        tmp_path,
        [{"name": "raw", "shape": shape, **common}],
        [{"name": "out", "shape": [1, 1, 16, 16], "halo": [0, 0, 4, 4], **common}],
    )
    x = np.random.default_rng(0).random((50, 37), dtype=np.float32)
    predictor = bc.open_predictor(model)
    plan = predictor.plan(x, axes="yx", block={"y": 24, "x": 24})
    assert any("though the sizes of input 'raw' vary: taken as the size of input 'raw' times 1" in line for line in plan.warnings)
    padded = np.pad(x, 1, mode="symmetric").astype(np.float64)
    mean = sum(padded[i : i + 50, j : j + 37] for i in range(3) for j in range(3)) / 9
    np.testing.assert_allclose(np.asarray(predictor.run(plan)["out"])[0, 0], mean, atol=1e-6)
