"""Files of this machine that a description names outside of its folder: no copy of the model takes them along by itself."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from bmz_process import run_process
from made_models import pointwise_model, with_test_tensors

import bioimageio_core as bc
from bioimageio_core.errors import InputError

SECRET = "BEGIN PRIVATE KEY"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file of the user, beside the folder of the model."""
    path = tmp_path / "id_rsa.txt"
    path.write_text(SECRET)
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model with test tensors, in a folder of its own."""
    folder = tmp_path / "model"
    folder.mkdir()
    pointwise_model(folder)
    ones = np.ones((1, 1, 8, 8), np.float32)
    with_test_tensors(folder, {"raw": ones}, {"out": ones})
    return folder


def naming(model: Path, **fields: Any) -> Path:
    """Add fields to the description."""
    path = model / "bioimageio.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | fields))
    return model


def ways(secret: Path) -> dict[str, dict[str, Any]]:
    """Return fields that name the file, by a word for the way."""
    return {
        "above": {"attachments": [{"source": f"../{secret.name}"}]},
        "absolute": {"attachments": [{"source": str(secret)}]},
        "url": {"attachments": [{"source": f"file://{secret}"}]},
        "chain": {"attachments": [{"source": f"simplecache::file://{secret}"}]},
        "license": {"license": {"source": str(secret)}},
        "within and out": {"attachments": [{"source": f"sub/../../{secret.name}"}]},
    }


@pytest.mark.parametrize("way", ways(Path()))
class TestRefused:
    """One sentence that names the file and its place in the description."""

    def test_package(self, model: Path, secret: Path, tmp_path: Path, way: str) -> None:
        naming(model, **ways(secret)[way])
        with pytest.raises(InputError, match=r"names files outside of its folder: '.*id_rsa\.txt' \((attachments\.0|license)\.source\)"):
            bc.save_package(model, tmp_path / "package.zip")
        assert not (tmp_path / "package.zip").exists()

    def test_of_bytes(self, model: Path, secret: Path, tmp_path: Path, way: str) -> None:
        """The text of a description may come from anywhere."""
        text = (naming(model, **ways(secret)[way]) / "bioimageio.yaml").read_bytes()
        with pytest.raises(InputError, match="outside of its folder"):
            bc.save_package(text, tmp_path / "package.zip")


class TestOtherWays:
    """All that copies a model asks the same."""

    def test_link(self, model: Path, secret: Path, tmp_path: Path) -> None:
        """A link in the folder leads out of it."""
        (model / "notes.txt").symlink_to(secret)
        naming(model, attachments=[{"source": "notes.txt"}])
        with pytest.raises(InputError, match=r"outside of its folder: 'notes\.txt'"):
            bc.save_package(model, tmp_path / "package")

    @pytest.mark.parametrize("protocol", ["file://", "local://", "simplecache::file://"])
    def test_link_of_a_model_by_url(self, model: Path, secret: Path, tmp_path: Path, protocol: str) -> None:
        """The folder of the model is on this machine, whatever leads to it."""
        (model / "notes.txt").symlink_to(secret)
        naming(model, attachments=[{"source": "notes.txt"}])
        with pytest.raises(InputError, match=r"outside of its folder"):
            bc.save_package(f"{protocol}{model}/bioimageio.yaml", tmp_path / "package")

    @pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="this system has no /proc")
    def test_environment_of_the_process(self, model: Path, tmp_path: Path) -> None:
        naming(model, attachments=[{"source": "/proc/self/environ"}])
        with pytest.raises(InputError, match="/proc/self/environ"):
            bc.save_package(model, tmp_path / "package")

    def test_only_what_is_copied(self, model: Path, secret: Path, tmp_path: Path) -> None:
        """Weights that are left out may lie anywhere."""
        weights = yaml.safe_load((model / "bioimageio.yaml").read_text())["weights"]
        naming(model, weights={**weights, "torchscript": {"source": str(secret.with_suffix(".pt")), "pytorch_version": "2.1"}})
        secret.rename(secret.with_suffix(".pt"))
        assert bc.save_package(model, tmp_path / "package", weights_formats=["onnx"]).is_dir()
        with pytest.raises(InputError, match=r"weights\.torchscript\.source"):
            bc.save_package(model, tmp_path / "both")


class TestAllowed:
    """Where the user says so, or has said it."""

    def test_option(self, model: Path, secret: Path, tmp_path: Path) -> None:
        """After a look at what the message named."""
        naming(model, attachments=[{"source": str(secret)}])
        line = run_process("package", model, "-o", tmp_path / "p.zip").error(2)
        assert f"'{secret}' (attachments.0.source)" in line
        assert "--include-outside" in line
        assert run_process("package", model, "-o", tmp_path / "p.zip", "--include-outside").status == 0
        with zipfile.ZipFile(tmp_path / "p.zip") as opened:
            assert opened.read(secret.name).decode() == SECRET

    def test_mapping(self, model: Path, secret: Path, tmp_path: Path) -> None:
        """A program that gives a mapping, or a description that it made, names the files itself."""
        tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
        tree["attachments"] = [{"source": str(secret)}]
        for tensor in (*tree["inputs"], *tree["outputs"]):
            tensor["test_tensor"]["source"] = str(model / tensor["test_tensor"]["source"])
        tree["weights"]["onnx"]["source"] = str(model / tree["weights"]["onnx"]["source"])
        for key in ("documentation", "covers"):
            tree.pop(key, None)
        assert (bc.save_package(tree, tmp_path / "package") / secret.name).read_text() == SECRET
