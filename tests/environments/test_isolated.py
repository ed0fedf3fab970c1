"""Tests of models in environments of their own, made from a folder of wheels.

``nox -s isolated`` fills the folder, and names it in BMZ_WHEELHOUSE: nothing is fetched while tests run.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from bmz_process import run_process
from made_models import pointwise_model, with_test_tensors

from bioimageio_core.environments.isolated_test import _for_pip, _required_by

WHEELS = os.environ.get("BMZ_WHEELHOUSE", "")

IMAGE = np.random.default_rng(0).random((1, 1, 16, 16), dtype=np.float32)

ENV = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": WHEELS}

needs_wheels = pytest.mark.skipif(not WHEELS, reason="BMZ_WHEELHOUSE names no folder of wheels: run 'nox -s isolated'")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model with ONNX weights, and with TorchScript weights of a version that the folder of wheels lacks."""
    folder = tmp_path / "model"
    folder.mkdir()
    made = with_test_tensors(pointwise_model(folder, gain=2.0), {"raw": IMAGE}, {"out": 2 * IMAGE})
    tree = yaml.safe_load((made / "bioimageio.yaml").read_text())
    (made / "weights.pt").write_bytes(b"never read")
    tree["weights"]["torchscript"] = {"source": "weights.pt", "pytorch_version": "2.6.9"}
    (made / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
    return made


@needs_wheels
class TestIsolated:
    """``bmz test --isolated``."""

    def test_passes(self, model: Path) -> None:
        """In an environment that pip fills; what cannot be installed is said."""
        ran = run_process("test", model, "--isolated", "--json", env=ENV)
        onnx, torchscript = ran.json["tests"]
        assert (onnx["weights_format"], onnx["status"]) == ("onnx", "passed")
        assert onnx["frameworks"].keys() == {"onnxruntime"}
        assert len(onnx["sizes"]) == 6
        assert (torchscript["status"], ran.status) == ("skipped", 0)
        assert "pip could not install torch==2.6.9" in torchscript["message"]

    def test_differs(self, model: Path, tmp_path: Path) -> None:
        """What fails there fails here."""
        np.save(model / "out.npy", 2 * IMAGE + 1)
        ran = run_process("test", model, "--isolated", "--weights-format", "onnx", "--quick", "--json", env=ENV, cwd=tmp_path)
        assert ran.status == 1
        assert ran.json["tests"][0]["outputs"][0]["mismatched"] == 256

    def test_own_dependencies_need_trust(self, model: Path) -> None:
        """What a model asks for is not installed without."""
        tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
        tree["weights"] = {"torchscript": {**tree["weights"]["torchscript"]}}
        tree["weights"]["tensorflow_saved_model_bundle"] = {
            "source": "weights.onnx",
            "tensorflow_version": "2.16",
            "dependencies": {"source": "environment.yaml"},
        }
        (model / "environment.yaml").write_text("dependencies: [einops=0.7]\n")
        (model / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
        ran = run_process("test", model, "--isolated", "--json", env=ENV)
        assert ran.status == 1
        assert all("einops" not in t["message"] for t in ran.json["tests"])


class TestNames:
    """Requirements and conda packages."""

    def test_requirements(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Those for other systems and of extras that are not asked for are left out, whatever their conditions are."""
        info = tmp_path / "some_thing-1.0.dist-info"
        info.mkdir()
        lines = [
            "numpy >=1.26",
            "torch[cpu]==2.4; python_version >= '3'",
            "tomli; python_version < '3'",
            "pytest>=8; extra == 'test' and python_version > '3'",
            "sphinx; extra == 'docs'",
        ]
        requires = "".join(f"Requires-Dist: {line}\n" for line in lines)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: some-thing\nVersion: 1.0\n{requires}")
        monkeypatch.syspath_prepend(tmp_path)
        assert [str(r) for r in _required_by("some-thing", [])] == ["numpy>=1.26", "torch[cpu]==2.4"]
        assert [r.name for r in _required_by("some-thing", ["test"])] == ["numpy", "torch", "pytest"]

    def test_conda(self) -> None:
        """Channels and builds go, and what pip cannot have."""
        wanted = ["pytorch::pytorch=2.4=py_0", "cudatoolkit=11", "scikit-image >=0.20", "nvidia::cuda"]
        assert list(_for_pip(wanted)) == ["torch==2.4", "scikit-image>=0.20"]
