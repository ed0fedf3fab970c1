"""Predictions that fit the nuclei which come with the package ``stardist``."""

from __future__ import annotations

import numpy as np
import pytest
from nuclei import Nuclei, nuclei_2d, nuclei_3d


@pytest.fixture(scope="session")
def plane() -> Nuclei:
    """Nuclei of a part of an image of 512 x 512 pixels."""
    return nuclei_2d(np.s_[100:300, 200:420])


@pytest.fixture(scope="session")
def volume() -> Nuclei:
    """Nuclei of a part of a volume of 31 x 61 x 57 voxels."""
    return nuclei_3d(np.s_[:, :40, :36])
