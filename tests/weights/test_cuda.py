"""PyTorch modules on a GPU: copies and kernels of several calls at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_networks import inputs_of, network, save_model

import bioimageio_core as bc
from bioimageio_core.errors import DeviceMemoryError
from bioimageio_core.registry import AdapterContext
from bioimageio_core.weights.torch_network import TorchNetwork

torch: Any = pytest.importorskip("torch")

pytestmark = pytest.mark.skipif("not torch.cuda.is_available()", reason="there is no CUDA device")


@pytest.fixture
def exact() -> Iterator[None]:
    """Convolutions in float32, not in TF32, whose 10 bits of mantissa would hide mistakes."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before


def unet(device: str, **changes: Any) -> TorchNetwork:
    """Return a U-Net on a device."""
    fields: dict[str, Any] = {"weights": None, "path": "", "files": {}, "device": device, "threads": 1}
    context = AdapterContext(**{**fields, "input_ids": ("raw",), "output_ids": ("out",), **changes})
    return TorchNetwork(context, lambda where: network("unet", features=16))


@pytest.mark.usefixtures("exact")
def test_as_on_the_cpu() -> None:
    """Inputs of any layout, which may not be written to."""
    (image,) = inputs_of("unet", 96, 80)
    assert image is not None
    (wanted,) = unet("cpu")([image])
    lies_otherwise = np.asfortranarray(image)
    lies_otherwise.flags.writeable = False
    on_gpu = unet("cuda")
    for given in (image, lies_otherwise):
        (found,) = on_gpu([given])
        # Sums of some hundred products, in another order: a few units of the last place of values up to 1.
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_many_threads() -> None:
    """Every call gets its own, bit for bit, however copies and kernels of others lie between: blocks of several sizes, and two outputs."""
    random = np.random.default_rng(0)
    images = [random.random((1, 1, 64 + 16 * (n % 5), 512), dtype=np.float32) for n in range(200)]
    made = type("Twice", (torch.nn.Module,), {"forward": lambda self, x: {"b": (x * 2).cumsum(3), "a": x.sum((2, 3), keepdim=True)}})
    fields: dict[str, Any] = {"weights": None, "path": "", "files": {}, "device": "cuda", "threads": 1}
    adapter = TorchNetwork(AdapterContext(**fields, input_ids=("raw",), output_ids=("a", "b")), lambda device: made())
    alone = [adapter([image]) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: adapter([image]), images))
    for one, other in zip(alone, together, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_narrow_precision() -> None:
    """Outputs are float32 again."""
    (found,) = unet("cuda", precision="bf16")(inputs_of("unet", 64, 64))
    assert found.dtype == np.float32


def test_full_device(tmp_path: Path) -> None:
    """Where a block does not fit, the error says so; a prediction goes on with smaller ones, and gives the same."""
    model = save_model(tmp_path, "unet", "torchscript")
    image = np.random.default_rng(0).random((4096, 4096), dtype=np.float32)
    options: dict[str, Any] = {"weights_format": "torchscript", "device": "cuda", "trust": True, "axes": "yx", "memory": "20 GB"}
    with bc.open_predictor(model, **options) as predictor:
        whole = np.asarray(next(iter(predictor.predict(image, block={"y": 512, "x": 512}).values())))
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.empty_cache()
        torch.cuda.set_per_process_memory_fraction(0.5e9 / total)
        try:
            with predictor.open_network() as adapter, pytest.raises(DeviceMemoryError, match="does not suffice"):
                adapter([image[np.newaxis, np.newaxis]])
            plan = predictor.plan(image, block={"y": 4400, "x": 4400})
            assert plan.regions.block_count == 1
            found = np.asarray(next(iter(predictor.run(plan).values())))
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
    np.testing.assert_allclose(found, whole, atol=1e-2)  # TF32, and other kernels for other sizes
