"""A U-Net for volumes: 3 levels, halo 16, sizes 64 + 4 n; random weights, which take as long as trained ones."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))


def save_unet3d(folder: Path, *, features: int = 8, weights_format: str = "onnx") -> Path:
    """Write the model with ONNX or TorchScript weights, and return its folder."""
    import torch
    from made_models import BATCH, channels, follows, save_description_0_5, space, tensor
    from torch import nn

    def convolutions(before: int, behind: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv3d(before, behind, 3, padding=1), nn.ReLU(inplace=True), nn.Conv3d(behind, behind, 3, padding=1), nn.ReLU(inplace=True)
        )

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            few, more, many = features, 2 * features, 4 * features
            self.down = nn.ModuleList([convolutions(1, few), convolutions(few, more), convolutions(more, many)])
            self.up = nn.ModuleList([nn.ConvTranspose3d(many, more, 2, stride=2), nn.ConvTranspose3d(more, few, 2, stride=2)])
            self.join = nn.ModuleList([convolutions(many, more), convolutions(more, few)])
            self.last = nn.Conv3d(few, 1, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            fine = self.down[0](x)
            middle = self.down[1](nn.functional.max_pool3d(fine, 2))
            x = self.down[2](nn.functional.max_pool3d(middle, 2))
            x = self.join[0](torch.cat([self.up[0](x), middle], 1))
            x = self.join[1](torch.cat([self.up[1](x), fine], 1))
            return torch.sigmoid(self.last(x))

    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    network, image = Network().eval(), torch.zeros(1, 1, 64, 64, 64)
    if weights_format == "onnx":
        names = {0: "batch", 2: "z", 3: "y", 4: "x"}
        torch.onnx.export(
            network,
            (image,),
            str(folder / "weights.onnx"),
            input_names=["raw"],
            output_names=["out"],
            dynamic_axes={"raw": names, "out": names},
            dynamo=False,
        )
        weights = {"onnx": {"source": "weights.onnx", "opset_version": 17}}
    else:
        torch.jit.trace(network, image).save(str(folder / "weights.pt"))
        weights = {"torchscript": {"source": "weights.pt", "pytorch_version": "2.6"}}
    size = {"min": 64, "step": 4}
    return save_description_0_5(
        folder,
        [tensor("raw", BATCH, channels(), *(space(a, size) for a in "zyx"))],
        [tensor("out", BATCH, channels(), *(space(a, follows(a), halo=16) for a in "zyx"))],
        weights=weights,
    )


def save_small_net(folder: Path) -> Path:
    """Write a network of two layers on small blocks, whose calls cost more than their work."""
    import numpy as np
    from made_models import BATCH, channels, follows, save_description_0_5, save_graph, space, tensor
    from onnx import helper

    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    nodes = [
        helper.make_node("Conv", ["raw", "first"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "second"], ["out"], pads=[1, 1, 1, 1]),
    ]
    constants = {"first": random.normal(size=(4, 1, 3, 3)).astype("float32"), "second": random.normal(size=(1, 4, 3, 3)).astype("float32")}
    save_graph(folder / "weights.onnx", nodes, {"raw": 4}, {"out": 4}, **constants)
    return save_description_0_5(
        folder,
        [tensor("raw", BATCH, channels(), *(space(a, {"min": 16, "step": 4}) for a in "yx"))],
        [tensor("out", BATCH, channels(), *(space(a, follows(a), halo=4) for a in "yx"))],
    )
