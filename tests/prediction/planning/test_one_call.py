"""An image of exactly the one size that a network takes is given as it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import BATCH, box_graph, box_model, channels, follows, save_description_0_5, space, tensor

import bioimageio_core as bc
from bioimageio_core.errors import InputError, PredictionWarning
from bioimageio_core.option_spelling import for_python

ort = pytest.importorskip("onnxruntime")


@pytest.fixture(autouse=True)
def nothing_remembered(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plan networks that other tests have measured as if nothing were known of them."""
    monkeypatch.setenv("BMZ_CACHE", str(tmp_path_factory.mktemp("cache")))


def image(*shape: int) -> Any:
    """Return an image of noise."""
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def called(model: Path, x: Any) -> Any:
    """Return the output of the network for an image, without this library."""
    session = ort.InferenceSession(str(model / "weights.onnx"), providers=["CPUExecutionProvider"])
    return session.run(None, {"raw": x[None, None]})[0][0, 0]


def test_one_bare_call(tmp_path: Path) -> None:
    """Zero padding within the network shows at the edges, so any padding or crop before would show, too."""
    model, x = box_model(tmp_path, 32, halo=8, filter_size=9), image(32, 32)
    plan = bc.open_predictor(model).plan(x, axes="yx")
    assert [g.cutting for g in plan.groups if g.group.name in "yx"] == ["one_call", "one_call"]
    assert plan.regions.block_count == 1
    np.testing.assert_array_equal(np.asarray(bc.predict(model, x, axes="yx")["out"])[0, 0], called(model, x))


@pytest.mark.parametrize("shape", [(33, 33), (31, 31), (96, 96), (32, 33)])
def test_any_other_size_is_padded(tmp_path: Path, shape: tuple[int, int]) -> None:
    """Also if it has the fixed size along one axis."""
    plan = bc.open_predictor(box_model(tmp_path, 32, halo=8)).plan(image(*shape), axes="yx")
    assert {g.cutting for g in plan.groups if g.group.name in "yx"} == {"fixed"}
    assert plan.computed_per_kept > 1


def test_region_of_interest(tmp_path: Path) -> None:
    """Is the part of the same call."""
    model, x = box_model(tmp_path, 32, halo=8, filter_size=9), image(32, 32)
    found = np.asarray(bc.predict(model, x, axes="yx", roi={"y": (3, 17), "x": (20, 32)})["out"])[0, 0]
    np.testing.assert_array_equal(found, called(model, x)[3:17, 20:32])


def test_valid_convolution(tmp_path: Path) -> None:
    """An output that is smaller than the fixed size by its offset is the output of the call, not of padded pixels."""
    box_graph(tmp_path / "weights.onnx", size=5, padded=False)
    model = save_description_0_5(
        tmp_path,
        [tensor("raw", BATCH, channels(), space("y", 32), space("x", 32))],
        [tensor("out", BATCH, channels(), *(space(a, follows(a, offset=-4), halo=4) for a in "yx"))],
    )
    x = image(32, 32)
    found = np.asarray(bc.predict(model, x, axes="yx")["out"])[0, 0]
    assert found.shape == (28, 28)
    np.testing.assert_array_equal(found, called(model, x))


def test_the_memory_budget_does_not_matter(tmp_path: Path) -> None:
    """Free sizes keep their padding, since otherwise images near the budget would change with it."""
    plan = bc.open_predictor(box_model(tmp_path, {"min": 16, "step": 4})).plan(image(32, 32), axes="yx")
    assert {g.cutting for g in plan.groups if g.group.name in "yx"} == {"free"}
    assert plan.grids[-1].block_size(0) > 32


def test_verify_has_nothing_to_compare(tmp_path: Path) -> None:
    """The one call is the prediction of the complete image."""
    with pytest.raises(InputError, match=r"one size that the network takes, .*: give a larger image$"):
        bc.verify(box_model(tmp_path, 32, halo=8), image(32, 32), axes="yx")


class TestIgnoredOptions:
    """Options that the one call cannot follow are named in a warning, and change nothing."""

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"halo": 4}, "halo={'y': 4} (--halo y=4) and halo={'x': 4} (--halo x=4) are ignored"),
            ({"halo": {"y": 4}}, "halo={'y': 4} (--halo y=4) is ignored"),
            ({"overlap": "linear"}, "overlap= (--overlap) is ignored"),
            ({"block": {"y": 16}}, "block= (--block) is 16 along axis 'y', but blocks of it have 32 pixels"),
        ],
    )
    def test_warned(self, tmp_path: Path, options: dict[str, Any], message: str) -> None:
        """In Python, and in the plan."""
        model, x = box_model(tmp_path, 32, halo=8, filter_size=9), image(32, 32)
        (warning,) = bc.open_predictor(model, axes="yx").plan(x, **options).warnings
        assert message in warning
        with pytest.warns(PredictionWarning, match=re.escape(for_python(message))):
            found = np.asarray(bc.predict(model, x, axes="yx", **options)["out"])[0, 0]
        np.testing.assert_array_equal(found, called(model, x))

    @pytest.mark.parametrize("options", [{"block": 32}, {"block": 64}, {"halo": 0}, {"overlap": "crop"}, {}])
    def test_without_warning(self, tmp_path: Path, options: dict[str, Any]) -> None:
        """What the call follows."""
        assert bc.open_predictor(box_model(tmp_path, 32, halo=8), axes="yx").plan(image(32, 32), **options).warnings == ()

    def test_block_of_a_fixed_size(self, tmp_path: Path) -> None:
        """Also larger images are cut into blocks of the one size."""
        plan = bc.open_predictor(box_model(tmp_path, 32, halo=8), axes="yx").plan(image(99, 99), block={"y": 16, "x": 64})
        assert [w for w in plan.warnings if "block=" in w] == [
            "block= (--block) is 16 along axis 'y', but blocks of it have 32 pixels, the one size that the network takes: it is ignored"
        ]

    def test_measured(self, tmp_path: Path) -> None:
        """A halo that is to be measured is not needed, in contrast to a larger image."""
        model, x = box_model(tmp_path, 32, halo=8, filter_size=9), image(32, 32)
        found = np.asarray(bc.predict(model, x, axes="yx", halo="measured")["out"])[0, 0]
        np.testing.assert_array_equal(found, called(model, x))
        with pytest.raises(InputError, match="the network was not measured"):
            bc.predict(model, image(64, 64), axes="yx", halo="measured")
