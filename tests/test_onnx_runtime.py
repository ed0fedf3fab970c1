"""Nothing but what users ask for goes over the network, and nothing is kept of what they run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bmz_process import run_process
from made_models import box_model, with_test_tensors

import bioimageio_core

pytest.importorskip("onnxruntime")

SCRIPT = Path(__file__).with_name("alone_with_loopback.py")
ROOT = Path(bioimageio_core.__file__).parent


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model with test tensors, and an image beside it."""
    folder = tmp_path / "model"
    folder.mkdir()
    box_model(folder, {"min": 8, "step": 4})
    zeros = np.zeros((1, 1, 16, 16), np.float32)
    np.save(tmp_path / "image.npy", np.zeros((40, 40), np.float32))
    return with_test_tensors(folder, {"raw": zeros}, {"out": zeros})


COMMANDS = [
    ("test", "model", "--quick"),
    ("predict", "model", "image.npy", "-o", "out.zarr", "--axes", "yx"),
    ("predict", "model", "image.npy", "-o", "out.zarr", "--axes", "yx", "--processes", "1"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nothing_is_kept(model: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    """The user's home has no file of the telemetry of ONNX Runtime afterwards."""
    home = tmp_path / "home"
    home.mkdir()
    env = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "ORT_DISABLE_TELEMETRY": ""}
    ran = run_process(*command, cwd=tmp_path, env=env)
    assert ran.status == 0, ran.err
    assert [p.name for p in home.rglob("*") if re.search("microsoft|onnxruntime", str(p.relative_to(home)), re.IGNORECASE)] == []


def alone(tmp_path: Path, *command: object) -> subprocess.CompletedProcess[str]:
    """Run a command where there is no network but loopback; skip the test where users cannot have such a place."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rnm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system gives users no network of their own")
    return subprocess.run(
        ["unshare", "-rnm", sys.executable, str(SCRIPT), str(tmp_path), *map(str, command)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


def test_lookups_are_seen(tmp_path: Path) -> None:
    """The next test can fail."""
    assert "telemetry.example.com" in alone(tmp_path, "lookup", "telemetry.example.com").stdout.split()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nothing_is_asked_for(model: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    """No name is looked up, and all works without a network."""
    ran = alone(tmp_path, sys.executable, "-c", "import sys; from bioimageio_core.cli import main; sys.exit(main())", *command)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == []


def test_one_import() -> None:
    """No other module imports ONNX Runtime."""
    found = [p.name for p in ROOT.rglob("*.py") if re.search(r"^\s*(import|from) onnxruntime", p.read_text(encoding="utf-8"), re.MULTILINE)]
    assert found == ["onnx_runtime.py"]
