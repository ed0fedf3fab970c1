"""Networks on a GPU, zarr to zarr, against bare calls of PyTorch: kernels alone, and with copies that wait for each other."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from made_unets import save_unet
from measuring import model_folder, report, write_noise, write_volume

ROUNDS = 3


def seconds_of(what: Callable[[], Any], calls: int) -> float:
    """Return how long so many calls take, until the device is done."""
    import torch

    torch.cuda.synchronize()
    begin = time.perf_counter()
    for _ in range(calls):
        what()
    torch.cuda.synchronize()
    return time.perf_counter() - begin


def compared(name: str, model: Path, image: Path, output: Path) -> None:
    """Measure one network on one image."""
    import torch

    import bioimageio_core as bc

    with bc.open_predictor(model, weights_format="torchscript", device="cuda") as predictor:
        plan = predictor.plan(str(image))
        blocks = plan.regions.block_count
        shape = [g.block_size(0) for g in plan.grids]
        predictor.run(plan, str(output), overwrite=True)  # scripts are compiled, and kernels chosen, in the first calls
        network = torch.jit.load(str(model / "weights.pt"), map_location="cuda").eval()
        array = np.random.default_rng(0).random(shape, dtype=np.float32)
        found: dict[str, list[float]] = {"kernels": [], "calls": [], "library": []}
        with torch.inference_mode():
            there = torch.from_numpy(array).cuda()
            seconds_of(lambda: network(there), 4)
            for _ in range(ROUNDS):
                found["kernels"].append(seconds_of(lambda: network(there), blocks))
                found["calls"].append(seconds_of(lambda: network(torch.from_numpy(array).cuda()).cpu().numpy(), blocks))
                begin = time.perf_counter()
                prediction = predictor.run(plan, str(output), overwrite=True)
                found["library"].append(time.perf_counter() - begin)
        medians = {key: median(values) for key, values in found.items()}
        report(
            name,
            **medians,
            to_kernels=medians["library"] / medians["kernels"],
            to_calls=medians["library"] / medians["calls"],
            statistics=prediction.times["statistics"],
            kept_per_second=np.prod(plan.inputs[0].bound.shape) / medians["library"],
            computed_per_second=blocks * np.prod(shape) / medians["kernels"],
        )


def main() -> None:
    """Measure and print."""
    try:
        import torch
    except ImportError:
        torch = None
    if torch is None or not torch.cuda.is_available():
        print("no CUDA device, or no PyTorch that uses it: nothing to measure")
        return
    print(torch.cuda.get_device_name(0), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "o.zarr"
        compared("2D U-Net, 8192^2", model_folder("unet2d_nuclei_broad"), write_noise(Path(folder) / "i.zarr", 8192), output)
        volume = write_volume(Path(folder) / "v.zarr", 512)
        for features in (8, 32):
            model = save_unet(Path(folder) / str(features), "zyx", features=features, weights_format="torchscript")
            compared(f"3D U-Net of {features} features, 512^3", model, volume, output)


if __name__ == "__main__":
    main()
