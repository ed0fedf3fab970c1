"""The measured halo of a network, in plans and predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bmz_process import run_process
from made_models import box_model, pointwise_model, with_test_tensors

import bioimageio_core as bc
from bioimageio_core.errors import InputError, PredictionWarning


@pytest.fixture(autouse=True)
def nothing_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure networks that other tests have measured before."""
    monkeypatch.setenv("BMZ_CACHE", str(tmp_path / "cache"))


def image() -> Any:
    """Return an image of noise."""
    return np.random.default_rng(0).random((90, 100), dtype=np.float32)


def of_halos(warnings: tuple[str, ...]) -> list[str]:
    """Return the warnings of halos."""
    return [w for w in warnings if "halo" in w]


OPTIONS: dict[str, Any] = {"axes": "yx", "block": {"y": 48, "x": 48}}


class TestTooSmall:
    """A 9 x 9 filter, which reaches 4 pixels, described with a halo of 1."""

    @pytest.mark.parametrize("size", [48, {"min": 16, "step": 1}])
    def test_warned_of_once_measured(self, tmp_path: Path, size: Any) -> None:
        """The plan has the sentence of the card, with a remedy that removes the warning and the seams."""
        model = box_model(tmp_path, size, halo=1, filter_size=9)
        with bc.open_predictor(model) as predictor:
            assert not of_halos(predictor.plan(image(), **OPTIONS).warnings)
            with pytest.raises(InputError, match=r"analyse_network\(\)"):
                predictor.plan(image(), halo="measured", **OPTIONS)
            bc.analyse_network(model)
            warned = of_halos(predictor.plan(image(), **OPTIONS).warnings)
            assert len(warned) == 2
            assert all("is 1, but the network reaches 4 pixels" in w and "--halo measured" in w for w in warned)
            assert set(warned) == {s.in_words() for s in bc.card(model).shortfalls}  # type: ignore[attr-defined]
            assert not of_halos(predictor.plan(image(), halo="measured", **OPTIONS).warnings)
            assert not of_halos(predictor.plan(image(), **{**OPTIONS, "halo": {"y": 4, "x": 4}}).warnings)
        assert not bc.verify(model, image(), **OPTIONS).equal
        assert bc.verify(model, image(), halo="measured", **OPTIONS).equal

    def test_predictions_in_python_warn(self, tmp_path: Path) -> None:
        """With the sentence of the plan."""
        model = box_model(tmp_path, {"min": 16, "step": 1}, halo=1, filter_size=9)
        bc.analyse_network(model)
        with pytest.warns(PredictionWarning, match="the network reaches 4 pixels, so there are seams"):
            bc.predict(model, image(), **OPTIONS)

    def test_one_block_is_not_warned_of(self, tmp_path: Path) -> None:
        """Where nothing is cut there is no seam."""
        model = box_model(tmp_path, {"min": 16, "step": 1}, halo=1, filter_size=9)
        bc.analyse_network(model)
        assert not of_halos(bc.open_predictor(model).plan(image(), axes="yx", block={"y": 200, "x": 200}).warnings)

    def test_same_rule_in_test_and_verify(self, tmp_path: Path) -> None:
        """What `verify` calls different, `test_model` notes, and names the remedy."""
        model = box_model(tmp_path, {"min": 16, "step": 1}, halo=1, filter_size=9)
        x = image()[None, None, :64, :64]
        with bc.open_predictor(model) as predictor:
            expected = np.asarray(predictor.predict(x, axes="bcyx", block={"y": 200, "x": 200})["out"])
        with_test_tensors(model, {"raw": x}, {"out": expected})
        trial = bc.test_model(model).blockwise
        assert trial is not None
        assert trial.status == "noted"
        assert "--halo" in trial.message
        assert not bc.verify(model, block={"y": 64, "x": 64}).equal


class TestEnough:
    """Networks that need no more than is described."""

    def test_pixels_on_their_own(self, tmp_path: Path) -> None:
        """Without a described halo, the warning of cut blocks is gone once the network is known to need none."""
        model = pointwise_model(tmp_path)
        with bc.open_predictor(model) as predictor:
            assert of_halos(predictor.plan(image(), **OPTIONS).warnings)
            bc.analyse_network(model)
            assert not of_halos(predictor.plan(image(), **OPTIONS).warnings)


def test_on_the_command_line(tmp_path: Path) -> None:
    """``--halo measured`` before measuring is an error with the command to run, and works after it."""
    (tmp_path / "model").mkdir()
    model = box_model(tmp_path / "model", {"min": 16, "step": 1}, halo=1, filter_size=9)
    np.save(tmp_path / "image.npy", image())
    plan: list[Any] = ["plan", model, tmp_path / "image.npy", "--axes", "yx", "--block", "y=48,x=48", "--halo", "measured"]
    before = run_process(*plan)
    assert before.status == 2
    assert "bmz info MODEL --measure" in before.err
    assert run_process("info", model, "--measure").status == 0
    after = run_process(*plan)
    assert after.status == 0, after.err
    assert "4 + 40 + 4" in after.out
