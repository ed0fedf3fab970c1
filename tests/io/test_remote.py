"""Images on a server that says nothing more, or answers with errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image
from served import Served

from bioimageio_core.errors import SourceError
from bioimageio_core.io import open_image

PIXELS = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server of one image in several formats; it is given up after a fraction of a second."""
    monkeypatch.setenv("BMZ_TIMEOUT", "1")
    np.save(tmp_path / "image.npy", PIXELS)
    tifffile.imwrite(tmp_path / "image.tif", PIXELS)
    Image.fromarray(PIXELS).save(tmp_path / "image.png")
    with h5py.File(tmp_path / "image.h5", "w") as file:
        file["raw"] = PIXELS
    zarr.create_array(str(tmp_path / "image.zarr"), data=PIXELS, chunks=(64, 64))
    server = Served(tmp_path)
    yield server
    server.close()


NAMES = ["image.npy", "image.tif", "image.zarr", "image.png", "image.h5"]


@pytest.mark.parametrize("name", NAMES)
class TestServers:
    def test_good(self, served: Served, name: str) -> None:
        """The pixels are those that were written."""
        assert (open_image(f"{served.url}/{name}").read((slice(0, 64), slice(3, 9))) == PIXELS[:, 3:9]).all()

    def test_hangs(self, served: Served, name: str) -> None:
        """A server that does not answer is given up after the time that BMZ_TIMEOUT sets, and the error names the variable."""
        with pytest.raises(SourceError, match="BMZ_TIMEOUT"):
            open_image(f"{served.url}/hang/{name}")

    def test_missing(self, served: Served, name: str) -> None:
        """What is not there is an error that names it."""
        with pytest.raises(SourceError, match=f"missing-{name} does not exist"):
            open_image(f"{served.url}/missing-{name}")

    @pytest.mark.parametrize("status", [500, 503])
    def test_errors(self, served: Served, name: str, status: int) -> None:
        """A server that fails says nothing of whether there is an image."""
        with pytest.raises(SourceError, match=f"{name} cannot be read: the server answered {status}"):
            open_image(f"{served.url}/status/{status}/{name}")

    def test_nobody_there(self, served: Served, name: str) -> None:
        """The same holds for a server that cannot be reached."""
        served.close()
        with pytest.raises(SourceError, match=rf"/{name} cannot be read: the server 127\.0\.0\.1:\d+ cannot be reached"):
            open_image(f"{served.url}/{name}")


def test_hangs_within_a_chunk(served: Served) -> None:
    """A server that stops within a file is given up as well; each file is sent completely when it is asked for again."""
    location = f"{served.url}/stall/image.zarr"
    with pytest.raises(SourceError, match="BMZ_TIMEOUT"):
        open_image(location)
    image = open_image(location)
    with pytest.raises(SourceError, match=r"image.zarr cannot be read.*BMZ_TIMEOUT"):
        image.read((slice(0, 64), slice(0, 64)))
    assert (image.read((slice(0, 64), slice(0, 64))) == PIXELS).all()
