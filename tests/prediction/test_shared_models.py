"""Real models compared with calls of their frameworks: in memory, and from zarr to zarr."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numpy.typing import NDArray
from recorded_runs import record_run

import bioimageio_core as bc
from bioimageio_core.prediction.model.test_tensors import load_test_inputs
from bioimageio_core.prediction.whole_tensor import WholeTensorCall

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

MODELS = [
    ("unet2d_diff_output_shape", "torchscript"),
    ("unet2d_multi_tensor", "torchscript"),
    ("unet2d_multi_tensor_v0_4", "torchscript"),
    ("unet2d_multi_tensor_v0_4", "onnx"),
    ("upsample_test_model", "torchscript"),
    ("upsample_test_model", "onnx"),
]
"""Those without a halo: what is predicted of an image of the size of the test tensors is what one call gives."""


def run_by_framework(weights_format: str, path: Path) -> Callable[[Sequence[NDArray[Any]]], list[NDArray[Any]]]:
    """Return the output of the framework itself, without this library."""
    if weights_format == "onnx":
        ort = pytest.importorskip("onnxruntime")
        session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        names = [i.name for i in session.get_inputs()]
        return lambda inputs: list(session.run(None, dict(zip(names, inputs, strict=True))))
    torch: Any = pytest.importorskip("torch")
    script = torch.jit.load(str(path)).eval()

    def run(inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        with torch.no_grad():
            outputs = script(*map(torch.from_numpy, inputs))
        return [o.numpy() for o in ([outputs] if isinstance(outputs, torch.Tensor) else outputs)]

    return run


@pytest.mark.parametrize(("name", "weights_format"), MODELS)
def test_equal_to_the_framework(shared: Path, tmp_path: Path, name: str, weights_format: str) -> None:
    """To 1e-5 of the greatest value."""
    frameworks = ["onnxruntime"] if weights_format == "onnx" else ["torch"]
    with bc.open_predictor(shared / "models" / name, weights_format=weights_format) as predictor:
        model = predictor.model
        given = load_test_inputs(model)
        call = WholeTensorCall(model, given)
        weights = model.package.local(str(model.weights[weights_format].source))
        outputs = run_by_framework(weights_format, weights)([call.network_inputs[t.id] for t in model.io.inputs])
        expected = call.postprocessed(outputs[: len(model.io.outputs)])
        axes = {t.id: ",".join(t.axis_ids) for t in model.io.inputs}
        for way, found in (
            ("in memory", predictor.predict(given, axes=axes)),
            ("out of core", predictor.predict(stored(given, axes, tmp_path), str(tmp_path / "out.zarr"))),
        ):
            for output, array in expected.items():
                scale = max(1.0, float(np.abs(array).max()))
                np.testing.assert_allclose(np.asarray(found[output]), array, atol=1e-5 * scale, rtol=0)
            record_run(weights_format, name, way, *frameworks)  # type: ignore[arg-type]


def stored(arrays: dict[str, NDArray[Any]], axes: dict[str, str], folder: Path) -> dict[str, Path]:
    """Write arrays as zarr, with the names of their axes."""
    paths = {}
    for name, array in arrays.items():
        paths[name] = folder / f"{name}.zarr"
        chunks = tuple(min(n, 64) for n in array.shape)
        zarr.create_array(str(paths[name]), data=array, chunks=chunks, dimension_names=axes[name].split(","))
    return paths
