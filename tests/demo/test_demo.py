"""The demonstration, as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import zarr

import bioimageio_core as bc
from bioimageio_core.api import default_registry
from bioimageio_core.demo.run import model_folder

pytest.importorskip("onnxruntime")


def run_bmz(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a new process."""
    return subprocess.run([sys.executable, "-m", "bioimageio_core.cli", *arguments], capture_output=True, text=True, check=False)


class TestDemo:
    """It needs nothing but itself."""

    def test_small(self, tmp_path: Path) -> None:
        """Image, result and picture are there; what was drawn is found."""
        folder = tmp_path / "demo"
        done = run_bmz("demo", "-o", str(folder), "--size", "1700", "--json")
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert result["overlap"] > 0.85
        assert result["peak_memory"] > 0
        assert (folder / "picture.png").read_bytes().startswith(b"\x89PNG")
        image = zarr.open_array(str(folder / "image.zarr"), mode="r")
        probability = zarr.open_group(str(folder / "result.zarr"), mode="r")["0"]
        assert image.shape == (1700, 1700)
        assert probability.shape == (1, 1700, 1700)  # type: ignore[union-attr]

        again = run_bmz("demo", "-o", str(folder), "--size", "100")
        assert (again.returncode, again.stdout) == (2, "")
        assert "exists and is not empty: give --overwrite" in again.stderr

    def test_in_words(self, tmp_path: Path) -> None:
        """As a new user runs it: each stage is named, and the result is told at the end."""
        done = run_bmz("demo", "-o", str(tmp_path / "demo"), "--size", "256")
        assert done.returncode == 0, done.stderr
        counting = ["counting:"] if "connected_components" in default_registry().processing_ops else []
        assert [line.split()[0] for line in done.stdout.splitlines()] == [
            "drawing", "predicting:", *counting, "result", "picture", "time", "memory", "overlap", "nuclei",
        ]  # fmt: skip

    def test_model(self) -> None:
        """The model that comes along is valid, reproduces its test tensors, and has enough halo."""
        assert bc.validate(model_folder()).status == "valid"
        assert bc.test_model(model_folder()).status == "passed"
        report = bc.verify(model_folder(), block={"y": 200, "x": 200})
        assert report.equal
        assert report.blocks > 9
