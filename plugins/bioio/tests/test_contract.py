"""What every reader keeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import mrc
import numpy as np
import pytest
from bioimageio_runtime_bioio import bioimageio_image_readers
from pylibCZIrw import czi

from bioimageio_core.testing import ImageExample, ImageReaderConformance

(READER,) = bioimageio_image_readers()
VOLUME = np.random.default_rng(0).integers(0, 2**16, (2, 3, 40, 50), np.uint16)
LARGE = np.random.default_rng(1).integers(0, 2**16, (512, 512), np.uint16)
MICRONS = "micrometer"


class TestReader(ImageReaderConformance):
    """Files of ZEISS and of DeltaVision."""

    entry = READER
    examples = 20

    @pytest.fixture
    def images(self, tmp_path: Path) -> Sequence[ImageExample]:
        """A stack with channels, scenes, a mosaic, colours, and a stack of another reader of bioio."""
        stack, scenes, mosaic, colours = (tmp_path / f"{name}.czi" for name in ("stack", "scenes", "mosaic", "colours"))
        with czi.create_czi(str(stack)) as document:
            for channel, depth in np.ndindex(2, 3):
                document.write(VOLUME[channel, depth], plane={"C": channel, "Z": depth})
            document.write_metadata(channel_names={0: "DAPI", 1: "GFP"}, scale_x=0.25e-6, scale_y=0.5e-6, scale_z=2e-6)
        with czi.create_czi(str(scenes)) as document:
            for number in range(2):
                document.write(np.ascontiguousarray(VOLUME[0, number, : 20 + 9 * number]), scene=number, location=(900 * number, 0))
            document.write_metadata()
        with czi.create_czi(str(mosaic)) as document:
            for y, x in np.ndindex(4, 4):
                tile = np.ascontiguousarray(LARGE[128 * y : 128 * y + 128, 128 * x : 128 * x + 128])
                document.write(tile, location=(128 * x, 128 * y))
            document.write_metadata()
        with czi.create_czi(str(colours)) as document:
            document.write(np.ascontiguousarray(np.moveaxis(VOLUME[0], 0, -1)))
            document.write_metadata()
        mrc.imsave(str(tmp_path / "stack.dv"), VOLUME, resolution=(0.25, 0.5, 2.0))
        sizes = {"x": (0.25, MICRONS), "y": (0.5, MICRONS), "z": (2.0, MICRONS)}
        single = ("Image:0",)
        return [
            ImageExample(path=stack, array=VOLUME, axes="czyx", channel_names=("DAPI", "GFP"), pixel_size=sizes, scene_names=single),
            ImageExample(path=scenes, array=VOLUME[:1, 1, :29], axes="cyx", scene=1, scene_names=("Scene 0", "Scene 1")),
            ImageExample(path=mosaic, array=LARGE[None], axes="cyx", scene_names=single),
            ImageExample(
                path=colours,
                array=np.moveaxis(VOLUME[0, ::-1], 0, -1),
                axes="yxc",
                channel_names=("red", "green", "blue"),
                scene_names=single,
            ),
            ImageExample(path=tmp_path / "stack.dv", array=VOLUME, axes="czyx", pixel_size=sizes, scene_names=single),
        ]
