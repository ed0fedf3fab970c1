"""The plugins of this project as users have them: wheels in an environment of workers, none of them in the driver's.

``nox -s plugins`` makes both environments, and names the Python of the workers in BMZ_PLUGINS_PYTHON.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import yaml
from cluster_process import cluster_of
from made_models import box_model, null_model

import bioimageio_core as bc
from bioimageio_core.errors import UnknownExtensionError

distributed = pytest.importorskip("distributed", reason="distributed is not installed")

PYTHON = os.environ.get("BMZ_PLUGINS_PYTHON", "")

pytestmark = pytest.mark.skipif(not PYTHON, reason="BMZ_PLUGINS_PYTHON names no Python with the plugins: run 'nox -s plugins'")

KERNEL = np.arange(9, dtype=np.float32).reshape(3, 3) / 36
"""A filter that looks to the lower right."""

BLOCKS = {"y": 64, "x": 48}

PREDICT = """
import json, sys
import numpy as np
import bioimageio_core as bc

job = json.loads(sys.argv[1])
image = np.load(job["image"]) if job["image"].endswith(".npy") else job["image"]
found = bc.predict(job["model"], image, job["output"], **job["options"])
np.save(job["result"], np.asarray(found["out"]))
print(found.plan.regions.block_count)
"""

NETWORK = """
import torch


class Filter(torch.nn.Conv2d):
    def __init__(self, size):
        super().__init__(1, 1, size, padding=size // 2, bias=False)
"""


def filtered(image: np.ndarray[Any, Any], kernel: np.ndarray[Any, Any] = KERNEL) -> np.ndarray[Any, Any]:
    """Return the image behind a filter of 3 x 3 pixels, symmetric padding."""
    padded = np.pad(image.astype(np.float64), 1, mode="symmetric")
    height, width = image.shape
    return np.asarray(sum(kernel[i, j] * padded[i : i + height, j : j + width] for i in range(3) for j in range(3)))


def turned(image: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the maximum over all filters that the kernel becomes when it is flipped and turned."""
    kernels = [np.rot90(kernel, turns) for kernel in (KERNEL, KERNEL[::-1]) for turns in range(4)]
    return np.asarray(np.max([filtered(image, kernel) for kernel in kernels], axis=0))


def components(mask: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Number what is connected, also at corners, in the order of the first pixels."""
    size = mask.size + 1
    padded = np.pad(np.where(mask, np.arange(1, size).reshape(mask.shape), size), 1, constant_values=size)
    height, width = mask.shape
    while True:
        least = np.min([padded[i : i + height, j : j + width] for i in range(3) for j in range(3)], axis=0)
        least = np.where(mask, least, size)
        if np.array_equal(least, padded[1:-1, 1:-1]):
            return np.asarray(np.where(mask, np.unique(least, return_inverse=True)[1].reshape(mask.shape) + 1, 0))
        padded[1:-1, 1:-1] = least


def lopsided_model(folder: Path, **more: Any) -> Path:
    """Write a model whose network filters with `KERNEL`."""
    import onnx
    from onnx import numpy_helper

    model = box_model(folder, {"min": 16, "step": 8}, halo=1, **more)
    graph = onnx.load(str(folder / "weights.onnx"))
    graph.graph.initializer[0].CopyFrom(numpy_helper.from_array(KERNEL[None, None], "kernel"))
    onnx.save(graph, str(folder / "weights.onnx"))
    return model


def safetensors_model(folder: Path) -> Path:
    """Write the same with an architecture file, and its parameters as safetensors."""
    model = lopsided_model(folder)
    (folder / "network.py").write_text(NETWORK)
    header = json.dumps({"weight": {"dtype": "F32", "shape": [1, 1, 3, 3], "data_offsets": [0, KERNEL.nbytes]}}).encode()
    (folder / "weights.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + KERNEL.tobytes())
    path = folder / "bioimageio.yaml"
    tree = yaml.safe_load(path.read_text())
    architecture = {"source": "network.py", "callable": "Filter", "kwargs": {"size": 3}}
    weights = {"source": "weights.safetensors", "architecture": architecture, "pytorch_version": "2.5"}
    tree["weights"] = {"pytorch_safetensors": weights}
    path.write_text(yaml.safe_dump(tree))
    return model


@attrs.frozen
class Case:
    """A plugin, a model that needs it, and what comes out."""

    plugin: str
    make: Callable[[Path], Path]
    expected: Callable[[np.ndarray[Any, Any]], Any]
    options: dict[str, Any] = attrs.field(factory=dict)


CASES = [
    Case(
        "median",
        lambda folder: lopsided_model(folder, preprocessing=[{"id": "subtract_median"}]),
        lambda image: filtered(image - np.median(image.astype(np.float64))),
    ),
    Case(
        "labels",
        lambda folder: null_model(folder, "yx", post=[{"id": "connected_components", "kwargs": {"threshold": 0.6}}]),
        lambda image: components(image > 0.6),
    ),
    Case("tta", lopsided_model, turned, {"run_mode": "tta", "run_mode_kwargs": {"merge": "max"}}),
    Case("safetensors", safetensors_model, filtered, {"trust": True}),
]


@pytest.fixture(params=CASES, ids=lambda case: case.plugin)
def case(request: pytest.FixtureRequest) -> Case:
    """Each plugin."""
    found: Case = request.param
    return found


@pytest.fixture
def model(case: Case, tmp_path: Path) -> Path:
    """The model of the plugin."""
    folder = tmp_path / "model"
    folder.mkdir()
    return case.make(folder)


@pytest.fixture
def image(tmp_path: Path) -> np.ndarray[Any, Any]:
    """Noise of 200 x 300 pixels; the same lies in image.npy and image.zarr."""
    import zarr

    noise = np.random.default_rng(0).random((200, 300), dtype=np.float32)
    np.save(tmp_path / "image.npy", noise)
    zarr.create_array(str(tmp_path / "image.zarr"), data=noise, chunks=(64, 64), dimension_names=("y", "x"))
    return noise


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of workers that have the plugins."""
    script = tmp_path_factory.mktemp("cluster") / "cluster.py"
    with cluster_of(PYTHON, script, os.environ) as address, distributed.Client(address, set_as_default=False) as client:
        yield client


def run_workers_python(*arguments: str) -> str:
    """Run the Python of the workers; return what it prints."""
    done = subprocess.run([PYTHON, "-P", *arguments], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def predicted_there(model: Path, image: Path, output: Path | None, options: dict[str, Any]) -> tuple[np.ndarray[Any, Any], int]:
    """Predict in the environment of the workers; return the output without batch and channel, and the number of blocks."""
    result = model.parent / f"result-{image.suffix[1:]}.npy"
    job = {"model": str(model), "image": str(image), "output": output and str(output), "options": options, "result": str(result)}
    blocks = int(run_workers_python("-c", PREDICT, json.dumps(job)))
    return np.load(result)[0, 0], blocks


class TestEnvironments:
    """Who has the plugins."""

    def test_listed(self) -> None:
        """``bmz plugins`` of the workers names distributions and versions, and no failure."""
        listed = json.loads(run_workers_python("-m", "bioimageio_core.cli", "plugins", "--json"))
        found = {(e["kind"], e["name"]): (e["plugin"], e["missing"]) for e in listed["entries"]}
        assert listed["failures"] == []
        for kind, name, distribution in (
            ("processing_ops", "connected_components", "labels"),
            ("processing_ops", "subtract_median", "median"),
            ("weights_formats", "pytorch_safetensors", "safetensors"),
            ("weights_adapters", "safetensors", "safetensors"),
            ("run_modes", "orthoplanes", "orthoplanes"),
            ("run_modes", "tta", "tta"),
        ):
            assert found[(kind, name)] == (f"bioimageio-runtime-{distribution} 0.1.0", "")

    def test_not_here(self, case: Case, model: Path, image: np.ndarray[Any, Any]) -> None:
        """The driver has none of them, and says what is missing."""
        with pytest.raises(UnknownExtensionError, match=r"no installed plugin (provides|runs)"):
            bc.predict(model, image, axes="yx", **case.options)


class TestCommands:
    """From the command line."""

    def test_run_mode(self, image: np.ndarray[Any, Any], tmp_path: Path) -> None:
        """``--run-mode`` and its arguments."""
        import zarr

        folder = tmp_path / "model"
        folder.mkdir()
        arguments = ["predict", str(lopsided_model(folder)), str(tmp_path / "image.zarr"), "-o", str(tmp_path / "out.zarr")]
        options = ["--run-mode", "tta", "--run-mode-kwargs", '{"merge": "max"}']
        run_workers_python("-m", "bioimageio_core.cli", *arguments, *options)
        found: Any = zarr.open_group(str(tmp_path / "out.zarr"), mode="r")["0"]
        np.testing.assert_allclose(found[0], turned(image), atol=1e-5)

    @pytest.mark.parametrize("name", ["labels", "median", "orthoplanes", "safetensors", "tta"])
    def test_check(self, name: str) -> None:
        """``bmz plugins check`` finds nothing."""
        run_workers_python("-m", "bioimageio_core.cli", "plugins", "check", f"bioimageio-runtime-{name}")


class TestPredictions:
    """The same pixels by all ways."""

    def test_in_memory_and_out_of_core(self, case: Case, model: Path, image: np.ndarray[Any, Any], tmp_path: Path) -> None:
        """An array as one block, and zarr to zarr in many."""
        whole, count = predicted_there(model, tmp_path / "image.npy", None, {"axes": "yx", **case.options})
        assert count == 1
        np.testing.assert_allclose(whole, case.expected(image), atol=1e-5)
        blocks, count = predicted_there(model, tmp_path / "image.zarr", tmp_path / "out.zarr", {"block": BLOCKS, **case.options})
        assert count > 12
        np.testing.assert_allclose(blocks, whole, atol=1e-6)

    def test_on_a_cluster(self, case: Case, model: Path, image: np.ndarray[Any, Any], client: Any, tmp_path: Path) -> None:
        """Zarr to zarr, by workers that have what the driver lacks."""
        paths = (str(tmp_path / "image.zarr"), str(tmp_path / "out.zarr"))
        found = bc.predict(str(model), *paths, client=client, block=BLOCKS, **case.options)
        assert found.plan is None
        np.testing.assert_allclose(np.asarray(found["out"])[0, 0], case.expected(image), atol=1e-5)

    def test_arrays_on_a_cluster(self, case: Case, model: Path, image: np.ndarray[Any, Any], client: Any) -> None:
        """Arrays go there and come back."""
        found = bc.predict(str(model), image, axes="yx", client=client, block=BLOCKS, **case.options)
        np.testing.assert_allclose(np.asarray(found["out"])[0, 0], case.expected(image), atol=1e-5)
