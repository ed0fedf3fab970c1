"""Weights that use ops of another library, which the user names to be imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
import zarr
from bmz_process import Ran, run_process
from made_models import BATCH, channels, follows, save_description_0_5, space, tensor, with_test_tensors

from bioimageio_core.errors import MissingRequirementError, ModelRunError
from bioimageio_core.libraries import import_libraries, missing_library

pytest.importorskip("torch")

LIBRARY = """
import torch

torch.library.define("made_ops::twice", "(Tensor x) -> Tensor")

@torch.library.impl("made_ops::twice", "default")
def twice(x):
    return 2 * x
"""

NETWORK = """
import sys

import made_ops
import torch

class Network(torch.nn.Module):
    def forward(self, x):
        return torch.ops.made_ops.twice(x)

torch.jit.script(Network()).save(sys.argv[1])
"""

IMAGE = np.random.default_rng(0).random((24, 32), dtype=np.float32)
PREDICT = ("predict", "model", "image.npy", "--axes", "yx", "-o", "out.zarr")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a library in ``lib``, which processes find by PYTHONPATH, a model in ``model``, and an image.

    The library is imported in other processes only, since it cannot be taken out of this one again.
    """
    folder = tmp_path_factory.mktemp("imports")
    (folder / "lib" / "made_ops").mkdir(parents=True)
    (folder / "lib" / "made_ops" / "__init__.py").write_text(LIBRARY)
    (folder / "lib" / "broken_ops.py").write_text("raise RuntimeError('compiled for another PyTorch')\n")
    (folder / "model").mkdir()
    (folder / "network.py").write_text(NETWORK)  # scripting reads the source
    subprocess.run(
        [sys.executable, folder / "network.py", folder / "model" / "weights.pt"], env={**os.environ, **paths(folder)}, check=True
    )
    size = {"min": 16, "step": 8}
    save_description_0_5(
        folder / "model",
        [tensor("raw", BATCH, channels(), space("y", size), space("x", size))],
        [tensor("out", BATCH, channels(), *(space(a, follows(a), halo=1) for a in "yx"))],
        weights={"torchscript": {"source": "weights.pt", "pytorch_version": "2.6.0"}},
    )
    with_test_tensors(folder / "model", {"raw": IMAGE[None, None]}, {"out": 2 * IMAGE[None, None]})
    np.save(folder / "image.npy", IMAGE)
    return folder


def paths(folder: Path) -> dict[str, str]:
    """Return the variables with which processes find the library."""
    return {"PYTHONPATH": os.pathsep.join([str(folder / "lib"), os.environ.get("PYTHONPATH", "")])}


def bmz(folder: Path, *args: str) -> Ran:
    """Run a command where the library is installed."""
    return run_process(*args, env=paths(folder), cwd=folder)


class TestMissing:
    """Without the library, the error names op and option."""

    def test_hint(self, folder: Path) -> None:
        """Installed is not enough: the user names the library."""
        line = bmz(folder, *PREDICT).error(1)
        assert "weights.pt as TorchScript: it uses the op made_ops::twice, which no imported library registers" in line
        assert "--import made_ops" in line
        assert not (folder / "out.zarr").exists()

    def test_of_a_test(self, folder: Path) -> None:
        """The report has the hint."""
        ran = bmz(folder, "test", "model", "--json")
        assert (ran.status, ran.json["status"]) == (1, "failed")
        assert "--import made_ops" in ran.json["tests"][0]["message"]

    def test_of_a_draft(self, folder: Path) -> None:
        """So has the error of a file without description."""
        assert "--import made_ops" in bmz(folder, "init", "model/weights.pt", "-o", "draft").error(2)


class TestImported:
    """Commands that run networks take ``--import``."""

    @pytest.mark.parametrize("options", [(), ("--processes", "1")])
    def test_predict(self, folder: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
        """In threads, and on workers, which import it themselves."""
        ran = bmz(folder, *PREDICT[:-1], str(tmp_path / "out.zarr"), "--import", "made_ops", *options)
        assert ran.status == 0, ran.err
        np.testing.assert_array_equal(zarr.open_group(tmp_path / "out.zarr", mode="r")["0"][0], 2 * IMAGE)

    @pytest.mark.parametrize(
        "command",
        [
            ("test", "model"),
            ("verify", "model", "--memory", "1 GB"),
            ("info", "model", "--measure"),
            ("plan", "model", "image.npy", "--axes", "yx", "--probe"),
        ],
    )
    def test_commands(self, folder: Path, command: tuple[str, ...]) -> None:
        """Each runs the network, `plan` in a process of its own."""
        ran = bmz(folder, *command, "--import", "made_ops")
        assert ran.status == 0, ran.err

    def test_convert(self, folder: Path) -> None:
        """The script is loaded, and the exporter says that ONNX lacks the op."""
        pytest.importorskip("onnx")
        line = bmz(folder, "convert", "model", "--to", "onnx", "-o", "converted", "--import", "made_ops").error(1)
        assert "cannot be converted to ONNX" in line
        assert "made_ops::twice" in line

    def test_init(self, folder: Path, tmp_path: Path) -> None:
        """A file is described with its library."""
        target = tmp_path / "draft"
        ran = bmz(folder, "init", "model/weights.pt", "-o", str(target), "--axes", "bcyx", "--import", "made_ops")
        assert ran.status == 0, ran.err
        assert "torchscript" in yaml.safe_load((target / "bioimageio.yaml").read_text())["weights"]

    def test_plan_imports_nothing(self, folder: Path) -> None:
        """Planning loads no weights, and so no library."""
        ran = bmz(folder, "plan", "model", "image.npy", "--axes", "yx", "--import", "nonesuch")
        assert ran.status == 0, ran.err

    def test_from_python(self, folder: Path) -> None:
        """A name, or several."""
        code = """
import numpy as np, bioimageio_core as bc
image = np.load("image.npy")
for imports in ("made_ops", ["json", "made_ops"]):
    assert np.array_equal(np.asarray(bc.predict("model", image, axes="yx", imports=imports)["out"])[0, 0], 2 * image)
"""
        subprocess.run([sys.executable, "-c", code], env={**os.environ, **paths(folder)}, cwd=folder, check=True, timeout=120)


class TestWrongNames:
    """One sentence each."""

    def test_not_installed(self, folder: Path) -> None:
        """The name is given back."""
        line = bmz(folder, *PREDICT, "--import", "nonesuch").error(2)
        assert "--import names the library 'nonesuch', which cannot be imported: No module named 'nonesuch'" in line

    def test_raises(self, folder: Path) -> None:
        """What the library raises is given back, and nothing is left."""
        line = bmz(folder, *PREDICT, "--import", "broken_ops").error(2)
        assert "'broken_ops', which fails when it is imported: RuntimeError: compiled for another PyTorch" in line
        assert not (folder / "out.zarr").exists()

    def test_exits(self, folder: Path) -> None:
        """A library that ends the process when it is imported does not end the prediction as a success."""
        (folder / "leaving_ops.py").write_text("import sys\nsys.exit(0)\n")
        line = bmz(folder, *PREDICT, "--import", "leaving_ops").error(2)
        assert "'leaving_ops', which fails when it is imported: SystemExit: 0" in line
        assert not (folder / "out.zarr").exists()

    def test_errors_of_function(self) -> None:
        """The classes of errors."""
        with pytest.raises(MissingRequirementError):
            import_libraries(["json", "nonesuch.ops"])


class TestMissingLibrary:
    """What PyTorch says about unknown ops."""

    def test_class(self) -> None:
        """Classes of other libraries have a namespace, too."""
        message = "\nUnknown type name '__torch__.torch.classes.torchvision.GPUDecoder':\n  File code/x.py"
        assert missing_library(RuntimeError(message)).startswith("it uses the class torchvision::GPUDecoder")

    @pytest.mark.parametrize("message", ["Unknown builtin op: aten::of_a_later_version.", "PytorchStreamReader failed"])
    def test_others(self, message: str) -> None:
        """An op of a later PyTorch is in no other library."""
        assert missing_library(ModelRunError(message)) == ""
