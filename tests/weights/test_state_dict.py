"""Parameters of PyTorch modules in files of ``torch.save``."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from made_networks import adapter_context, inputs_of, network, save_network

from bioimageio_core.errors import ModelRunError, TrustError
from bioimageio_core.registry import AdapterContext
from bioimageio_core.weights import descr_v0_4 as v0_4
from bioimageio_core.weights import descr_v0_5 as v0_5
from bioimageio_core.weights.parameters import load_parameters
from bioimageio_core.weights.state_dict import PytorchStateDictAdapter, read_state_dict

torch: Any = pytest.importorskip("torch")

LINEAR = v0_5.ArchitectureFromLibraryDescr(import_from="torch.nn", callable="Linear", kwargs={"in_features": 2, "out_features": 1})
TENSORS = {"weight": torch.tensor([[2.0, 3.0]]), "bias": torch.tensor([1.0])}


def linear(path: Path, architecture: Any = LINEAR, *, strict: bool = True, **changes: Any) -> AdapterContext:
    """Return what an adapter of ``2 a + 3 b + 1`` is given."""
    descr = v0_5.PytorchStateDictWeightsDescr(source=path.name, pytorch_version="2.5", architecture=architecture, strict=strict)
    fields: dict[str, Any] = {"weights": descr, "path": str(path), "files": {}, "device": "cpu", "threads": 1, "trust": True}
    return AdapterContext(**{**fields, "input_ids": ("a",), "output_ids": ("b",), **changes})


def outputs(path: Path, **changes: Any) -> list[float]:
    """Return what the network gives for (1, 1)."""
    adapter = PytorchStateDictAdapter(linear(path, **changes))
    (found,) = adapter([np.ones((1, 2), np.float32)])
    adapter.close()
    return [float(v) for v in found.ravel()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where weights are written."""
    return tmp_path / "weights.pt"


class TestFiles:
    """What a file may look like."""

    @pytest.mark.parametrize("zipped", [True, False])
    def test_both_formats(self, path: Path, zipped: bool) -> None:
        """The zip, and what PyTorch wrote before."""
        torch.save(TENSORS, path, _use_new_zipfile_serialization=zipped)
        assert path.read_bytes().startswith(b"PK") == zipped
        assert outputs(path) == [6.0]

    @pytest.mark.parametrize(
        "wrap",
        [
            lambda t: {"state_dict": t, "epoch": 3},
            lambda t: {"model_state_dict": t, "optimizer_state_dict": {"state": {}, "param_groups": [{"lr": 0.1}]}, "loss": 0.1},
            lambda t: {"model": t},
            lambda t: {"net": t, "acc": 91.0},
            lambda t: {"checkpoint": 1, "model": {"state_dict": t}},
            lambda t: {f"module.{k}": v for k, v in t.items()},
            lambda t: OrderedDict({f"_orig_mod.{k}": v for k, v in t.items()}),
            lambda t: {"state_dict": {f"module._orig_mod.{k}": v for k, v in t.items()}},
            lambda t: {k: torch.nn.Parameter(v) for k, v in t.items()},
            lambda t: {k: v.half() for k, v in t.items()},
        ],
    )
    def test_checkpoints(self, path: Path, wrap: Any) -> None:
        """Parameters among other things, and with what wrappers put before their names."""
        torch.save(wrap(TENSORS), path)
        assert outputs(path) == [6.0]

    def test_prefix_of_the_module(self, path: Path) -> None:
        """A module may have parts that are called like the wrappers of PyTorch."""
        torch.save({"module.weight": TENSORS["weight"]}, path)
        module = torch.nn.Module()
        module.module = torch.nn.Linear(2, 1, bias=False)
        from bioimageio_core.weights.state_dict import _without_prefixes

        assert [*_without_prefixes(read_state_dict(path), module)] == ["module.weight"]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (torch.ones(3), "holds Tensor: expected tensors by name"),
            ([torch.ones(3)], "holds list: expected tensors by name"),
            ({"epoch": 3, "optimizer": {}}, r"holds no tensors by name but 'epoch', 'optimizer': expected .*state_dict, model_state_dict"),
            ({"state_dict": {1: torch.ones(1)}}, "holds dict in state_dict: expected tensors by name"),
            (torch.nn.Linear(2, 1), r"weights\.pt holds more than tensors .*not loaded.*Linear"),
            ({"weight": np.ones(3)}, r"weights\.pt holds more than tensors .*numpy"),
        ],
    )
    def test_other_content(self, path: Path, content: Any, message: str) -> None:
        """What is in the file instead, in one line."""
        torch.save(content, path)
        with pytest.raises(ModelRunError, match=message) as caught:
            read_state_dict(path)
        assert "\n" not in str(caught.value)


class TestNames:
    """Parameters that are not those of the module."""

    @pytest.mark.parametrize(
        ("tensors", "strict", "message"),
        [
            ({"weight": TENSORS["weight"]}, True, "the file lacks bias, the architecture lacks none"),
            ({**TENSORS, "head": torch.ones(1)}, True, "the file lacks none, the architecture lacks head"),
            ({**TENSORS, "bias": torch.ones(4)}, True, r"do not fit .*bias has shape \[4\], in the architecture \[1\]"),
            ({**TENSORS, "bias": torch.ones(4)}, False, r"bias has shape \[4\], in the architecture \[1\]"),
            (
                {"a": torch.ones(1), "b": torch.ones(1)},
                False,
                "lacks bias, weight, the architecture lacks a, b, so that none would be loaded",
            ),
            ({}, True, "the file lacks bias, weight"),
        ],
    )
    def test_refused(self, path: Path, tensors: dict[str, Any], strict: bool, message: str) -> None:
        """Each is named."""
        torch.save(tensors, path)
        with pytest.raises(ModelRunError, match=rf"the parameters in weights\.pt .*{message}") as caught:
            PytorchStateDictAdapter(linear(path, strict=strict))
        assert "\n" not in str(caught.value)

    def test_not_strict(self, path: Path) -> None:
        """What both have is loaded."""
        torch.save({"weight": TENSORS["weight"], "head": torch.ones(1)}, path)
        architecture = attrs.evolve(LINEAR, kwargs={"in_features": 2, "out_features": 1, "bias": False})
        assert outputs(path, architecture=architecture, strict=False) == [5.0]

    def test_former_names(self) -> None:
        """PyTorch knows under which names its layers had their parameters before."""
        module = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 1, bias=False))
        load_parameters(module, {"weight_g": torch.full((1, 1), 5.0), "weight_v": torch.tensor([[3.0, 4.0]])}, name="w.pt")
        assert module.weight.tolist() == [[3.0, 4.0]]

    def test_of_two_names(self) -> None:
        """A parameter that two layers share is needed once."""
        module = torch.nn.ModuleDict({"a": torch.nn.Linear(2, 2, bias=False)})
        module["b"] = module["a"]
        load_parameters(module, {"b.weight": torch.eye(2)}, name="w.pt")
        assert module["a"].weight.tolist() == [[1, 0], [0, 1]]


class TestArchitecture:
    """Where the module comes from, in both formats."""

    @pytest.mark.parametrize("version", ["0.4", "0.5"])
    def test_file(self, tmp_path: Path, version: str) -> None:
        """Its code runs where it is trusted, and never else."""
        save_network(tmp_path, "unet", "pytorch_state_dict")
        witness = tmp_path / "witness"
        (tmp_path / "network.py").write_text((tmp_path / "network.py").read_text() + f"\nopen({str(witness)!r}, 'w').close()\n")
        context = adapter_context(tmp_path, "unet", "pytorch_state_dict")
        if version == "0.4":
            descr = v0_4.PytorchStateDictWeightsDescr(source="weights.pt", architecture="network.py:Network", architecture_sha256="0" * 64)
            context = attrs.evolve(context, weights=descr)
        with pytest.raises(TrustError, match=r"the architecture file network\.py.*trust=True"):
            PytorchStateDictAdapter(attrs.evolve(context, trust=False))
        assert not witness.exists()
        (found,) = PytorchStateDictAdapter(context)(inputs_of("unet"))
        np.testing.assert_allclose(found, network("unet")(torch.from_numpy(inputs_of("unet")[0])), atol=1e-6)
        assert witness.exists()

    def test_attached_files_of_0_4(self, tmp_path: Path, path: Path) -> None:
        """Are there to be imported, and arguments reach the callable."""
        (tmp_path / "layers.py").write_text("import torch\n\n\ndef layer(size):\n    return torch.nn.Linear(size, 1)\n")
        (tmp_path / "net.py").write_text("from layers import layer as net\n")
        torch.save(TENSORS, path)
        descr = v0_4.PytorchStateDictWeightsDescr(source="weights.pt", architecture="net.py:net", kwargs={"size": 2})
        files = {"architecture": str(tmp_path / "net.py"), "attachments/layers.py": str(tmp_path / "layers.py")}
        assert outputs(path, weights=descr, files=files) == [6.0]

    def test_two_colons(self, tmp_path: Path, path: Path) -> None:
        """Readers of 0.4.0 took them for one."""
        (tmp_path / "net.py").write_text("import torch\n\n\ndef net():\n    return torch.nn.Linear(2, 1)\n")
        torch.save(TENSORS, path)
        descr = v0_4.PytorchStateDictWeightsDescr(source="weights.pt", architecture="net.py::net")
        assert outputs(path, weights=descr, files={"architecture": str(tmp_path / "net.py")}) == [6.0]

    @pytest.mark.parametrize("version", ["0.4", "0.5"])
    def test_library(self, path: Path, version: str) -> None:
        """A callable of a library that is on no list needs trust."""
        torch.save(TENSORS, path)
        kwargs = {"in_features": 2, "out_features": 1}
        descr = v0_4.PytorchStateDictWeightsDescr(source="weights.pt", architecture="torch.nn.Linear", kwargs=kwargs)
        changes = {"weights": descr} if version == "0.4" else {}
        assert outputs(path, **changes) == [6.0]
        with pytest.raises(TrustError, match=r"torch\.nn\.Linear, which the model names as its architecture.*trust=True"):
            outputs(path, trust=False, **changes)

    def test_modules_of_evaluation(self, tmp_path: Path) -> None:
        """Normalisations use what they have learnt, and `native` shows the module."""
        save_network(tmp_path, "unet", "pytorch_state_dict")
        adapter = PytorchStateDictAdapter(adapter_context(tmp_path, "unet", "pytorch_state_dict"))
        assert not adapter.native.norm.training
        assert adapter.native.norm.running_var.tolist() == network("unet").norm.running_var.tolist()
