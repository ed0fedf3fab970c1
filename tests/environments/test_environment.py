"""What has to be installed for weights, as files for conda and pip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from bmz_process import run_process
from made_models import box_model, pointwise_model_0_4

import bioimageio_core as bc
from bioimageio_core.errors import InputError, SourceError
from bioimageio_core.weights.requirements import pinned

CONDA = """
name: theirs
channels: [pytorch, conda-forge]
dependencies:
  - python=3.9
  - pip
  - scikit-image >=0.20
  - pytorch::torchvision=0.15
  - pip:
      - einops==0.7
"""


def with_state_dict(folder: Path, version: str, dependencies: str | None) -> Path:
    """Return a model with ``pytorch_state_dict`` weights of a version of PyTorch; none of its files but the dependencies is there."""
    model = box_model(folder, {"min": 8, "step": 4})
    tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
    entry: dict[str, Any] = {
        "source": "weights.pt",
        "pytorch_version": version,
        "architecture": {"callable": "Network", "source": "network.py"},
    }
    if dependencies is not None:
        (model / "environment.yaml").write_text(dependencies)
        entry["dependencies"] = {"source": "environment.yaml"}
    tree["weights"] = {"pytorch_state_dict": entry}
    (model / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
    return model


class TestPinned:
    """Versions are taken as described, where the library works with them."""

    @pytest.mark.parametrize(
        ("version", "expected"),
        [
            ("2.4.1", "torch==2.4.1"),
            ("v2.2", "torch==2.2"),
            ("2.13.0+cpu", "torch==2.13.0"),
            (2.3, "torch==2.3"),
            ("1.10", "torch"),
            ("2.1.2", "torch"),
            ("newest", "torch"),
        ],
    )
    def test_by_hand(self, version: object, expected: str) -> None:
        """Local parts do not count; earlier and unreadable versions are left open."""
        assert pinned("torch", version, since=(2, 2)) == expected


class TestFiles:
    """Texts that conda and pip read."""

    def test_conda(self, tmp_path: Path) -> None:
        """Channels, Python, and this library by pip."""
        environment = bc.environment_of(box_model(tmp_path, {"min": 8, "step": 4}))
        tree = yaml.safe_load(environment.conda_file())
        assert tree["name"] == "made-model-onnx"
        assert tree["channels"] == ["conda-forge", "nodefaults"]
        assert tree["dependencies"] == ["python>=3.11", "pip", {"pip": ["bioimageio-runtime[onnx]"]}]
        assert environment.conda_file().startswith(
            "# for the onnx weights of made model, run by onnxruntime\n# described: opset_version 17\n"
        )

    def test_own_dependencies(self, tmp_path: Path) -> None:
        """What the model asks for is added; its Python gives way to one that the library works with."""
        environment = bc.environment_of(with_state_dict(tmp_path, "2.7.1", CONDA), trust=True)
        tree = yaml.safe_load(environment.conda_file())
        assert tree["channels"] == ["pytorch", "conda-forge", "nodefaults"]
        python, pip, *conda, last = tree["dependencies"]
        assert (python, pip, conda) == ("python>=3.11", "pip", ["scikit-image >=0.20", "pytorch::torchvision=0.15"])
        assert last == {"pip": ["bioimageio-runtime[torch]", "torch==2.7.1", "einops==0.7"]}
        assert environment.pip_file().splitlines()[-2:] == ["# of conda: scikit-image >=0.20", "# of conda: pytorch::torchvision=0.15"]

    def test_own_dependencies_without_trust(self, tmp_path: Path) -> None:
        """Nothing that the model names is installed, neither packages nor from its channels; a note says so."""
        environment = bc.environment_of(with_state_dict(tmp_path, "2.7.1", CONDA))
        tree = yaml.safe_load(environment.conda_file())
        assert tree["channels"] == ["conda-forge", "nodefaults"]
        assert tree["dependencies"] == ["python>=3.11", "pip", {"pip": ["bioimageio-runtime[torch]", "torch==2.7.1"]}]
        assert "without the packages that environment.yaml of the model names" in environment.conda_file().splitlines()[2]
        assert "scikit-image" not in environment.pip_file()

    @pytest.mark.parametrize(
        "line", ["--index-url https://example.com/simple", "-e .", "x @ https://example.com/x.whl", "git+https://example.com/x", "./x.whl"]
    )
    def test_lines_that_name_no_package(self, tmp_path: Path, line: str) -> None:
        """Options of pip, URLs and paths are left out of trusted models, too, with a note."""
        text = CONDA.replace("einops==0.7", f"einops==0.7\n      - '{line}'")
        environment = bc.environment_of(with_state_dict(tmp_path, "2.7.1", text), trust=True)
        assert environment.own.pip == ("einops==0.7",)
        assert [note for note in environment.notes if repr(line) in note]
        assert line not in [written for written in environment.pip_file().splitlines() if not written.startswith("#")]

    @pytest.mark.parametrize("line", ["channels: [https://example.com/channel, conda-forge]", "channels: [/tmp/channel]"])
    def test_channels_that_are_no_names(self, tmp_path: Path, line: str) -> None:
        """Addresses and paths are left out of trusted models, too, as are options within packages."""
        text = CONDA.replace("channels: [pytorch, conda-forge]", line).replace("  - pip\n", "  - pip\n  - a --index-url=http://x\n")
        environment = bc.environment_of(with_state_dict(tmp_path, "2.7.1", text), trust=True)
        assert set(environment.own.channels) <= {"conda-forge"}
        assert "a --index-url=http://x" not in environment.own.conda
        assert [note for note in environment.notes if "a --index-url=http://x" in note]

    def test_format_0_4(self, tmp_path: Path) -> None:
        """Dependencies are written as ``manager:file``."""
        model = pointwise_model_0_4(tmp_path)
        (model / "needs.txt").write_text("# mine\neinops==0.7  # for rearranging\n\n")
        tree = yaml.safe_load((model / "rdf.yaml").read_text())
        tree["weights"]["onnx"]["dependencies"] = "pip:needs.txt"
        (model / "rdf.yaml").write_text(yaml.safe_dump(tree))
        assert bc.environment_of(model, trust=True).pip_file().splitlines()[-2:] == ["bioimageio-runtime[onnx]", "einops==0.7"]

    def test_plugins_are_named(self, tmp_path: Path) -> None:
        """An op that is not the library's own needs the distribution that brings it."""
        model = box_model(tmp_path, {"min": 8, "step": 4}, preprocessing=[{"id": "scale_linear", "kwargs": {"gain": 2.0}}])
        assert bc.environment_of(model).requirements == ("bioimageio-runtime[onnx]",)

    @pytest.mark.parametrize("text", ["name: x\n", "- a\n", "{", "dependencies: 3\n", "\x00"])
    def test_broken_dependencies(self, tmp_path: Path, text: str) -> None:
        """One sentence."""
        with pytest.raises(SourceError, match="is not a conda environment file"):
            bc.environment_of(with_state_dict(tmp_path, "2.4.1", text))

    def test_no_such_weights(self, tmp_path: Path) -> None:
        """The ones that there are."""
        with pytest.raises(InputError, match="no 'torchscript' weights: expected one of onnx"):
            bc.environment_of(box_model(tmp_path, 16), "torchscript")


class TestCommand:
    """``bmz env``."""

    def test_file(self, tmp_path: Path) -> None:
        """It is written whole, and not over another."""
        model = box_model(tmp_path, 16)
        ran = run_process("env", model, "-o", tmp_path / "environment.yaml")
        assert ran.status == 0
        assert yaml.safe_load((tmp_path / "environment.yaml").read_text())["name"] == "made-model-onnx"
        assert run_process("env", model, "-o", tmp_path / "environment.yaml").status == 2
        assert run_process("env", model, "--pip").out.splitlines()[-1] == "bioimageio-runtime[onnx]"
        assert run_process("env", model, "--json").json["requirements"] == ["bioimageio-runtime[onnx]"]
