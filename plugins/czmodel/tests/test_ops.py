"""Each op becomes nodes of the network that compute what it computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comparing import OPSETS, assert_same, exported, integers, lost, predicted
from made_files import bare, network_of
from made_models import pointwise_model, pointwise_model_0_4

from bioimageio_core.errors import InputError

PRE: dict[str, list[dict[str, Any]]] = {
    "linear": [{"id": "scale_linear", "kwargs": {"gain": 0.02, "offset": -1.5}}],
    "along channels": [{"id": "scale_linear", "kwargs": {"axis": "channel", "gain": [0.5, 0.01], "offset": 3.0}}],
    "fixed": [{"id": "fixed_zero_mean_unit_variance", "kwargs": {"mean": 101.3, "std": 12.5}}],
    "fixed along channels": [
        {"id": "fixed_zero_mean_unit_variance", "kwargs": {"axis": "channel", "mean": [100.1, 20.7], "std": [0.01, 3.0]}}
    ],
    "over channels": [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["channel"]}}],
    "range over channels": [{"id": "scale_range", "kwargs": {"axes": ["channel"], "min_percentile": 10, "max_percentile": 95}}],
    "clipped": [{"id": "clip", "kwargs": {"min": 20, "max": 200}}, {"id": "scale_linear", "kwargs": {"gain": 0.01}}],
    "one bound": [{"id": "clip", "kwargs": {"min": 20.5}}],
    "thresholds": [{"id": "binarize", "kwargs": {"axis": "channel", "threshold": [100, 150.5]}}],
    "softmax": [{"id": "scale_linear", "kwargs": {"gain": 0.02}}, {"id": "softmax", "kwargs": {"axis": "channel"}}],
    "softmax over y": [{"id": "scale_linear", "kwargs": {"gain": 0.02}}, {"id": "softmax", "kwargs": {"axis": "y"}}],
    "sigmoid": [{"id": "scale_linear", "kwargs": {"gain": 0.02, "offset": -2.0}}, {"id": "sigmoid"}],
    "casts": [
        {"id": "scale_linear", "kwargs": {"gain": 0.3}},
        {"id": "ensure_dtype", "kwargs": {"dtype": "uint8"}},
        {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}},
    ],
}

STATISTICS: dict[str, list[dict[str, Any]]] = {
    "moments": [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["y", "x"]}}],
    "moments of all": [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["channel", "y", "x"], "eps": 0.01}}],
    "moments after": [{"id": "scale_linear", "kwargs": {"gain": 3.0}}, {"id": "zero_mean_unit_variance", "kwargs": {"axes": ["x", "y"]}}],
    "range": [{"id": "scale_range", "kwargs": {"axes": ["y", "x"], "min_percentile": 1, "max_percentile": 99.8}}],
    "whole range": [{"id": "scale_range", "kwargs": {"axes": ["channel", "y", "x"]}}],
    "range in one half": [{"id": "scale_range", "kwargs": {"axes": ["y", "x"], "min_percentile": 60, "max_percentile": 61.3}}],
    "clipped to percentiles": [{"id": "clip", "kwargs": {"min_percentile": 5, "max_percentile": 90, "axes": ["y", "x"]}}],
    "clipped at one": [{"id": "clip", "kwargs": {"max_percentile": 50, "axes": ["channel", "y"]}}],
}


class TestOps:
    """Each op becomes nodes that compute what it computes."""

    @pytest.mark.parametrize("version", ["2.1.0", "2.0.0"])
    @pytest.mark.parametrize("where", ["pre", "post"])
    @pytest.mark.parametrize("name", PRE)
    def test_fixed(self, tmp_path: Path, name: str, where: str, version: str) -> None:
        """Ops that need nothing but the pixel, before and after the network."""
        model = pointwise_model(tmp_path, names=("a", "b"), gain=[0.5, 2], **{where: PRE[name]})
        path = exported(model, tmp_path / "m.czann", type="Regression", spatial_dims=[12, 20], file_version=version)
        image = integers((1, 12, 20, 2))
        bare(network_of(path), image, opset=OPSETS[version])
        assert_same(model, path, image)

    @pytest.mark.parametrize("version", ["2.1.0", "2.0.0"])
    @pytest.mark.parametrize("where", ["pre", "post"])
    @pytest.mark.parametrize("name", STATISTICS)
    def test_statistics(self, tmp_path: Path, name: str, where: str, version: str) -> None:
        """Statistics of an image: an error; on request those of a block, which is said to be lost."""
        model = pointwise_model(tmp_path, names=("a", "b"), gain=[0.5, 2], **{where: STATISTICS[name]})
        options: dict[str, Any] = {"type": "Regression", "spatial_dims": [12, 20], "file_version": version}
        with pytest.raises(InputError, match=f"the op '{STATISTICS[name][-1]['id']}' of '.*' needs statistics of the complete image"):
            exported(model, tmp_path / "m.czann", **options)
        path = tmp_path / "m.czann"
        assert "Statistics are those of each block" in lost(model, path, statistics="block", **options)
        assert_same(model, path, integers((1, 12, 20, 2)) + 3000)

    @pytest.mark.parametrize("axes", [["y", "x"], ["channel", "y", "x"]])
    def test_matched_to_the_input(self, tmp_path: Path, axes: list[str]) -> None:
        """Ops that compare with the input as it was given."""
        post = [{"id": "scale_mean_variance", "kwargs": {"reference_tensor": "raw", "axes": axes}}]
        pre = [{"id": "scale_linear", "kwargs": {"gain": 0.1, "offset": 5.0}}]
        model = pointwise_model(tmp_path, names=("a", "b"), gain=[0.5, 2], pre=pre, post=post)
        path = exported(model, tmp_path / "m.czann", type="Regression", spatial_dims=[12, 20], statistics="block")
        assert_same(model, path, integers((1, 12, 20, 2)))

    def test_format_0_4(self, tmp_path: Path) -> None:
        """Ops as the older format says them."""
        pre = [{"name": "zero_mean_unit_variance", "kwargs": {"mode": "fixed", "axes": "yx", "mean": [100.0], "std": [7.0]}}]
        post = [{"name": "sigmoid"}, {"name": "binarize", "kwargs": {"threshold": 0.3}}]
        model = pointwise_model_0_4(tmp_path, pre=pre, post=post)
        for name in ("raw", "out"):
            np.save(tmp_path / f"{name}.npy", np.zeros((1, 1, 8, 8), np.float32))
        path = exported(model, tmp_path / "m.czann", spatial_dims=[12, 20])
        assert_same(model, path, integers((1, 12, 20, 1)), background=True)

    def test_unknown(self, tmp_path: Path) -> None:
        """An op that is no arithmetic, one that nobody knows and a run mode are listed together."""
        model = pointwise_model(
            tmp_path,
            post=[{"id": "stardist_postprocessing_2d", "kwargs": {"prob_threshold": 0.5, "nms_threshold": 0.4}}, {"id": "subtract_median"}],
            run_mode={"name": "tta"},
        )
        with pytest.raises(InputError) as raised:
            exported(model, tmp_path / "m.czann")
        assert "the run mode 'tta' cannot be part of a network" in str(raised.value)
        assert "the op 'subtract_median' of 'out' (bioimageio-runtime-median brings it) cannot be part of a network" in str(raised.value)
        assert "the op 'stardist_postprocessing_2d' of 'out'" in str(raised.value)

    def test_integers(self, tmp_path: Path) -> None:
        """Images of integers come as floats; what the values stand for can be said."""
        pre = [{"id": "scale_linear", "kwargs": {"gain": 0.5}}, {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}}]
        model = pointwise_model(tmp_path, dtype="uint8", pre=pre)
        path = tmp_path / "m.czann"
        assert "The network is made for the values of uint8 images" in lost(model, path, spatial_dims=[12, 20])
        image = integers((1, 12, 20, 1))
        np.testing.assert_allclose(bare(network_of(path), image), predicted(model, image.astype(np.uint8)), rtol=1e-6)
        assert "made for the values" not in lost(model, path, spatial_dims=[12, 20], input_maximum=255)
        np.testing.assert_allclose(bare(network_of(path), image / 255), predicted(model, image.astype(np.uint8)), rtol=1e-5, atol=1e-5)
