"""Predictions that fit the nuclei which come with the package ``stardist``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from stardist.data import test_image_nuclei_2d, test_image_nuclei_3d

try:
    import torchvision  # noqa: F401
except RuntimeError:  # built for a GPU, beside PyTorch for the CPU: Cellpose imports it, but uses no operator that is missing then
    for operator in ("nms", "qnms"):
        torch.library.define(f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from cellpose.dynamics import masks_to_flows_gpu, masks_to_flows_gpu_3d

CPU = torch.device("cpu")


def predicted(mask: NDArray[Any], flows: NDArray[Any]) -> NDArray[np.float32]:
    """Return what a network predicts if it is right: flows of five pixels a step, and a probability, of shape (1, channel, [z,] y, x)."""
    return np.concatenate([5 * flows, np.where(mask > 0, 6, -6)[np.newaxis]]).astype(np.float32)[np.newaxis]


def numbered(mask: NDArray[Any]) -> NDArray[np.int32]:
    """Return a mask without numbers that no object has."""
    return np.unique(mask, return_inverse=True)[1].reshape(mask.shape).astype(np.int32)


@pytest.fixture(scope="session")
def plane() -> NDArray[np.float32]:
    """Nuclei of a part of an image of 512 x 512 pixels."""
    mask = numbered(test_image_nuclei_2d(return_mask=True)[1][100:240, 200:360])
    return predicted(mask, masks_to_flows_gpu(mask, CPU)[0])


@pytest.fixture(scope="session")
def volume() -> NDArray[np.float32]:
    """Nuclei of a part of a volume of 31 x 61 x 57 voxels."""
    mask = numbered(test_image_nuclei_3d(return_mask=True)[1][:, :32, :30])
    return predicted(mask, masks_to_flows_gpu_3d(mask, CPU))
