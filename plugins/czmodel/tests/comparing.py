"""The network in a file, run bare, beside what the library predicts."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from made_files import bare, network_of
from numpy.typing import NDArray

import bioimageio_core as bc

__all__ = ["OPSETS", "SHARED", "assert_same", "exported", "integers", "lost", "members", "predicted"]

OPSETS = {"1.0.0": 12, "1.1.0": 12, "2.0.0": 12, "2.1.0": 18}


def exported(model: Path, path: Path, **options: Any) -> Path:
    """Export, and return the path."""
    return bc.export_model(model, path.suffix[1:], path, overwrite=True, **options).path


def lost(model: Path, path: Path, **options: Any) -> str:
    """Export, and return what was lost as one text."""
    return " ".join(bc.export_model(model, path.suffix[1:], path, overwrite=True, **options).lost)


def members(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        return archive.namelist()


def predicted(model: Path, image: NDArray[Any], axes: str = "byxc", **options: Any) -> NDArray[Any]:
    """Return what the library predicts of a whole image at once, with channels last and axes of a size of 1 left out."""
    spatial = [axis for axis in axes if axis in "zyx"]
    whole = {axis: image.shape[axes.index(axis)] for axis in spatial}
    found = next(iter(bc.predict(model, image, axes=axes, halo=dict.fromkeys(spatial, 0), block=whole, **options).values()))
    wanted = ("batch", *spatial, "channel")
    rest = [axis for axis in found.axes if axis not in wanted]
    kept = [axis for axis in wanted if axis in found.axes]
    array = np.moveaxis(np.asarray(found), [found.axes.index(axis) for axis in (*rest, *kept)], range(len(found.axes)))
    sizes = dict(zip((*rest, *kept), array.shape, strict=True))
    return array.reshape([sizes.get(axis, 1) for axis in wanted]).astype(np.float32)


def assert_same(model: Path, path: Path, image: NDArray[Any], *, background: bool = False, atol: float = 1e-5, **options: Any) -> None:
    """Assert that the bare network gives what the library predicts, behind a class for the background."""
    found, expected = bare(network_of(path), image), predicted(model, image, **options)
    if background:
        np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-6)
        found = found[..., 1:]
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=atol * max(1, np.abs(expected).max()))


def integers(shape: Sequence[int], most: int = 255, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).integers(0, most, shape).astype(np.float32)


SHARED = {
    "unet2d_nuclei_broad/bioimageio.yaml": ({"statistics": "block"}, True, [512, 512, 1], [512, 512, 2], [64, 64]),
    "unet2d_nuclei_broad/v0_4_9.bioimageio.yaml": ({"statistics": "block"}, True, [512, 512, 1], [512, 512, 2], [64, 64]),
    "unet2d_fixed_shape/v0_4.bioimageio.yaml": ({"statistics": "block"}, False, [256, 256, 1], [256, 256, 1], [16, 16]),
    "upsample_test_model/v0_4.bioimageio.yaml": ({"spatial_dims": [40, 65]}, False, [40, 65, 1], [160, 260, 1], None),
}
