"""The model and the images to try things with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

import bioimageio_core as bc
from bioimageio_core.demo.synthetic import nuclei_block
from bioimageio_core.errors import InputError, OutputError


class TestExampleImage:
    """`example_image`."""

    def test_plane(self, tmp_path: Path) -> None:
        """Axes, pixel size and pixels."""
        path = bc.example_image(tmp_path / "cells.ome.zarr", (700, 600))
        shown = bc.image_card(path).as_dict()
        assert (shown["axes"], shown["shape"], shown["dtype"]) == (("y", "x"), (700, 600), "uint16")
        assert shown["pixel_size"] == {axis: {"size": 0.5, "unit": "micrometer"} for axis in "yx"}
        np.testing.assert_array_equal(zarr.open_array(str(path / "0"), mode="r")[...], nuclei_block(0, 0, 0, 700, 600)[0])

    def test_volume(self, tmp_path: Path) -> None:
        """Planes in which the nuclei move on."""
        path = bc.example_image(tmp_path / "cells.ome.zarr", (3, 64, 80))
        volume = zarr.open_array(str(path / "0"), mode="r")
        assert volume.metadata.dimension_names == ("z", "y", "x")
        np.testing.assert_array_equal(volume[2], nuclei_block(0, 8, 0, 64, 80)[0])

    def test_kept(self, tmp_path: Path) -> None:
        """Nothing is replaced without being asked for."""
        path = bc.example_image(tmp_path / "cells.ome.zarr", (64, 64))
        with pytest.raises(OutputError, match="exists"):
            bc.example_image(path, (64, 64))
        bc.example_image(path, (32, 32), overwrite=True)
        assert zarr.open_array(str(path / "0"), mode="r").shape == (32, 32)

    @pytest.mark.parametrize("shape", [(64,), (0, 64), (2, 2, 64, 64), (64.0, 64)])
    def test_shapes(self, tmp_path: Path, shape: tuple[int, ...]) -> None:
        """Others are refused, with what is expected."""
        with pytest.raises(InputError, match=r"as in \(1024, 1024\)"):
            bc.example_image(tmp_path / "cells.ome.zarr", shape)

    def test_fits_the_model(self, tmp_path: Path) -> None:
        """Nuclei are found where they are drawn."""
        pytest.importorskip("onnxruntime")
        found = np.asarray(bc.predict(bc.example_model(), bc.example_image(tmp_path / "cells.ome.zarr", (256, 256)))["probability"])
        drawn = nuclei_block(0, 0, 0, 256, 256)[1]
        both, either = ((found.squeeze() > 0.5) & drawn).sum(), ((found.squeeze() > 0.5) | drawn).sum()
        assert both / either > 0.8
