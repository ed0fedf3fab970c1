"""Folders as deepImageJ keeps them, made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from bioimageio_runtime_deepimagej.legacy_config import LegacyConfig, write_legacy
from written_macros import BINARIZE_TO_ONE, MEAN_NORMALIZATION

from bioimageio_core.typing import FrozenMapping

ELEMENTS = {
    "Name": "Mean of neighbours",
    "Author": "A Tester",
    "URL": "https://example.com/",
    "Credit": "Nobody",
    "Version": "n/a",
    "Date": "2019",
    "Reference": "A Tester, 2019",
    "InputSize": "64x64",
    "OutputSize": "64x64",
    "MemoryPeak": "172,9 Mb",
    "Runtime": "  2,8 s",
    "PixelSize": "0.5µm x 0.5µm",
    "ModelTag": "null",
    "SignatureDefinition": "null",
    "InputTensorDimensions": ",-1,-1,-1,1,",
    "NumberOfInputs": "1",
    "InputNames0": "raw",
    "InputOrganization0": "NHWC",
    "NumberOfOutputs": "1",
    "OutputNames0": "out",
    "OutputOrganization0": "NHWC",
    "Channels": "1",
    "FixedPatch": "false",
    "MinimumSize": "2",
    "PatchSize": "64",
    "FixedPadding": "true",
    "Padding": "1",
    "PreprocessingFile": "preprocessing.ijm",
    "PostprocessingFile": "postprocessing.ijm",
    "slices": "1",
}
THRESHOLD = 0.25


def save_script(path: Path) -> None:
    """Write a mean of nine pixels, zero padded, along b, y, x, c."""
    import torch

    class Mean(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.avg_pool2d(x.permute(0, 3, 1, 2), 3, 1, 1).permute(0, 2, 3, 1)

    torch.jit.trace(Mean(), torch.zeros(1, 8, 8, 1)).save(str(path))


def legacy_folder(folder: Path, **elements: str) -> Path:
    """Write ``config.xml`` with macros and TorchScript beside it; return the configuration."""
    folder.mkdir(parents=True)
    save_script(folder / "net.pt")
    (folder / "preprocessing.ijm").write_text(MEAN_NORMALIZATION)
    (folder / "postprocessing.ijm").write_text(BINARIZE_TO_ONE.format(threshold=THRESHOLD))
    (folder / "config.xml").write_text(write_legacy(LegacyConfig(FrozenMapping({**ELEMENTS, **elements}))), encoding="utf-8")
    return folder / "config.xml"


def described_folder(folder: Path, pre: str, post: str, **more: Any) -> Path:
    """Write a folder of deepImageJ 2 with TorchScript, whose description asks for its run mode; return it."""
    folder.mkdir(parents=True)
    save_script(folder / "net.pt")
    (folder / "pre.ijm").write_text(pre)
    (folder / "post.ijm").write_text(post)
    (folder / "README.md").write_text("# Mean\n")
    for name in ("in.npy", "out.npy"):
        (folder / name).write_bytes(b"")
    shape = {"reference_tensor": "raw", "scale": [1, 1, 1, 1], "offset": [0, 0, 0, 0]}
    macro = "ij.IJ::runMacroFile"
    tree = {
        "type": "model",
        "format_version": "0.4.10",
        "name": "Mean of neighbours",
        "description": "made for a test",
        "authors": [{"name": "A Tester"}],
        "cite": [{"text": "nothing", "url": "https://example.com/"}],
        "license": "MIT",
        "documentation": "README.md",
        "timestamp": "2024-01-01T00:00:00+00:00",
        "inputs": [{"name": "raw", "axes": "byxc", "data_type": "float32", "shape": {"min": [1, 4, 4, 1], "step": [0, 2, 2, 0]}}],
        "outputs": [{"name": "out", "axes": "byxc", "data_type": "float32", "shape": shape, "halo": [0, 1, 1, 0]}],
        "test_inputs": ["in.npy"],
        "test_outputs": ["out.npy"],
        "weights": {"torchscript": {"source": "net.pt", "pytorch_version": "2.0"}},
        "attachments": {"files": ["pre.ijm", "post.ijm"]},
        "run_mode": {"name": "deepimagej"},
        "config": {
            "deepimagej": {
                "prediction": {"preprocess": [{"spec": macro, "kwargs": "pre.ijm"}], "postprocess": [{"spec": macro, "kwargs": "post.ijm"}]}
            }
        },
        **more,
    }
    (folder / "rdf.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    return folder
