"""What the examples of the documentation find in their folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from made_models import BATCH, box_graph, channels, follows, save_description_0_5, save_graph, space, tensor, with_test_tensors
from onnx import helper

__all__ = ["prepare", "prepare_pytorch"]


def prepare(folder: Path) -> None:
    """Write models and images.

    ``my-model``
        512 x 512 pixels and no other size, halo 32: what many published U-Nets are described as.
    ``free-model``
        Sizes of 64 + 16 n, a mean over 7 x 7 pixels, described with a halo of 3.
    ``thin-model``
        The same of any size from 64, with a halo of 1, which is too small.
    ``two-inputs``
        ``raw`` and ``mask``.
    """
    fixed = _filter_model(folder / "my-model", "Nuclei", 512, halo=32, filter_size=3)
    free = {"min": 64, "step": 16}
    _filter_model(folder / "free-model", "Mean of 7 x 7", free, halo=3, filter_size=7)
    _filter_model(folder / "thin-model", "Mean of 7 x 7", {"min": 64, "step": 1}, halo=1, filter_size=7)
    _two_inputs(folder / "two-inputs", free)
    random = np.random.default_rng(0)
    np.save(folder / "cells.npy", random.random((1200, 1000), dtype=np.float32))
    np.save(folder / "mask.npy", random.random((1200, 1000), dtype=np.float32))
    np.save(folder / "movie.npy", random.random((3, 2, 200, 150), dtype=np.float32))
    _test_tensors(fixed)


def prepare_pytorch(folder: Path) -> None:
    """Write ``unet``: a small network with its parameters, its architecture in a file, and as ONNX."""
    from made_networks import save_model

    (folder / "unet").mkdir()
    save_model(folder / "unet", "unet", "pytorch_state_dict", "onnx")


def _filter_model(folder: Path, name: str, size: Any, *, halo: int, filter_size: int) -> Path:
    folder.mkdir()
    box_graph(folder / "weights.onnx", size=filter_size)
    zmuv = {"id": "zero_mean_unit_variance", "kwargs": {"axes": ["y", "x"]}}
    out = [space(a, follows(a), halo=halo) for a in ("y", "x")]
    return save_description_0_5(
        folder,
        [tensor("raw", BATCH, channels("nuclei"), space("y", size), space("x", size), preprocessing=[zmuv])],
        [tensor("probability", BATCH, channels("nuclei"), *out, postprocessing=[{"id": "sigmoid"}])],
        name=name,
    )


def _two_inputs(folder: Path, size: Any) -> None:
    folder.mkdir()
    save_graph(folder / "weights.onnx", [helper.make_node("Mul", ["raw", "mask"], ["out"])], {"raw": 4, "mask": 4}, {"out": 4})
    save_description_0_5(
        folder,
        [tensor(name, BATCH, channels(), space("y", size), space("x", size)) for name in ("raw", "mask")],
        [tensor("masked", BATCH, channels(), space("y", follows("y")), space("x", follows("x")))],
        name="Masked",
    )


def _test_tensors(model: Path) -> None:
    """Give a model the test tensors that it reproduces."""
    given = np.random.default_rng(1).random((1, 1, 512, 512), dtype=np.float32)
    wide = np.pad((given - given.mean(dtype=np.float64)) / (given.std(dtype=np.float64) + 1e-6), ((0, 0), (0, 0), (1, 1), (1, 1)))
    mean = sum(wide[..., dy : dy + 512, dx : dx + 512] for dy in range(3) for dx in range(3)) / 9
    with_test_tensors(model, {"raw": given}, {"probability": (1 / (1 + np.exp(-mean))).astype(np.float32)})
