"""Test inputs with other contents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import pointwise_model

import bioimageio_core as bc
from bioimageio_core.conversion.altered_inputs import altered_examples

NORMALISED = [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["y", "x"]}}]


def altered(folder: Path, image: list[float], dtype: str = "float32", **more: Any) -> dict[str, np.ndarray]:
    """Return the altered images of a row of pixels, as a network without processing gets them."""
    model = pointwise_model(folder, dtype=dtype, out_dtype=dtype, **more)
    given = {"raw": np.array(image, dtype).reshape(1, 1, 1, -1)}
    with bc.open_predictor(model) as predictor:
        return {name: example["raw"].ravel() for name, example in altered_examples(predictor.model, given, trust=False)}


class TestContents:
    """Values by hand."""

    def test_fractions(self, tmp_path: Path) -> None:
        """Values up to 1 stay so."""
        found = altered(tmp_path, [0.6, 0.8, 0.7])
        np.testing.assert_allclose(found["dark"], [0.06, 0.08, 0.07], rtol=1e-6)
        np.testing.assert_allclose(found["bright"], [0.98, 1.0, 0.99], rtol=1e-6)
        np.testing.assert_allclose(found["inverted"], [0.8, 0.6, 0.7], rtol=1e-6)
        np.testing.assert_allclose(np.sort(found["shuffled"]), [0.6, 0.7, 0.8], rtol=1e-6)

    def test_integers(self, tmp_path: Path) -> None:
        """Values stay in the range of their type."""
        found = altered(tmp_path, [10, 200, 100], "uint8")
        np.testing.assert_array_equal(found["dark"], [1, 20, 10])
        np.testing.assert_array_equal(found["bright"], [236, 255, 245])
        np.testing.assert_array_equal(found["inverted"], [200, 10, 110])

    def test_brighter_than_known(self, tmp_path: Path) -> None:
        """Values above 1 are doubled at most."""
        np.testing.assert_allclose(altered(tmp_path, [100.0, 300.0])["bright"], [580.0, 600.0])

    def test_normalised(self, tmp_path: Path) -> None:
        """A network behind a normalisation meets neither dark nor bright images."""
        assert set(altered(tmp_path, [1.0, 2.0, 4.0, 9.0, 3.0], pre=NORMALISED)) == {"inverted", "shuffled"}

    @pytest.mark.parametrize("image", [[np.nan, np.nan], [0.0, 0.0]])
    def test_nothing_to_alter(self, tmp_path: Path, image: list[float]) -> None:
        """Images without numbers give no other one; those of zeros a bright one."""
        assert set(altered(tmp_path, image)) == (set() if np.isnan(image[0]) else {"bright"})
