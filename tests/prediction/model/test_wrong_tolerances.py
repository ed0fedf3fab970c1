"""Tolerances for test outputs that break the format: predictions do not depend on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bmz_process import run_process
from made_models import pointwise_model, with_test_tensors

import bioimageio_core as bc
from bioimageio_core.errors import InvalidDescriptionError, PredictionWarning

LABELS = [{"output_ids": ["out"], "mismatched_elements_per_million": 5000}]
"""Of integers, with the relative tolerance that is the default, and is for floats alone."""

TOO_MANY = [{"mismatched_elements_per_million": 50000}]
IMAGE = np.arange(24, dtype=np.float32).reshape(4, 6)


def labels_model(folder: Path, tolerances: Any, **more: Any) -> Path:
    """Return a model of integers with test tensors and tolerances."""
    folder.mkdir(exist_ok=True)
    config = {"bioimageio": {"reproducibility_tolerance": tolerances}}
    model = pointwise_model(folder, gain=2.0, out_dtype="uint8", config=config, **more)
    return with_test_tensors(model, {"raw": IMAGE[None, None]}, {"out": (2 * IMAGE).astype(np.uint8)[None, None]})


@pytest.mark.parametrize("tolerances", [LABELS, TOO_MANY, [3], "none"])
class TestWrongTolerances:
    """The description is invalid, but runs."""

    def test_predict_and_plan(self, tmp_path: Path, tolerances: Any) -> None:
        """With one warning, from Python."""
        model = labels_model(tmp_path / "model", tolerances)
        assert bc.validate(model).status == "invalid"
        with pytest.warns(PredictionWarning, match="tolerances for test outputs break the format") as caught:
            found = bc.predict(model, IMAGE, axes="yx")["out"]
        assert len(caught) == 1
        np.testing.assert_array_equal(np.asarray(found).squeeze(), 2 * IMAGE)
        with pytest.warns(PredictionWarning, match="reproducibility_tolerance"), bc.open_predictor(model) as predictor:
            assert predictor.plan(IMAGE, axes="yx").outputs[0].shape == (1, 1, 4, 6)

    def test_test(self, tmp_path: Path, tolerances: Any) -> None:
        """Tests, which go by them, refuse them."""
        with pytest.raises(InvalidDescriptionError, match="reproducibility_tolerance"):
            bc.test_model(labels_model(tmp_path / "model", tolerances))


class TestOtherFaults:
    """Whatever else is wrong stops predictions as before."""

    def test_refused(self, tmp_path: Path) -> None:
        """A fault beside that of the tolerances."""
        model = labels_model(tmp_path / "model", TOO_MANY, license="none of them")
        with pytest.raises(InvalidDescriptionError, match="license"):
            bc.predict(model, IMAGE)

    def test_command(self, tmp_path: Path) -> None:
        """The warning is one line on standard error."""
        np.save(tmp_path / "image.npy", IMAGE)
        model = labels_model(tmp_path / "model", LABELS)
        ran = run_process("predict", model, "image.npy", "--axes", "yx", "-o", "out.zarr", cwd=tmp_path)
        (line,) = ran.err.splitlines()
        assert ran.status == 0
        assert line.startswith("bmz: warning: ")
        assert "config.bioimageio.reproducibility_tolerance.0" in line
