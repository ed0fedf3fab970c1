"""Writes models of StarDist with random parameters and their exports into a folder; a program of its own, since it needs Keras 2."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

from stardist.models import Config2D, Config3D, StarDist2D, StarDist3D  # noqa: E402

MODELS = {
    "unet2d": (
        StarDist2D,
        Config2D(n_rays=8, grid=(2, 2), n_channel_in=3, unet_n_depth=2, unet_n_filter_base=4, net_conv_after_unet=8),
    ),
    "unet3d": (
        StarDist3D,
        Config3D(n_rays=8, grid=(1, 2, 2), backbone="unet", unet_n_depth=1, unet_n_filter_base=4, net_conv_after_unet=8),
    ),
    "resnet3d": (
        StarDist3D,
        Config3D(n_rays=8, grid=(1, 2, 2), backbone="resnet", resnet_n_blocks=2, resnet_n_filter_base=4, net_conv_after_resnet=8),
    ),
}

folder = Path(sys.argv[1])
for name, (kind, config) in MODELS.items():
    model = kind(config, name, str(folder))
    said = {"div_by": model._axes_div_by(config.axes)[:-1], "overlap": model._axes_tile_overlap(config.axes)[:-1]}
    (folder / f"{name}.json").write_text(json.dumps({key: [int(n) for n in values] for key, values in said.items()}))
    model.export_TF()
    model.export_TF(str(folder / f"{name}_raw.zip"), single_output=False, upsample_grid=False)
