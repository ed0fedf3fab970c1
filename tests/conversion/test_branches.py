"""Networks that branch on their data: converted with all branches, or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from bmz_process import run_process
from made_models import BATCH, channels, follows, save_description_0_5, space, tensor, with_test_tensors

import bioimageio_core as bc
from bioimageio_core.errors import ModelRunError
from bioimageio_core.sources import sha256_of

torch: Any = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

SCRIPTABLE = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.last = torch.nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x):
        if float(x.mean()) > 0.5:
            return self.last(x)
        return 5 * self.last(x)
"""

TRACED = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.last = torch.nn.Conv2d(1, 1, 3, padding=1)
        self.ways = {"bright": lambda x: x, "dark": lambda x: 5 * x}  # TorchScript does not support it

    def forward(self, x):
        return self.ways[CHOICE](self.last(x))
"""

OF_DATA = TRACED.replace("CHOICE", '"bright" if float(x.mean()) > 0.5 else "dark"')
OF_NOTHING = TRACED.replace("CHOICE", '"bright" if bool((x == x).all()) else "dark"')
IMAGE = np.random.default_rng(0).random((1, 1, 32, 32), dtype=np.float32) * np.float32(0.4) + np.float32(0.6)


def branching(folder: Path, code: str) -> Path:
    """Return a model with an architecture of this code, of sizes 16 + 8 n, and bright test inputs."""
    folder.mkdir()
    names: dict[str, Any] = {"__name__": "arch"}
    exec(code, names)
    torch.manual_seed(0)
    network = names["Net"]().eval()
    torch.save(network.state_dict(), folder / "weights.pt")
    (folder / "arch.py").write_text(code)
    with torch.no_grad():
        expected = network(torch.from_numpy(IMAGE)).numpy()
    architecture = {"callable": "Net", "source": "arch.py", "sha256": sha256_of(folder / "arch.py")}
    size = {"min": 16, "step": 8}
    save_description_0_5(
        folder,
        [tensor("raw", BATCH, channels(), space("y", size), space("x", size))],
        [tensor("out", BATCH, channels(), space("y", follows("y"), halo=1), space("x", follows("x"), halo=1))],
        weights={"pytorch_state_dict": {"source": "weights.pt", "pytorch_version": "2.6.0", "architecture": architecture}},
    )
    return with_test_tensors(folder, {"raw": IMAGE}, {"out": expected})


@pytest.mark.parametrize("to_format", ["torchscript", "onnx"])
class TestBranches:
    """Test inputs are bright; dark ones take the other branch."""

    def test_one_branch_recorded(self, tmp_path: Path, to_format: str) -> None:
        """A trace of the bright branch is refused, in one sentence with the exporter's warning, and nothing is left."""
        model = branching(tmp_path / "model", OF_DATA)
        with pytest.raises(ModelRunError, match=r"test inputs with other contents.* line \d+ of arch.py: Converting a tensor"):
            bc.convert_weights(model, to_format, tmp_path / "out", trust=True)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["model"]

    def test_both_branches(self, tmp_path: Path, to_format: str) -> None:
        """A script has both, so that dark images give the same by the converted weights."""
        model = branching(tmp_path / "model", SCRIPTABLE)
        done = bc.convert_weights(model, to_format, tmp_path / "out", trust=True)
        assert done.contents == 5
        dark = IMAGE[0, 0] * np.float32(0.2)
        found = [
            np.asarray(bc.predict(tmp_path / "out", dark, axes="yx", weights_format=name, trust=True)["out"])
            for name in ("pytorch_state_dict", to_format)
        ]
        np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-5)

    def test_warning_is_passed_on(self, tmp_path: Path, to_format: str) -> None:
        """A trace that agrees is written, with a line on what PyTorch warned of; the output of the command is JSON alone."""
        model = branching(tmp_path / "model", OF_NOTHING)
        command = ("convert", model, "--to", to_format, "--trust", "-o", tmp_path / "out")
        ran = run_process(*command, "--json")
        (line,) = ran.json["warnings"]
        assert line.startswith("tracing warns of line 11 of arch.py: Converting a tensor to a Python boolean")
        assert ran.err == ""
        again = run_process(*command, "--overwrite")
        assert again.err.endswith(f"warning: {line}\n")  # on a slow machine, lines of progress come before
        assert to_format in yaml.safe_load((tmp_path / "out" / "bioimageio.yaml").read_text())["weights"]
        assert json.loads(ran.out)["contents"] == 5
