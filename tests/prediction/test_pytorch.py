"""Weights of PyTorch and ONNX give the results of their frameworks, in memory and from zarr to zarr, in several blocks."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from cluster_process import cluster_of
from fixed_blocks import on_fixed_blocks
from made_networks import HALO, TENSORS, network, save_model, with_weights
from numpy.typing import NDArray
from recorded_runs import record_run

import bioimageio_core as bc
from bioimageio_core.errors import InputError, TrustError

torch: Any = pytest.importorskip("torch")
ort: Any = pytest.importorskip("onnxruntime")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

FRAMEWORK = {"onnx": "onnxruntime", "torchscript": "torch", "pytorch_state_dict": "torch"}
BLOCK = {"y": 48, "x": 48}


def image(*shape: int) -> NDArray[np.float32]:
    """Return noise."""
    return np.random.default_rng(1).random(shape, dtype=np.float32)


def own_call(name: str, *images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return the output of the module of a made network for images, (y, x), with the padding of predictions."""
    padded = [torch.from_numpy(np.pad(i, 2 * HALO, mode="symmetric")[None, None]) for i in images]
    result = network(name)(*padded)
    cut = slice(2 * HALO, -2 * HALO)
    return [output.numpy()[0, 0, cut, cut] for output in (result if isinstance(result, tuple) else (result,))]


def written(path: Path, output: str) -> NDArray[Any]:
    """Return an output that was written."""
    group = zarr.open_group(str(path), mode="r")
    array = group["0" if "0" in group else f"{output}/0"]
    assert isinstance(array, zarr.Array)
    return np.asarray(array[:])[None]


class TestMadeNetworks:
    """Comparison with calls of the module itself."""

    @pytest.mark.parametrize("version", ["0.4", "0.5"])
    @pytest.mark.parametrize("weights_format", sorted(FRAMEWORK))
    @pytest.mark.parametrize("name", ["unet", "two"])
    def test_same(self, tmp_path: Path, name: str, weights_format: str, version: str) -> None:
        """In memory and out of core."""
        model = save_model(tmp_path, name, weights_format, version=version)
        inputs, outputs = TENSORS[name]
        images = [image(101, 130) * (n + 1) for n in range(len(inputs))]
        expected = dict(zip(outputs, own_call(name, *images), strict=True))
        for tensor_id, array in zip(inputs, images, strict=True):
            zarr.save_array(str(tmp_path / f"{tensor_id}.zarr"), array)
        stores = {tensor_id: tmp_path / f"{tensor_id}.zarr" for tensor_id in inputs}
        in_memory = bc.predict(model, dict(zip(inputs, images, strict=True)), axes="yx", block=BLOCK, trust=True)
        assert in_memory.plan is not None
        assert in_memory.plan.regions.block_count > 8
        bc.predict(model, stores, tmp_path / "out.zarr", axes="yx", block=BLOCK, trust=True)
        for output, value in expected.items():
            np.testing.assert_allclose(np.asarray(in_memory[output])[0, 0], value, atol=1e-5)
            np.testing.assert_allclose(written(tmp_path / "out.zarr", output)[0, 0], value, atol=1e-5)
        for way in ("in memory", "out of core"):
            record_run(weights_format, f"{name} {version}", way, FRAMEWORK[weights_format])  # type: ignore[arg-type]

    @pytest.mark.parametrize("version", ["0.4", "0.5"])
    def test_architecture_of_a_library(self, tmp_path: Path, version: str) -> None:
        """A convolution of PyTorch itself, in both formats."""
        model = save_model(tmp_path, "unet", "pytorch_state_dict", version=version)
        torch.manual_seed(0)
        module = torch.nn.Conv2d(1, 1, 5, padding=2)
        torch.save({"state_dict": module.state_dict()}, tmp_path / "weights.pt")
        kwargs = {"in_channels": 1, "out_channels": 1, "kernel_size": 5, "padding": 2}
        of_0_5 = {"architecture": {"import_from": "torch.nn", "callable": "Conv2d", "kwargs": kwargs}}
        architecture = {"architecture": "torch.nn.Conv2d", "kwargs": kwargs} if version == "0.4" else of_0_5
        with_weights(model, pytorch_state_dict={"source": "weights.pt", "pytorch_version": "2.5", **architecture})
        x = image(90, 77)
        with pytest.raises(TrustError, match=r"torch\.nn\.Conv2d"):
            bc.predict(model, x, axes="yx")
        zarr.save_array(str(tmp_path / "raw.zarr"), x)
        in_memory = bc.predict(model, x, axes="yx", block=BLOCK, trust=True)
        bc.predict(model, tmp_path / "raw.zarr", tmp_path / "out.zarr", axes="yx", block=BLOCK, trust=True)
        expected = module(torch.from_numpy(np.pad(x, 16, mode="symmetric")[None, None])).detach().numpy()[0, 0, 16:-16, 16:-16]
        np.testing.assert_allclose(np.asarray(in_memory["out"])[0, 0], expected, atol=1e-5)
        np.testing.assert_allclose(written(tmp_path / "out.zarr", "out")[0, 0], expected, atol=1e-5)
        for way in ("in memory", "out of core"):
            record_run("pytorch_state_dict", f"library {version}", way, "torch")  # type: ignore[arg-type]


class TestSharedModels:
    """Published networks, compared in fixed blocks that the test cuts."""

    @pytest.mark.parametrize("weights_format", ["onnx", "torchscript"])
    @pytest.mark.parametrize(
        ("name", "descr", "script", "output", "size", "halo", "core"),
        [
            ("unet2d_nuclei_broad", "bioimageio.yaml", "weights.pt", "probability", 512, 32, 448),
            ("unet2d_fixed_shape", "", "weights_torchscript.pt", "output", 256, 8, 224),
        ],
    )
    def test_fixed_size(
        self,
        shared: Path,
        tmp_path: Path,
        weights_format: str,
        name: str,
        descr: str,
        script: str,
        output: str,
        size: int,
        halo: int,
        core: int,
    ) -> None:
        """U-Nets of format 0.5 and 0.4."""
        model = shared / "models" / name
        x = np.load(shared / "models/unet2d_nuclei_broad/test_input.npy")[0, 0][:300, :]
        network = session_call(model / "weights.onnx") if weights_format == "onnx" else script_call(model / script)
        expected = on_fixed_blocks(network, x, size=size, halo=halo, core=core)
        if name == "unet2d_nuclei_broad":
            expected = np.asarray(1 / (1 + np.exp(-expected.astype(np.float64))), np.float32)
        zarr.save_array(str(tmp_path / "raw.zarr"), x)
        in_memory = bc.predict(model / descr, x, axes="yx", weights_format=weights_format)
        assert in_memory.plan is not None
        assert in_memory.plan.regions.block_count > 1
        bc.predict(model / descr, tmp_path / "raw.zarr", tmp_path / "out.zarr", axes="yx", weights_format=weights_format)
        scale = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(np.asarray(in_memory[output])[0, 0], expected, atol=1e-5 * scale)
        np.testing.assert_allclose(written(tmp_path / "out.zarr", output)[0, 0], expected, atol=1e-5 * scale)
        for way in ("in memory", "out of core"):
            record_run(weights_format, name, way, FRAMEWORK[weights_format])  # type: ignore[arg-type]


def script_call(path: Path) -> Callable[[Any], Any]:
    """Return PyTorch's own call of a script."""
    script = torch.jit.load(str(path)).eval()

    def call(block: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.asarray(script(torch.from_numpy(block)))

    return call


def session_call(path: Path) -> Callable[[Any], Any]:
    """Return ONNX Runtime's own call of a graph."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda block: session.run(None, {session.get_inputs()[0].name: block})[0]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A U-Net with its architecture in a file."""
    return save_model(tmp_path, "unet", "pytorch_state_dict")


class TestDevices:
    """Several devices, each with a network of its own."""

    @pytest.mark.parametrize("weights_format", sorted(FRAMEWORK))
    def test_two(self, tmp_path: Path, weights_format: str) -> None:
        """The same as one."""
        model = save_model(tmp_path, "unet", weights_format)
        x = image(150, 120)
        with bc.open_predictor(model, device="cpu,cpu", block=BLOCK, trust=True, axes="yx", workers=4) as predictor:
            found = predictor.predict(x)
            assert found.plan is not None
            assert found.plan.weights.devices == ("cpu", "cpu")
        np.testing.assert_allclose(np.asarray(found["out"])[0, 0], own_call("unet", x)[0], atol=1e-5)

    def test_loaded_again_after_close(self, model: Path) -> None:
        """A closed predictor loads its network again."""
        x = image(64, 64)
        predictor = bc.open_predictor(model, trust=True, axes="yx")
        first = np.asarray(predictor.predict(x)["out"])
        before = predictor.native()
        predictor.close()
        np.testing.assert_array_equal(np.asarray(predictor.predict(x)["out"]), first)
        assert predictor.native() is not before
        predictor.close()

    @pytest.mark.skipif("torch.cuda.device_count() > 7", reason="there is such a device")
    def test_one_of_two_unusable(self, model: Path) -> None:
        """The prediction fails, and no network stays loaded, and no output is left."""
        predictor = bc.open_predictor(model, device="cpu,cuda:7", trust=True, axes="yx")
        with pytest.raises(InputError, match="'cuda:7' is not usable by the installed PyTorch"):
            predictor.predict(image(64, 64), model / "out.zarr")
        assert predictor._loaded is None
        assert not (model / "out.zarr").exists()
        np.testing.assert_allclose(
            np.asarray(predictor.predict(image(64, 64), device="cpu")["out"])[0, 0], own_call("unet", image(64, 64))[0], atol=1e-5
        )

    def test_native(self, model: Path) -> None:
        """`native` returns the module, with its parameters and code."""
        with bc.open_predictor(model, trust=True) as predictor:
            assert isinstance(predictor.native(), torch.nn.Module)
            assert [*predictor.native().state_dict()] == [*network("unet").state_dict()]

    def test_bf16(self, model: Path) -> None:
        """A narrower precision deviates a little."""
        x = image(64, 64)
        found = np.asarray(bc.predict(model, x, axes="yx", trust=True, precision="bf16")["out"])[0, 0]
        deviation = np.abs(found - own_call("unet", x)[0]).max()
        assert 0 < deviation < 0.05


class TestCluster:
    """Workers load networks of their own."""

    @pytest.fixture(scope="class")
    def client(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
        """A client of two worker processes with two threads each."""
        distributed = pytest.importorskip("distributed", reason="distributed is not installed")
        script = tmp_path_factory.mktemp("cluster") / "cluster.py"
        with cluster_of(sys.executable, script, os.environ) as address, distributed.Client(address, set_as_default=False) as client:
            yield client

    @pytest.mark.parametrize("weights_format", sorted(FRAMEWORK))
    @pytest.mark.parametrize("device", ["cpu", "cpu,cpu"])
    def test_same(self, client: Any, tmp_path: Path, weights_format: str, device: str) -> None:
        """On one device each, in memory and out of core."""
        model = save_model(tmp_path, "unet", weights_format)
        x = image(150, 120)
        zarr.save_array(str(tmp_path / "raw.zarr"), x)
        options: dict[str, Any] = {"axes": "yx", "block": BLOCK, "trust": True, "device": device, "client": client}
        found = bc.predict(model, x, **options)
        bc.predict(model, tmp_path / "raw.zarr", tmp_path / "out.zarr", **options)
        expected = own_call("unet", x)[0]
        np.testing.assert_allclose(np.asarray(found["out"])[0, 0], expected, atol=1e-5)
        np.testing.assert_allclose(written(tmp_path / "out.zarr", "out")[0, 0], expected, atol=1e-5)

    def test_no_trust(self, client: Any, tmp_path: Path) -> None:
        """Code of the model runs on no worker, either."""
        model = save_model(tmp_path, "unet", "pytorch_state_dict")
        with pytest.raises(TrustError, match=r"network\.py"):
            bc.predict(model, image(64, 64), axes="yx", client=client)
