"""The official packages as judges: they read what is written here, and what they write is read here.

``nox -s czmodel`` makes environments with them, and names their Pythons in BMZ_CZMODEL_PYTHONS, with what separates paths between them.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comparing import SHARED, assert_same, exported, integers
from made_files import bare, network_bytes, network_of
from made_models import box_model, pointwise_model

import bioimageio_core as bc

PYTHONS = [python for python in os.environ.get("BMZ_CZMODEL_PYTHONS", "").split(os.pathsep) if python]
SCRIPT = Path(__file__).parent / "official.py"

pytestmark = pytest.mark.skipif(not PYTHONS, reason="BMZ_CZMODEL_PYTHONS names no Pythons with the official packages: run 'nox -s czmodel'")

each_python = pytest.mark.parametrize("python", PYTHONS or [""], ids=[f"official{number}" for number in range(len(PYTHONS) or 1)])


def official(python: str, command: str, **task: Any) -> dict[str, Any]:
    """Run the official package, and return what it says."""
    ran = subprocess.run([python, str(SCRIPT), command, json.dumps(task)], capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def read_by(python: str, path: Path, folder: Path) -> dict[str, Any]:
    """Let the official package read a file, whose network it unpacks as it is."""
    folder.mkdir()
    found = official(python, "read", path=str(path), folder=str(folder))
    assert Path(found["network"]).read_bytes() == network_of(path)
    return found


@each_python
class TestReadByThem:
    """What is written here."""

    @pytest.mark.parametrize("name", SHARED)
    def test_shared_models(self, shared: Path, tmp_path: Path, python: str, name: str) -> None:
        """Real models; the network inside, run bare on the raw image, predicts what the library does."""
        options, background, taken, given, overlap = SHARED[name]
        model = shared / "models" / name
        path = exported(model, tmp_path / "m.czann", **options)
        found = read_by(python, path, tmp_path / "read")
        assert (found["input_shape"], found["output_shape"], found["min_overlap"]) == (taken, given, overlap)
        assert found["name"] == bc.load_model_description(model).name
        assert_same(model, path, integers((1, *taken)), background=background, weights_format="onnx")

    @pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "2.0.0", "2.1.0"])
    def test_czann(self, tmp_path: Path, python: str, version: str) -> None:
        """Every version of the file."""
        model = pointwise_model(tmp_path, names=("nucleus",), gain=0.02, offset=-2, post=[{"id": "sigmoid"}])
        path = exported(model, tmp_path / "m.czann", spatial_dims=[12, 20], file_version=version, scaling=[1e-7, 2e-7], border=3)
        found = read_by(python, path, tmp_path / "read")
        assert found["type"] == "SingleClassSemanticSegmentation"
        assert found["classes"] == ["Background", "nucleus"]
        assert found["min_overlap"] == [6, 6]
        assert found["scaling"] == (None if version == "1.0.0" else [1e-7, 2e-7])
        assert_same(model, path, integers((1, 12, 20, 1)), background=True)

    def test_regression(self, tmp_path: Path, python: str) -> None:
        """A file without classes."""
        path = exported(box_model(tmp_path, 64), tmp_path / "m.czann", type="Regression")
        assert read_by(python, path, tmp_path / "read")["classes"] is None
        assert_same(tmp_path, path, integers((1, 64, 64, 1)))

    def test_czmodel(self, tmp_path: Path, python: str) -> None:
        """The older kind of file."""
        model = pointwise_model(tmp_path, names=("red", "green", "blue"), gain=0.02, dtype="uint8", **SOFTMAX)
        path = exported(model, tmp_path / "m.czmodel", spatial_dims=[12, 20], border=2)
        found = read_by(python, path, tmp_path / "read")
        assert (found["classes"], found["pixel_types"]) == (["red", "green", "blue"], ["Bgr24"])
        assert (found["color_handling"], str(found["border_size"])) == ("SplitRgb", "2")
        image = integers((1, 12, 20, 3))
        rgb = np.ascontiguousarray(image[..., ::-1]).astype(np.uint8)
        expected = np.moveaxis(np.asarray(bc.predict(model, rgb, axes="byxc")["out"]), 1, -1)
        np.testing.assert_allclose(bare(network_of(path), image), expected, atol=1e-5)


SOFTMAX: dict[str, Any] = {
    "pre": [{"id": "ensure_dtype", "kwargs": {"dtype": "float32"}}],
    "post": [{"id": "softmax"}],
}


@each_python
class TestWrittenByThem:
    """What the official packages write on the spot."""

    def test_czann(self, tmp_path: Path, python: str) -> None:
        """Read, and predicted as ONNX Runtime does; written again to the same content, but for the version."""
        (tmp_path / "network.onnx").write_bytes(network_bytes())
        (tmp_path / "LICENSE.txt").write_text("mine")
        (tmp_path / "out").mkdir()
        metadata = {
            "Id": "5f0c6f0e-5d2b-4a53-9d55-0b9a3b1a7f10",
            "Type": "MultiClassSemanticSegmentation",
            "InputShape": [16, 24, 3],
            "OutputShape": [16, 24, 2],
            "MinOverlap": [4, 4],
            "Classes": ["Background", "Interesting Object"],
            "ModelName": "made",
            "Scaling": [1e-07, 2.5e-07],
            "license_file": str(tmp_path / "LICENSE.txt"),
        }
        task = {"kind": "czann", "network": str(tmp_path / "network.onnx"), "target": str(tmp_path / "out" / "made"), "metadata": metadata}
        (file,) = official(python, "write", **task)["files"]
        self.check(Path(file), tmp_path, "float32")

    def test_czmodel(self, tmp_path: Path, python: str) -> None:
        """The older kind of file."""
        (tmp_path / "network.onnx").write_bytes(network_bytes())
        (tmp_path / "out").mkdir()
        metadata = {
            "name": "made",
            "classes": ["a", "b"],
            "pixel_types": "Bgr24",
            "color_handling": "SplitRgb",
            "border_size": 2,
        }
        task = {
            "kind": "czmodel",
            "network": str(tmp_path / "network.onnx"),
            "target": str(tmp_path / "out" / "made"),
            "metadata": metadata,
        }
        (file,) = official(python, "write", **task)["files"]
        self.check(Path(file), tmp_path, "uint8")

    def check(self, file: Path, folder: Path, dtype: str) -> None:
        """Import, predict, and export."""
        kind = bc.import_model(file, folder / "model").format
        image = np.random.default_rng(6).integers(0, 255, (1, 16, 24, 3)).astype(dtype)
        found = bc.predict(folder / "model", image, axes="byxc", halo={"y": 0, "x": 0})["prediction"]
        np.testing.assert_allclose(np.asarray(found), bare(network_bytes(), image), atol=1e-6)
        bc.export_model(folder / "model", kind, folder / "again" / file.name)
        assert network_of(folder / "again" / file.name) == network_bytes()
