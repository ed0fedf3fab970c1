import hashlib
from pathlib import Path

import numpy as np
import pytest
import yaml

import bioimageio_core.demo
from bioimageio_core.demo.demo_package import TEST_SEED, normalise
from bioimageio_core.demo.synthetic import nuclei_block
from bioimageio_core.demo.unet import HALO, STRIDE, apply_network, network_shapes, onnx_model, receptive_field

MODEL = Path(bioimageio_core.demo.__file__).parent / "model"


@pytest.fixture(scope="module")
def description() -> dict:
    return yaml.safe_load((MODEL / "bioimageio.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def network():
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(MODEL / "weights.onnx", providers=["CPUExecutionProvider"])
    return lambda image: session.run(None, {"image": image})[0]


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits.astype("float64")))


class TestPackage:
    def test_hashes(self, description: dict) -> None:
        """Every file is the one that the description names."""
        files = [description["inputs"][0]["test_tensor"], description["outputs"][0]["test_tensor"], description["weights"]["onnx"]]
        for file in files:
            assert hashlib.sha256((MODEL / file["source"]).read_bytes()).hexdigest() == file["sha256"]

    def test_small(self) -> None:
        """The package travels with the library: less than a megabyte."""
        assert sum(file.stat().st_size for file in MODEL.iterdir()) < 1_000_000

    def test_description_agrees_with_the_network(self, description: dict) -> None:
        """Step and halo are those of the network."""
        for axis in description["inputs"][0]["axes"][2:]:
            assert axis["size"] == {"min": 64, "step": STRIDE}
        assert [axis["halo"] for axis in description["outputs"][0]["axes"][2:]] == [HALO, HALO]

    def test_test_tensors(self, network) -> None:
        """The test output is what the test input gives."""
        image = np.load(MODEL / "test_input.npy")
        assert image.shape == (1, 1, 128, 128)
        expected = np.load(MODEL / "test_output.npy")
        np.testing.assert_allclose(sigmoid(network(normalise(image[0, 0])[None, None])), expected, atol=1e-4)


class TestNetwork:
    def test_quality(self, network) -> None:
        """On a plane that was not trained on, thresholded probabilities agree with the truth."""
        image, mask = nuclei_block(TEST_SEED + 7, 0, 0, 256, 256)
        found = network(normalise(image)[None, None])[0, 0] > 0
        assert (found & mask).sum() / (found | mask).sum() > 0.85

    @pytest.mark.parametrize(("y", "x"), [(HALO, HALO), (HALO + STRIDE, 64), (128, HALO + 7 * STRIDE)])
    def test_blocks_with_halo_equal_the_whole(self, network, y: int, x: int) -> None:
        """On the grid of the stride a block with the halo is the whole, cut."""
        image = normalise(nuclei_block(TEST_SEED, 0, 0, 256, 256)[0])[None, None]
        block = network(image[:, :, y - HALO : y + 64 + HALO, x - HALO : x + 64 + HALO])
        cut = slice(HALO, HALO + 64)
        np.testing.assert_allclose(block[:, :, cut, cut], network(image)[:, :, y : y + 64, x : x + 64], atol=1e-4)

    def test_receptive_field(self) -> None:
        """Random weights let through exactly as far as is computed: pixels beyond have no influence, the last one within has."""
        torch = pytest.importorskip("torch")
        torch.manual_seed(0)
        weights = {}
        for name, shape in network_shapes().items():
            # Positive weights: no unit is dead and nothing cancels.
            weights[name] = torch.rand(shape, dtype=torch.float64) / (shape[0] * shape[2] * shape[3])
            weights[f"{name}.bias"] = torch.zeros(shape[1] if name.endswith(".up") else shape[0], dtype=torch.float64)
        reach = 0
        for i in range(STRIDE):
            # Constant along y, so that all maxima of pooling along it are equal and only x matters.
            image = torch.rand(1, 1, 1, 96, dtype=torch.float64).expand(1, 1, 96, 96).clone().requires_grad_()
            before = apply_network(weights, image).detach()[0, 0, 48, 48 + i]
            for far in (receptive_field(), receptive_field() + 1):
                for x in (48 + i - far, 48 + i + far):
                    changed = image.detach().clone()
                    changed[:, :, :, x] += 100
                    if apply_network(weights, changed)[0, 0, 48, 48 + i] != before:
                        reach = max(reach, far)
        assert reach == receptive_field()

    def test_onnx_file_is_the_network(self) -> None:
        """The graph that is written computes what was trained."""
        torch, onnxruntime = pytest.importorskip("torch"), pytest.importorskip("onnxruntime")
        pytest.importorskip("onnx")
        rng = np.random.default_rng(0)
        weights = {}
        for name, shape in network_shapes().items():
            weights[name] = rng.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape).astype("float32")
            weights[f"{name}.bias"] = rng.normal(0, 0.1, shape[1] if name.endswith(".up") else shape[0]).astype("float32")
        image = rng.normal(size=(2, 1, 64, 96)).astype("float32")
        expected = apply_network({k: torch.from_numpy(v) for k, v in weights.items()}, torch.from_numpy(image)).numpy()
        session = onnxruntime.InferenceSession(onnx_model(weights), providers=["CPUExecutionProvider"])
        np.testing.assert_allclose(session.run(["logits"], {"image": image})[0], expected, atol=1e-4)
