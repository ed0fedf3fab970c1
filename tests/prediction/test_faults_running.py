"""Weights, tests of models and run modes where the reference runtime is wrong. See docs/faults.md."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import (
    BATCH,
    box_graph,
    channels,
    follows,
    pointwise_model,
    save_description_0_5,
    save_graph,
    space,
    tensor,
    with_test_tensors,
)
from onnx import helper

import bioimageio_core as bc
from bioimageio_core.errors import MissingRequirementError, UnknownExtensionError
from bioimageio_core.model_tests.test_report import TestReport

ONNX = {"source": "weights.onnx", "opset_version": 17}
TFJS = {"source": "weights.zip", "tensorflow_version": "2.9"}
ROW = np.arange(4, dtype=np.float32).reshape(1, 1, 4)


def report_on(model: Path, given: Any, expected: Any) -> TestReport:
    """Return the report on a model with these test tensors."""
    return bc.test_model(with_test_tensors(model, {"raw": np.asarray(given)}, {"out": np.asarray(expected)}))


class TestF19Comparison:
    """Outputs must match test outputs: NaN matches NaN, infinity itself, integers exactly."""

    @pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
    def test_output_not_finite(self, tmp_path: Path, wrong: float) -> None:
        """A single NaN is a difference."""
        given = ROW.copy()
        given[0, 0, 2] = wrong
        report = report_on(pointwise_model(tmp_path, axes=("x",)), given, ROW)
        assert report.status == "failed"
        assert (report.tests[0].outputs[0].mismatched, report.tests[0].outputs[0].at) == (1, (0, 0, 2))

    @pytest.mark.parametrize("same", [np.nan, np.inf, -np.inf])
    def test_expected_not_finite(self, tmp_path: Path, same: float) -> None:
        """NaN and infinity match only themselves."""
        expected = ROW.copy()
        expected[0, 0, 2] = same
        model = pointwise_model(tmp_path, axes=("x",))
        assert report_on(model, expected, expected).status == "passed"
        assert report_on(model, ROW, expected).status == "failed"

    def test_integers_beyond_float32(self, tmp_path: Path) -> None:
        """16777217 differs from 16777216, although float32 cannot represent the difference."""
        model = pointwise_model(tmp_path, axes=("x",), out_dtype="int32")
        given = np.full((1, 1, 4), 16777216, np.float32)
        assert report_on(model, given, given.astype(np.int32)).status == "passed"
        report = report_on(model, given, given.astype(np.int32) + 1)
        assert (report.status, report.tests[0].outputs[0].greatest_deviation) == ("failed", 1.0)


class TestF20MissingPlugins:
    """Ops, run modes and weights without a plugin are an error of predictions, and skipped in tests of models."""

    def test_run_mode(self, tmp_path: Path) -> None:
        """An unknown run mode does not make a description invalid, but predictions refuse it."""
        model = pointwise_model(tmp_path, run_mode={"name": "folding"})
        assert bc.validate(model).status == "valid"
        assert bc.load_model_description(model).run_mode.name == "folding"
        with pytest.raises(UnknownExtensionError, match="run mode 'folding'"):
            bc.predict(model, np.zeros((4, 4), np.float32))

    def test_described_op(self, tmp_path: Path) -> None:
        """An op of the format without an implementation is named before any network is loaded."""
        step = {"id": "cellpose_flow_dynamics", "kwargs": {"cellprob_threshold": 0.0, "flow_threshold": 0.4, "do_3D": False}}
        model = pointwise_model(tmp_path, post=[step])
        assert bc.validate(model).status == "valid"
        with pytest.raises(UnknownExtensionError, match="no installed plugin provides op 'cellpose_flow_dynamics'"):
            bc.open_predictor(model)

    def test_weights_beside_others(self, tmp_path: Path) -> None:
        """tensorflow_js is skipped, onnx is tested."""
        model = pointwise_model(tmp_path, axes=("x",), weights={"onnx": ONNX, "tensorflow_js": TFJS})
        report = report_on(model, ROW, ROW)
        assert report.status == "passed"
        assert {t.weights_format: t.status for t in report.tests} == {"onnx": "passed", "tensorflow_js": "skipped"}

    def test_weights_alone(self, tmp_path: Path) -> None:
        """A model without runnable weights does not pass; the reason is in the report, and in the error of a prediction."""
        model = pointwise_model(tmp_path, axes=("x",), weights={"tensorflow_js": TFJS})
        report = report_on(model, ROW, ROW)
        assert report.status == "skipped"
        assert report.tests[0].message == "no installed plugin runs it (bioimageio-runtime-tensorflow brings it)"
        with pytest.raises(UnknownExtensionError, match="tensorflow_js"):
            bc.predict(model, ROW)


class TestF21EveryWeightsFormatIsTested:
    """Neither a pass nor a failure ends a test; each weights format has its own verdict."""

    @pytest.mark.parametrize("order", [("onnx", "torchscript"), ("torchscript", "onnx")])
    def test_one_is_broken(self, tmp_path: Path, order: tuple[str, ...]) -> None:
        """Broken TorchScript weights fail; ONNX weights of the same model pass."""
        pytest.importorskip("torch")
        entries = {"onnx": ONNX, "torchscript": {"source": "weights.pt", "pytorch_version": "2.0"}}
        model = pointwise_model(tmp_path, axes=("x",), weights={name: entries[name] for name in order})
        (tmp_path / "weights.pt").write_bytes(b"these are no weights")
        report = report_on(model, ROW, ROW)
        assert report.status == "failed"
        assert {t.weights_format: t.status for t in report.tests} == {"onnx": "passed", "torchscript": "failed"}
        assert bc.test_model(model, weights_format="onnx").status == "passed"


class TestF23KerasWeights:
    """Keras weights need Keras; `tests/weights/test_keras.py` runs them, several inputs by position."""

    @pytest.mark.parametrize("name", ["keras_hdf5", "keras_v3"])
    @pytest.mark.skipif(find_spec("keras") is not None, reason="Keras is installed")
    def test_no_keras(self, tmp_path: Path, name: str) -> None:
        """One clear error."""
        entry: dict[str, Any] = {"source": "weights.keras", "tensorflow_version": "2.16"}
        if name == "keras_v3":
            entry = {"source": "weights.keras", "keras_version": "3.4", "backend": ["tensorflow", "2.16"]}
        model = pointwise_model(tmp_path, axes=("x",), weights={name: entry})
        assert bc.validate(model).status == "valid"
        with pytest.raises(MissingRequirementError, match=rf"{name} needs keras \(pip install 'bioimageio-runtime\[keras\]'\)"):
            bc.predict(model, ROW)


class TestF24EveryOutputAndTheImages:
    """A later model takes what all earlier ones give, and images."""

    def test_the_second_model_takes_the_image_too(self, tmp_path: Path) -> None:
        """The image is that of the first model and of the second."""
        first, folder = tmp_path / "first", tmp_path / "both"
        for made in (first, folder):
            made.mkdir()
        box_graph(first / "weights.onnx", size=5)
        axes = [space(a, {"min": 24, "step": 4}) for a in "yx"]
        smooth = tensor("smooth", BATCH, channels(), *(space(a, follows(a), halo=2) for a in "yx"))
        save_description_0_5(first, [tensor("raw", BATCH, channels(), *axes)], [smooth])
        save_graph(folder / "weights.onnx", [helper.make_node("Add", ["raw", "smooth"], ["out"])], {"raw": 4, "smooth": 4}, {"out": 4})
        tied = [space(a, follows(a)) for a in "yx"]
        both = save_description_0_5(
            folder,
            [tensor("raw", BATCH, channels(), *axes), tensor("smooth", BATCH, channels(), *tied)],
            [tensor("out", BATCH, channels(), *tied)],
        )
        array = np.random.default_rng(0).integers(0, 4000, (64, 80)).astype(np.uint16)
        smoothed = np.asarray(bc.predict(first, array, axes="yx")["smooth"])
        result = bc.predict([first, both], {"raw": array}, axes="yx", block=40)["out"]
        np.testing.assert_allclose(np.asarray(result)[0, 0], array + smoothed[0, 0], rtol=1e-6)


class TestF25OneNetworkInMemory:
    """A predictor loads the network once."""

    def test_same_network(self, tmp_path: Path) -> None:
        """The network is the same object for all images within the context manager, and is unloaded after it."""
        model = pointwise_model(tmp_path, axes=("x",))
        with bc.open_predictor(model, workers=1) as predictor:
            plan = predictor.plan(ROW)
            network = predictor.network(plan.weights, threads=plan.threads)
            predictor.predict(ROW)
            predictor.predict(2 * ROW)
            assert predictor.network(plan.weights, threads=plan.threads) is network

    def test_weights_may_go_once_loaded(self, tmp_path: Path) -> None:
        """The file is not read again for the next image."""
        model = pointwise_model(tmp_path, axes=("x",))
        with bc.open_predictor(model) as predictor:
            predictor.predict(ROW)
            (tmp_path / "weights.onnx").unlink()
            np.testing.assert_array_equal(predictor.predict(2 * ROW)["out"], 2 * ROW)


class TestInputsByPosition:
    """Described inputs are passed to the network by position, whatever their names."""

    def test_names_differ(self, tmp_path: Path) -> None:
        """Graph inputs b, a for described inputs first, second: first - second."""
        save_graph(tmp_path / "weights.onnx", [helper.make_node("Sub", ["b", "a"], ["out"])], {"b": 3, "a": 3}, {"out": 3})
        size = {"min": 1, "step": 1}
        save_description_0_5(
            tmp_path,
            [tensor(name, BATCH, channels(), space("x", size)) for name in ("first", "second")],
            [tensor("out", BATCH, channels(), space("x", follows("x", tensor="first")))],
        )
        found = bc.predict(tmp_path, {"second": ROW, "first": 3 * ROW})["out"]
        np.testing.assert_array_equal(found, 2 * ROW)
