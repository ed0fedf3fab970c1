"""Ways to run a PyTorch module on a CPU: how memory is ordered, in which precision, compiled; and how far their outputs are apart."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # what tests share

import numpy as np
from made_networks import inputs_of, network
from measuring import interleaved, report

from bioimageio_core.registry import AdapterContext
from bioimageio_core.weights.torch_network import TorchNetwork

SIZE, FEATURES, ROUNDS = 512, 24, 15


class UsualOrder(TorchNetwork):
    """With channels before y and x in memory, as PyTorch has them by itself."""

    def _prefers_channels_last(self) -> bool:
        return False


def made(kind: type[TorchNetwork] = TorchNetwork, **changes: Any) -> TorchNetwork:
    """Return a U-Net with these settings."""
    fields: dict[str, Any] = {"weights": None, "path": "", "files": {}, "device": "cpu", "threads": os.cpu_count() or 1}
    context = AdapterContext(**{**fields, "input_ids": ("raw",), "output_ids": ("out",), **changes})
    return kind(context, lambda device: network("unet", features=FEATURES))


def main() -> None:
    """Measure and print."""
    ways = {
        "channels first": made(UsualOrder),
        "fp32": made(),
        "bf16": made(precision="bf16"),
        "compiled": made(compile=True),
        "compiled bf16": made(compile=True, precision="bf16"),
    }
    inputs = inputs_of("unet", SIZE, SIZE)
    outputs = {name: adapter(inputs)[0] for name, adapter in ways.items()}  # this compiles
    seconds = interleaved({name: lambda adapter=adapter: adapter(inputs) for name, adapter in ways.items()}, rounds=ROUNDS)  # type: ignore[misc]
    exact = outputs["channels first"]
    for name in ways:
        deviation = float(np.abs(outputs[name] - exact).max() / np.abs(exact).max())
        report(name, milliseconds=seconds[name] * 1e3, of_channels_first=seconds[name] / seconds["channels first"], deviation=deviation)


if __name__ == "__main__":
    main()
