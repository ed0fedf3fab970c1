"""Real models: their test tensors, and images of any size against an independent computation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from fixed_blocks import on_fixed_blocks
from numpy.typing import NDArray
from recorded_runs import record_run

import bioimageio_core as bc
from bioimageio_core.model_tests.compare_outputs import compare
from bioimageio_core.model_tests.weights_tests import tolerance_of
from bioimageio_core.prediction.model.test_tensors import load_test_inputs, load_test_outputs

ort = pytest.importorskip("onnxruntime")

TESTED = {
    "unet2d_nuclei_broad/bioimageio.yaml": {"onnx", "torchscript"},
    "unet2d_nuclei_broad/v0_4_0.bioimageio.yaml": {"onnx", "torchscript"},
    "unet2d_nuclei_broad/v0_4_9.bioimageio.yaml": {"onnx", "torchscript"},
    "unet2d_nuclei_broad/expand_output_shape.bioimageio.yaml": {"torchscript"},
    "unet2d_nuclei_broad/expand_output_shape_v0_4.bioimageio.yaml": {"torchscript"},
    "unet2d_diff_output_shape": {"torchscript"},
    "unet2d_fixed_shape": {"onnx", "torchscript"},
    "unet2d_multi_tensor": {"torchscript"},
    "unet2d_multi_tensor_v0_4": {"onnx", "torchscript"},
    "upsample_test_model": {"onnx", "torchscript"},
}
"""Every complete model whose frameworks the library brings adapters for, with its weights formats."""


class TestTestTensors:
    """Models reproduce their test outputs in every weights format."""

    @pytest.mark.parametrize("name", sorted(TESTED))
    def test_reproduced(self, shared: Path, name: str) -> None:
        """All outputs agree within the tolerances of the format."""
        if TESTED[name] == {"torchscript"}:
            pytest.importorskip("torch")
        report = bc.test_model(shared / "models" / name)
        for test in report.tests:
            print(name, test.weights_format, test.status, [f"{o.output}: {o.greatest_deviation:.3g}" for o in test.outputs], test.message)
            if test.status == "passed":
                record_run(test.weights_format, name, "test tensors", *test.frameworks)
        assert report.status == "passed"
        assert {t.weights_format for t in report.tests} == TESTED[name]
        skipped = {t.weights_format for t in report.tests if t.status == "skipped"}
        assert skipped <= {"torchscript"}, "only PyTorch may be missing"


FIXED = [name for name in sorted(TESTED) if name.startswith(("unet2d_nuclei_broad", "unet2d_fixed_shape"))]
"""Models whose networks take one size."""


class TestPredictedTestInputs:
    """The first thing that a scientist tries: to predict the test input, and compare with the test output."""

    @pytest.mark.parametrize("name", FIXED)
    def test_fixed_size(self, shared: Path, tmp_path: Path, name: str) -> None:
        """The image is the one size that the network takes, so it is one call, and equals the test output within the test's tolerance."""
        if "onnx" not in TESTED[name]:
            pytest.importorskip("torch")
        with bc.open_predictor(shared / "models" / name) as predictor:
            model = predictor.model
            axes = {t.id: ",".join(t.axis_ids) for t in model.io.inputs}
            plan = predictor.plan(load_test_inputs(model), axes=axes)
            prediction = predictor.run(plan, str(tmp_path / "out.zarr"))
            assert plan.regions.block_count == 1
            assert plan.computed_per_kept == 1
            for output, expected in load_test_outputs(model).items():
                compared = compare(
                    output, np.asarray(prediction[output]), expected, tolerance_of(model, output, plan.weights.weights_format)
                )
                assert compared.passed, compared.message


def independent(model: Path, x: NDArray[Any], *, size: int, halo: int, core: int) -> NDArray[np.float32]:
    """Return the output of a 2D network of fixed size on one grid."""
    session = ort.InferenceSession(str(model / "weights.onnx"), providers=["CPUExecutionProvider"])
    return on_fixed_blocks(lambda block: session.run(None, {session.get_inputs()[0].name: block})[0], x, size=size, halo=halo, core=core)


def sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    """Return the logistic function."""
    return np.asarray(1 / (1 + np.exp(-x.astype(np.float64))))


def real_image(shared: Path, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return real nuclei, mirrored until they fill a shape."""
    nuclei = np.load(shared / "models/unet2d_nuclei_broad/test_input.npy")[0, 0]
    return np.pad(nuclei, [(0, max(0, n - 512)) for n in shape], mode="symmetric")[: shape[0], : shape[1]]


class TestAnySize:
    """Zarr to zarr, values compared pixel by pixel."""

    @pytest.mark.parametrize("shape", [(1, 1), (100, 300), (512, 512), (515, 515), (1000, 470)])
    @pytest.mark.parametrize("description", ["bioimageio.yaml", "v0_4_9.bioimageio.yaml"])
    def test_nuclei(self, shared: Path, tmp_path: Path, shape: tuple[int, int], description: str) -> None:
        """A U-Net of fixed 512 x 512 with halo 32, of format 0.5 and 0.4."""
        model = shared / "models/unet2d_nuclei_broad"
        x = real_image(shared, shape)
        zarr.save_array(str(tmp_path / "in.zarr"), x)
        bc.predict(model / description, tmp_path / "in.zarr", tmp_path / "out.zarr", axes="yx", weights_format="onnx")
        result = zarr.open_group(str(tmp_path / "out.zarr"), mode="r")["0"]
        assert isinstance(result, zarr.Array)
        assert result.shape == (1, *shape)
        halo, core = (0, 512) if shape == (512, 512) else (32, 448)  # an image of exactly this size is one bare call
        expected = sigmoid(independent(model, x, size=512, halo=halo, core=core))
        np.testing.assert_allclose(np.asarray(result[0]), expected, atol=1e-4)  # float32 network, another number of threads

    @pytest.mark.large
    @pytest.mark.parametrize("description", ["bioimageio.yaml", "v0_4_9.bioimageio.yaml"])
    def test_large(self, shared: Path, tmp_path: Path, description: str) -> None:
        """8192 x 8192, of format 0.5 and 0.4."""
        self.test_nuclei(shared, tmp_path, (8192, 8192), description)

    @pytest.mark.parametrize("shape", [(40, 256), (300, 515)])
    def test_fixed_shape_0_4(self, shared: Path, shape: tuple[int, int]) -> None:
        """A 0.4 model of fixed 256 x 256 with halo 8."""
        model = shared / "models/unet2d_fixed_shape"
        x = real_image(shared, shape)
        result = bc.predict(model, x, weights_format="onnx")["output"]
        expected = independent(model, x, size=256, halo=8, core=224)  # 256 - 2 * 8, in steps of 32
        np.testing.assert_allclose(np.asarray(result)[0, 0], expected, atol=1e-4)

    def test_upsampled(self, shared: Path, tmp_path: Path) -> None:
        """Four times larger, nearest neighbour: exact, whatever the blocks."""
        x = real_image(shared, (123, 77))
        bc.predict(shared / "models/upsample_test_model", x, tmp_path / "out.zarr", block={"y": 20, "x": 35})
        result = zarr.open_group(str(tmp_path / "out.zarr"), mode="r")["0"]
        assert isinstance(result, zarr.Array)
        np.testing.assert_array_equal(np.asarray(result[0]), np.kron(x, np.ones((4, 4), np.float32)))
