"""U-Nets for planes and volumes: 3 levels, halo 16, sizes 64 + 4 n; random weights, which take as long as trained ones."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))


def save_unet(folder: Path, axes: str, *, features: int = 8, weights_format: str = "onnx") -> Path:
    """Write a model for images with the axes ``yx`` or ``zyx``, with ONNX or TorchScript weights, and return its folder."""
    import torch
    from made_models import BATCH, channels, follows, save_description_0_5, space, tensor
    from torch import nn

    flat = axes == "yx"
    convolution, upward = (nn.Conv2d, nn.ConvTranspose2d) if flat else (nn.Conv3d, nn.ConvTranspose3d)
    pool = nn.functional.max_pool2d if flat else nn.functional.max_pool3d

    def convolutions(before: int, behind: int) -> nn.Sequential:
        return nn.Sequential(
            convolution(before, behind, 3, padding=1),
            nn.ReLU(inplace=True),
            convolution(behind, behind, 3, padding=1),
            nn.ReLU(inplace=True),
        )

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            few, more, many = features, 2 * features, 4 * features
            self.down = nn.ModuleList([convolutions(1, few), convolutions(few, more), convolutions(more, many)])
            self.up = nn.ModuleList([upward(many, more, 2, stride=2), upward(more, few, 2, stride=2)])
            self.join = nn.ModuleList([convolutions(many, more), convolutions(more, few)])
            self.last = convolution(few, 1, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            fine = self.down[0](x)
            middle = self.down[1](pool(fine, 2))
            x = self.down[2](pool(middle, 2))
            x = self.join[0](torch.cat([self.up[0](x), middle], 1))
            x = self.join[1](torch.cat([self.up[1](x), fine], 1))
            return torch.sigmoid(self.last(x))

    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    network, image = Network().eval(), torch.zeros(1, 1, *[64] * len(axes))
    if weights_format == "onnx":
        names = {0: "batch", **dict(enumerate(axes, start=2))}
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
        [tensor("raw", BATCH, channels(), *(space(a, size) for a in axes))],
        [tensor("out", BATCH, channels(), *(space(a, follows(a), halo=16) for a in axes))],
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
