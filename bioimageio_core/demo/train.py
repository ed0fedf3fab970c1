"""Train the model of the demonstration: ``python -m bioimageio_core.demo.train OUT``.

Needs PyTorch, onnx and onnxruntime, and a few minutes on two processor cores.
Everything is seeded: the package in `bioimageio_core/demo/model` came from here.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..onnx_runtime import import_onnxruntime
from .demo_package import TEST_SEED, normalise, write_package
from .synthetic import nuclei_block
from .unet import HALO, STRIDE, apply_network, network_shapes, onnx_model, receptive_field

__all__ = ["difference_of_blocks", "evaluate", "main", "train"]

BATCH = 2
SIZE = 192


def train(steps: int, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Return weights by name, trained on synthetic images made on the fly."""
    import torch

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    weights: dict[str, Any] = {}
    for name, shape in network_shapes().items():
        inputs = shape[0] if name.endswith(".up") else shape[1] * shape[2] * shape[3]
        weights[name] = (torch.randn(shape) * (2 / inputs) ** 0.5).requires_grad_()
        weights[f"{name}.bias"] = torch.zeros(shape[1] if name.endswith(".up") else shape[0], requires_grad=True)
    optimiser = torch.optim.Adam(weights.values(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps, pct_start=0.1, div_factor=5)
    begin = time.monotonic()
    for step in range(steps):
        images, masks = _batch(rng, seed)
        logits = apply_network(weights, torch.from_numpy(images))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(masks))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 50 == 49:
            print(f"step {step + 1}/{steps}  loss {loss.item():.4f}  {time.monotonic() - begin:.0f} s")
    return {name: value.detach().numpy() for name, value in weights.items()}


def _batch(rng: np.random.Generator, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return images and masks with axes batch, channel, y, x."""
    images, masks = [], []
    for _ in range(BATCH):
        y, x = rng.integers(0, 2**30, 2).tolist()
        image, mask = nuclei_block(100 * (seed + 1), y, x, SIZE, SIZE)
        # A crop's mean and deviation stray around those of a whole image, which is what the network will see.
        images.append(normalise(image) * np.float32(np.exp(rng.normal(0, 0.25))) + np.float32(rng.normal(0, 0.2)))
        masks.append(mask.astype(np.float32))
    return np.stack(images)[:, None], np.stack(masks)[:, None]


def evaluate(weights: Mapping[str, NDArray[np.float32]], count: int = 4, size: int = 512) -> float:
    """Return the intersection over union, all pixels of images that were not trained on taken together."""
    import torch

    tensors = {name: torch.from_numpy(value) for name, value in weights.items()}
    both = either = 0
    for number in range(count):
        image, mask = nuclei_block(TEST_SEED + 100 * number, 0, 0, size, size)
        with torch.no_grad():
            found = apply_network(tensors, torch.from_numpy(normalise(image)[None, None])).numpy()[0, 0] > 0
        both += int((found & mask).sum())
        either += int((found | mask).sum())
    return both / either


def difference_of_blocks(weights: bytes, halo: int, block: int = 32, size: int = 256) -> float:
    """Return the largest difference between logits of the whole image and those of blocks with a halo, by ONNX Runtime."""
    session = import_onnxruntime().InferenceSession(weights, providers=["CPUExecutionProvider"])
    image = normalise(nuclei_block(TEST_SEED, 0, 0, size, size)[0])[None, None]
    whole = session.run(None, {"image": image})[0]
    worst = 0.0
    for y in range(halo + STRIDE, size - halo - block, block):
        for x in range(halo + STRIDE, size - halo - block, block):
            part = session.run(None, {"image": image[:, :, y - halo : y + block + halo, x - halo : x + block + halo]})[0]
            core = part[:, :, halo : halo + block, halo : halo + block]
            worst = max(worst, float(np.abs(core - whole[:, :, y : y + block, x : x + block]).max()))
    return worst


def main(arguments: list[str] | None = None) -> int:
    """Train, judge and write the package; return 1 where the model is not good enough."""
    parser = argparse.ArgumentParser(prog="python -m bioimageio_core.demo.train", description="Train the model of the demonstration.")
    parser.add_argument("out", type=Path, help="folder to write the package to")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    weights = train(options.steps, options.seed)
    parameters = sum(value.size for value in weights.values())
    iou = evaluate(weights)
    model = onnx_model(weights)
    difference = difference_of_blocks(model, HALO)
    write_package(options.out, model, iou=iou, parameters=parameters, steps=options.steps, batch=BATCH, size=SIZE)
    print(f"{parameters} parameters, {len(model)} bytes; intersection over union {iou:.4f}")
    print(f"receptive field {receptive_field()}, halo {HALO}: blocks differ from the whole by at most {difference:.2g}")
    good = iou > 0.85 and difference < 1e-4
    print("good" if good else "NOT good enough")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
