"""Weights that are broken, or made to do harm: each gives one clear error, and nothing of them runs."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import onnx
import pytest
from made_models import save_graph
from made_networks import adapter_context, save_network
from onnx import TensorProto, helper, numpy_helper

from bioimageio_core.errors import ModelRunError
from bioimageio_core.onnx_locations import external_locations
from bioimageio_core.registry import AdapterContext
from bioimageio_core.weights.onnx import OnnxAdapter
from bioimageio_core.weights.state_dict import PytorchStateDictAdapter
from bioimageio_core.weights.torchscript import TorchscriptAdapter

torch: Any = pytest.importorskip("torch")
pytest.importorskip("onnxruntime")

ADAPTERS: dict[str, Callable[[AdapterContext], Any]] = {"pytorch_state_dict": PytorchStateDictAdapter, "torchscript": TorchscriptAdapter}


class Harm:
    """Writes a witness when it is unpickled."""

    def __init__(self, witness: Path) -> None:
        self._witness = witness

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self._witness}",)


def refused(context: AdapterContext, weights_format: str, message: str = ".") -> str:
    """Assert that weights are refused in one line, and return it."""
    with pytest.raises(ModelRunError, match=message) as caught:
        ADAPTERS.get(weights_format, OnnxAdapter)(context)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 1000
    return text


@pytest.fixture(params=sorted(ADAPTERS))
def weights_format(request: pytest.FixtureRequest) -> str:
    """A format whose files PyTorch reads."""
    return str(request.param)


@pytest.fixture
def context(tmp_path: Path, weights_format: str) -> AdapterContext:
    """What an adapter is given, with good weights."""
    save_network(tmp_path, "unet", weights_format)
    return adapter_context(tmp_path, "unet", weights_format)


class TestPickledCode:
    """Files that run something when they are unpickled."""

    @pytest.mark.parametrize("zipped", [True, False])
    def test_torch_save(self, context: AdapterContext, weights_format: str, tmp_path: Path, zipped: bool) -> None:
        """In both formats of PyTorch, where tensors are expected or a script."""
        witness = tmp_path / "witness"
        torch.save({"weight": torch.ones(1), "harm": Harm(witness)}, context.path, _use_new_zipfile_serialization=zipped)
        refused(
            context, weights_format, r"not loaded, since it could run code \(.*system" if weights_format != "torchscript" else "cannot load"
        )
        assert not witness.exists()
        torch.load(context.path, weights_only=False)  # it would have
        assert witness.exists()

    def test_bare_pickle(self, context: AdapterContext, weights_format: str, tmp_path: Path) -> None:
        """As Python writes it."""
        Path(context.path).write_bytes(pickle.dumps(Harm(tmp_path / "witness")))
        refused(context, weights_format)
        assert not (tmp_path / "witness").exists()

    @pytest.mark.parametrize("member", ["data.pkl", "constants.pkl"])
    def test_within_a_script(self, tmp_path: Path, member: str) -> None:
        """In place of the parts of a script that are pickles."""
        save_network(tmp_path, "unet", "torchscript")
        context = adapter_context(tmp_path, "unet", "torchscript")
        rewrite(Path(context.path), member, pickle.dumps(Harm(tmp_path / "witness"), protocol=2))
        refused(context, "torchscript", "cannot load")
        assert not (tmp_path / "witness").exists()


def rewrite(path: Path, member: str, content: bytes) -> None:
    """Replace a member of a zip."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, content if name.rpartition("/")[2] == member else data)


class TestBroken:
    """Files that are not whole."""

    @pytest.mark.parametrize("keep", [0.0, 0.2, 0.5, 0.9, 0.99])
    def test_truncated(self, context: AdapterContext, weights_format: str, keep: float) -> None:
        """Cut anywhere."""
        path = Path(context.path)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * keep)])
        refused(context, weights_format, path.name)

    def test_truncated_legacy(self, tmp_path: Path) -> None:
        """The format without a zip."""
        save_network(tmp_path, "unet", "pytorch_state_dict")
        context = adapter_context(tmp_path, "unet", "pytorch_state_dict")
        path = Path(context.path)
        torch.save(torch.load(path), path, _use_new_zipfile_serialization=False)
        content = path.read_bytes()
        for keep in range(0, len(content), len(content) // 40):
            path.write_bytes(content[:keep])
            refused(context, "pytorch_state_dict", path.name)

    def test_unknown_version(self, tmp_path: Path) -> None:
        """Of a PyTorch that is not there yet."""
        save_network(tmp_path, "unet", "torchscript")
        context = adapter_context(tmp_path, "unet", "torchscript")
        rewrite(Path(context.path), "version", b"9999\n")
        refused(context, "torchscript", r"cannot load script\.pt as TorchScript: .*9999")

    def test_missing(self, context: AdapterContext, weights_format: str, tmp_path: Path) -> None:
        """A file that is gone."""
        refused(attrs.evolve(context, path=str(tmp_path / "gone.pt")), weights_format, r"gone\.pt")


class TestBomb:
    """Files that are small, and huge in memory."""

    def test_compressed(self, context: AdapterContext, weights_format: str) -> None:
        """A zip that unpacks to 200 times its size is not unpacked."""
        path = Path(context.path)
        with zipfile.ZipFile(path) as archive:
            root = archive.namelist()[0].partition("/")[0]
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open(f"{root}/data/bomb", "w") as member:
            for _ in range(128):
                member.write(bytes(2**20))
        assert path.stat().st_size < 2**20
        refused(context, weights_format, r"bytes that unpack to 1342\d+, unlike weights")


def graph_with_data(path: Path, location: str) -> None:
    """Write a graph whose kernel lies in a file of this name."""
    kernel = numpy_helper.from_array(np.full((1, 1, 3, 3), 1 / 9, np.float32), "kernel")
    size = len(kernel.raw_data)
    kernel.ClearField("raw_data")
    kernel.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", str(size))):
        kernel.external_data.add(key=key, value=value)
    save_graph(path, [helper.make_node("Conv", ["raw", "kernel"], ["out"])], {"raw": 4}, {"out": 4})
    model = onnx.load(str(path), load_external_data=False)
    model.graph.initializer.append(kernel)
    path.write_bytes(model.SerializeToString())


def onnx_context(path: Path, **files: str) -> AdapterContext:
    """Return what an adapter is given."""
    return AdapterContext(weights=None, path=str(path), files=files, input_ids=("a",), output_ids=("b",), device="cpu", threads=1)


class TestOnnx:
    """Graphs that name other files, or code."""

    @pytest.mark.parametrize(
        "location",
        [
            "../secret",
            "../../etc/passwd",
            "/etc/passwd",
            "a/../../secret",
            "C:\\secret",
            "\\\\host\\share",
            "..\\secret",
            "",
            ".",
            "*/_ORT_MEM_ADDR_/*",
        ],
    )
    def test_escape(self, tmp_path: Path, location: str) -> None:
        """Refused before ONNX Runtime sees the graph, even where the description names a file."""
        (tmp_path / "model").mkdir()
        (tmp_path / "secret").write_bytes(bytes(36))
        path = tmp_path / "model" / "weights.onnx"
        graph_with_data(path, location)
        assert external_locations(path) == {location}
        refused(onnx_context(path), "onnx", "wants tensors from .*: expected a file beside it")
        refused(onnx_context(path, external_data=str(tmp_path / "secret")), "onnx", "expected a file beside it")
        assert {p.name for p in tmp_path.iterdir()} == {"model", "secret"}

    def test_within_branches(self, tmp_path: Path) -> None:
        """Tensors of subgraphs and of attributes are looked at, too."""
        path = tmp_path / "weights.onnx"
        graph_with_data(path, "inner.data")
        inner = onnx.load(str(path), load_external_data=False).graph
        constant = helper.make_node("Constant", [], ["value"], value=TensorProto(name="c", dims=[1], data_type=1, data_location=1))
        constant.attribute[0].t.external_data.add(key="location", value="attribute.data")
        inner.node.append(constant)
        outer = helper.make_node("If", ["raw"], ["out"], then_branch=inner)
        save_graph(path, [outer], {"raw": 1}, {"out": 1})
        assert external_locations(path) == {"inner.data", "attribute.data"}

    def test_no_data(self, tmp_path: Path) -> None:
        """A graph that holds all of its tensors."""
        save_graph(tmp_path / "weights.onnx", [helper.make_node("Identity", ["location"], ["out"])], {"location": 4}, {"out": 4})
        assert external_locations(tmp_path / "weights.onnx") == frozenset()

    @pytest.mark.parametrize(
        "content", [b"", b"location", b"\x3a\xff\xff\xff\xff\x7f location", b"\x0b location", b"\xff" * 20 + b"location"]
    )
    def test_no_graph(self, tmp_path: Path, content: bytes) -> None:
        """Neither our reader nor that of ONNX Runtime gets lost."""
        (tmp_path / "weights.onnx").write_bytes(content)
        refused(onnx_context(tmp_path / "weights.onnx"), "onnx", r"cannot load weights\.onnx")

    def test_custom_op(self, tmp_path: Path) -> None:
        """Code that nobody registered is named."""
        node = helper.make_node("Harm", ["raw"], ["out"], domain="org.example")
        save_graph(tmp_path / "weights.onnx", [node], {"raw": 4}, {"out": 4})
        model = onnx.load(str(tmp_path / "weights.onnx"))
        model.opset_import.append(helper.make_opsetid("org.example", 1))
        onnx.save(model, str(tmp_path / "weights.onnx"))
        refused(onnx_context(tmp_path / "weights.onnx"), "onnx", "org.example[.:]Harm")

    @pytest.mark.parametrize("keep", [0.1, 0.5, 0.95])
    def test_truncated(self, tmp_path: Path, keep: float) -> None:
        """Cut anywhere."""
        graph_with_data(tmp_path / "weights.onnx", "weights.data")
        content = (tmp_path / "weights.onnx").read_bytes()
        (tmp_path / "weights.onnx").write_bytes(content[: int(len(content) * keep)])
        refused(onnx_context(tmp_path / "weights.onnx"), "onnx", r"weights\.onnx")
