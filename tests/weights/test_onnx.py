"""ONNX weights on ONNX Runtime."""

from __future__ import annotations

import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from made_models import BATCH, box_model, channels, follows, save_description_0_5, save_graph, space, tensor
from onnx import helper
from served import Served

import bioimageio_core as bc
from bioimageio_core.errors import InputError, ModelRunError, SourceError
from bioimageio_core.registry import AdapterContext, WeightsAdapter
from bioimageio_core.weights.onnx import OnnxAdapter, _session_options

ort = pytest.importorskip("onnxruntime")

ANY = {"min": 1, "step": 1}


def context(path: Path, *, inputs: tuple[str, ...] = ("a",), outputs: tuple[str, ...] = ("b",), **more: Any) -> AdapterContext:
    """Return what an adapter is given."""
    return AdapterContext(
        **{
            "weights": None,
            "path": str(path),
            "files": {},
            "input_ids": inputs,
            "output_ids": outputs,
            "device": "cpu",
            "threads": 1,
            **more,
        }
    )


def difference_graph(path: Path) -> None:
    """Two outputs of two inputs: minuend - subtrahend, and the sum; names that say nothing of the description."""
    nodes = [helper.make_node("Sub", ["x_1", "x_2"], ["y_1"]), helper.make_node("Add", ["x_1", "x_2"], ["y_2"])]
    save_graph(path, nodes, {"x_1": 4, "x_2": 4}, {"y_1": 4, "y_2": 4})


def two_inputs(folder: Path, *outputs: str, names: tuple[str, str] = ("minuend", "subtrahend")) -> Path:
    """Describe `difference_graph`."""
    difference_graph(folder / "weights.onnx")

    def axes(*sizes: Any) -> tuple[Any, ...]:
        return BATCH, channels(), space("y", sizes[0]), space("x", sizes[1])

    first, second = names
    return save_description_0_5(
        folder,
        [tensor(first, *axes(ANY, ANY)), tensor(second, *axes(follows("y", tensor=first), follows("x", tensor=first)))],
        [tensor(o, *axes(follows("y", tensor=first), follows("x", tensor=first))) for o in outputs],
    )


class TestPositions:
    """Inputs and outputs go by position: names in the graph mean nothing."""

    @pytest.mark.parametrize("names", [("minuend", "subtrahend"), ("x_2", "x_1")])
    def test_inputs(self, tmp_path: Path, names: tuple[str, str]) -> None:
        """Even where the described names are those of the graph in another order."""
        two_inputs(tmp_path, "difference", "sum", names=names)
        a, b = np.full((8, 8), 5, np.float32), np.full((8, 8), 3, np.float32)
        result = bc.predict(tmp_path, {names[1]: b, names[0]: a})
        assert np.unique(result["difference"]).tolist() == [2]
        assert np.unique(result["sum"]).tolist() == [8]

    def test_surplus_outputs_are_dropped(self, tmp_path: Path) -> None:
        """The first ones are the described ones."""
        two_inputs(tmp_path, "difference")
        result = bc.predict(tmp_path, {"minuend": np.ones((8, 8), np.float32), "subtrahend": np.zeros((8, 8), np.float32)})
        assert list(result) == ["difference"]
        assert np.unique(result["difference"]).tolist() == [1]

    def test_fewer_outputs(self, tmp_path: Path) -> None:
        """How many were expected, and which."""
        two_inputs(tmp_path, "difference", "sum", "product")
        inputs = {"minuend": np.ones((8, 8), np.float32), "subtrahend": np.zeros((8, 8), np.float32)}
        with pytest.raises(ModelRunError, match=r"returned 2 outputs: expected 3 \(difference, sum, product\)"):
            bc.predict(tmp_path, inputs)

    def test_fewer_described_inputs(self, tmp_path: Path) -> None:
        """The graph wants more than the description has."""
        difference_graph(tmp_path / "weights.onnx")
        with pytest.raises(ModelRunError, match=r"takes 2 inputs .* has 1"):
            OnnxAdapter(context(tmp_path / "weights.onnx"))


class TestFewerInputs:
    """The graph lacks inputs of the description."""

    def model(self, folder: Path, ids: tuple[str, ...]) -> Path:
        """Describe a graph of ``x_1 - x_2`` with more inputs than it has."""
        difference_graph(folder / "weights.onnx")
        axes = BATCH, channels(), space("y", ANY), space("x", ANY)
        follow = BATCH, channels(), *(space(a, follows(a, tensor=ids[0])) for a in "yx")
        return save_description_0_5(
            folder, [tensor(i, *(follow if n else axes)) for n, i in enumerate(ids)], [tensor("difference", *follow)]
        )

    @pytest.mark.parametrize("ids", [("x_1", "unused", "x_2"), ("unused", "x_2", "x_1"), ("x_2", "x_1", "unused")])
    def test_by_name(self, tmp_path: Path, ids: tuple[str, ...]) -> None:
        """The others are not given to it, wherever they are described; 5 - 3 is 2."""
        values = {"x_1": 5, "x_2": 3, "unused": 100}
        result = bc.predict(self.model(tmp_path, ids), {i: np.full((8, 8), values[i], np.float32) for i in ids})
        assert np.unique(result["difference"]).tolist() == [2]

    def test_names_that_tell_nothing(self, tmp_path: Path) -> None:
        """The next input is not fed in place of one that the graph lacks."""
        inputs = {i: np.ones((8, 8), np.float32) for i in "abc"}
        with pytest.raises(
            ModelRunError, match=r"takes 2 inputs \(x_1, x_2\), the description has 3 \(a, b, c\): expected the same number"
        ):
            bc.predict(self.model(tmp_path, ("a", "b", "c")), inputs)


class TestAdapter:
    """The adapter itself."""

    def test_protocol(self, tmp_path: Path) -> None:
        """Called from many threads at once, it gives each its own."""
        difference_graph(tmp_path / "weights.onnx")
        adapter = OnnxAdapter(context(tmp_path / "weights.onnx", inputs=("a", "b"), outputs=("c", "d")))
        assert isinstance(adapter, WeightsAdapter)

        def run(n: int) -> list[float]:
            outputs = adapter([np.full((1, 1, 64, 64), n, np.float32), np.full((1, 1, 64, 64), 1, np.float32)])
            return [float(v) for o in outputs for v in np.unique(o)]

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(run, range(50))) == [[n - 1, n + 1] for n in range(50)]
        adapter.close()

    def test_failure_in_one_line(self, tmp_path: Path) -> None:
        """Names what the graph takes and what it was given."""
        difference_graph(tmp_path / "weights.onnx")
        adapter = OnnxAdapter(context(tmp_path / "weights.onnx", inputs=("a", "b")))
        with pytest.raises(ModelRunError, match=r"takes x_1 .*failed on a float64 \(1, 1, 2, 2\), b float32 \(1, 1, 2, 2\)") as caught:
            adapter([np.zeros((1, 1, 2, 2)), np.zeros((1, 1, 2, 2), np.float32)])
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(("domain", "name"), [("elsewhere", "Add"), ("", "Nonsense")])
    def test_unknown_operator(self, tmp_path: Path, domain: str, name: str) -> None:
        """Named with its domain, and with what is expected."""
        graph = helper.make_graph(
            [helper.make_node(name, ["a", "a"], ["b"], domain=domain)],
            "made",
            *([helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, ["n"])] for n in "ab"),
        )
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("elsewhere", 1)]
        (tmp_path / "w.onnx").write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())
        with pytest.raises(
            ModelRunError, match=rf"cannot load w\.onnx: it lacks the operator {domain or 'ai.onnx'}:{name}: expected operators of ONNX"
        ):
            OnnxAdapter(context(tmp_path / "w.onnx"))

    def test_names_with_escapes(self, tmp_path: Path) -> None:
        """Names in the graph do not reach the terminal as they are."""
        names = ["\x1b[2Jevil", "more"]
        save_graph(tmp_path / "w.onnx", [helper.make_node("Add", names, ["b"])], dict.fromkeys(names, 4), {"b": 4})
        with pytest.raises(ModelRunError, match=r"takes 2 inputs \( \[2Jevil, more\)|takes 2 inputs \(\[2Jevil, more\)"):
            OnnxAdapter(context(tmp_path / "w.onnx"))

    def test_prints_nothing(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """ONNX Runtime does not print what it also raises, such as the sizes of a tensor that is too large."""
        large = onnx.TensorProto(name="c", data_type=onnx.TensorProto.FLOAT, dims=[2**62, 2**62])
        graph = helper.make_graph(
            [helper.make_node("Add", ["a", "c"], ["b"])],
            "made",
            *([helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, ["n"])] for n in "ab"),
            [large],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        (tmp_path / "w.onnx").write_bytes(model.SerializeToString())
        with pytest.raises(ModelRunError, match=r"cannot load w\.onnx"):
            OnnxAdapter(context(tmp_path / "w.onnx"))
        assert capfd.readouterr() == ("", "")

    def test_broken_file(self, tmp_path: Path) -> None:
        """One line that names the file."""
        (tmp_path / "weights.onnx").write_bytes(b"not a graph")
        with pytest.raises(ModelRunError, match=r"cannot load weights\.onnx") as caught:
            OnnxAdapter(context(tmp_path / "weights.onnx"))
        assert "\n" not in str(caught.value)

    def test_device_that_is_not_there(self, tmp_path: Path) -> None:
        """What there is instead."""
        difference_graph(tmp_path / "weights.onnx")
        with pytest.raises(InputError, match=r"'mps' is not usable .*CPUExecutionProvider"):
            OnnxAdapter(context(tmp_path / "weights.onnx", inputs=("a", "b"), device="mps"))


class TestExternalData:
    """Weights with tensors in a second file."""

    @pytest.fixture
    def model(self, tmp_path: Path) -> Path:
        """A mean filter whose kernel lies in weights.onnx.data."""
        folder = tmp_path / "model"
        folder.mkdir()
        box_model(folder, 16)
        graph = onnx.load(str(folder / "weights.onnx"))
        onnx.save_model(graph, str(folder / "weights.onnx"), save_as_external_data=True, location="weights.onnx.data", size_threshold=0)
        assert (folder / "weights.onnx.data").stat().st_size > 0
        self.describe(folder, {"source": "weights.onnx.data"})
        return folder

    def describe(self, folder: Path, external: dict[str, str] | None) -> None:
        """Write the entry of the second file."""
        path = folder / "bioimageio.yaml"
        tree = yaml.safe_load(path.read_text())
        tree["weights"]["onnx"] |= {"external_data": external} if external else {}
        path.write_text(yaml.safe_dump(tree))

    def check(self, source: Path) -> None:
        """Compare with the mean of an image of ones."""
        result = bc.predict(source, np.ones((20, 20), np.float32))
        np.testing.assert_allclose(np.asarray(result["out"]), 1, rtol=1e-6)

    def test_folder(self, model: Path) -> None:
        """Both lie in the folder."""
        self.check(model)

    def test_zip(self, model: Path, tmp_path: Path) -> None:
        """Both are unpacked, beside each other, deeper in the zip as well."""
        for inside in ("", "deep/er/"):
            path = tmp_path / f"{len(inside)}.zip"
            self.describe(model, {"source": f"{inside}weights.onnx.data"})
            text = (model / "bioimageio.yaml").read_text().replace("source: weights.onnx\n", f"source: {inside}weights.onnx\n")
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("bioimageio.yaml", text)
                for name in ("weights.onnx", "weights.onnx.data"):
                    archive.write(model / name, inside + name)
            self.check(path)

    def test_hash_of_the_second_file(self, model: Path) -> None:
        """Verified like that of the first."""
        self.describe(model, {"source": "weights.onnx.data", "sha256": "0" * 64})
        with pytest.raises(ValueError, match=r"weights\.onnx\.data .*expected sha256 0000"):
            self.check(model)

    def test_missing_second_file(self, model: Path) -> None:
        """Named, before anything is loaded."""
        (model / "weights.onnx.data").unlink()
        with pytest.raises(SourceError, match=r"'weights\.onnx\.data'"):
            self.check(model)

    def test_second_file_elsewhere(self, model: Path) -> None:
        """ONNX Runtime looks beside the graph only: both are put into one folder, which is removed in the end."""
        (model / "data").mkdir()
        (model / "weights.onnx.data").rename(model / "data" / "other.data")
        self.describe(model, {"source": "data/other.data"})
        self.check(model)
        context = self.context(model, external_data="data/other.data")
        adapter = OnnxAdapter(context)
        folder = adapter._scratch.folder()
        assert {*folder.iterdir()} == {folder / "graph.onnx", folder / "weights.onnx.data"}
        adapter.close()
        assert not folder.exists()

    def test_from_urls(self, model: Path) -> None:
        """The cache keeps files by their hashes, each in a folder of its own."""
        with closing(Served(model)) as served:
            path = model / "bioimageio.yaml"
            tree = yaml.safe_load(path.read_text())
            for entry in (tree["weights"]["onnx"], tree["weights"]["onnx"]["external_data"]):
                entry["source"] = f"{served.url}/{entry['source']}"
            path.write_text(yaml.safe_dump(tree))
            self.check(model)

    def test_linked_file(self, model: Path) -> None:
        """ONNX Runtime does not follow symbolic links, which some stores of files consist of."""
        (model / "weights.onnx.data").rename(model / "stored")
        (model / "weights.onnx.data").symlink_to(model / "stored")
        self.check(model)

    def test_attachment(self, model: Path) -> None:
        """Format 0.4 has no field of its own for the second file."""
        (model / "data").mkdir()
        (model / "weights.onnx.data").rename(model / "data" / "weights.onnx.data")
        adapter = OnnxAdapter(self.context(model, **{"attachments/weights.onnx.data": "data/weights.onnx.data"}))
        np.testing.assert_allclose(adapter([np.ones((1, 1, 9, 9), np.float32)])[0][0, 0, 4, 4], 1, rtol=1e-6)
        adapter.close()

    def test_not_described(self, model: Path) -> None:
        """It is taken where it lies beside the graph; where it does not, the description is to blame."""
        self.describe(model, None)
        OnnxAdapter(self.context(model)).close()
        (model / "weights.onnx.data").unlink()
        with pytest.raises(ModelRunError, match=r"'weights\.onnx\.data', which does not lie beside it: .*external_data"):
            OnnxAdapter(self.context(model))

    def test_truncated(self, model: Path) -> None:
        """In one line, which says how much there is."""
        (model / "weights.onnx.data").write_bytes(b"12")
        with pytest.raises(ModelRunError, match=r"cannot load weights\.onnx: .*out of bounds") as caught:
            OnnxAdapter(self.context(model))
        assert "\n" not in str(caught.value)

    def context(self, model: Path, **files: str) -> AdapterContext:
        """Return what an adapter is given, with further files."""
        return context(model / "weights.onnx", files={name: str(model / path) for name, path in files.items()})


class TestSession:
    """How sessions run."""

    def test_options(self, tmp_path: Path) -> None:
        """All optimisations, threads as asked for, and no plans of memory for each size."""
        difference_graph(tmp_path / "weights.onnx")
        adapter = OnnxAdapter(context(tmp_path / "weights.onnx", inputs=("a", "b"), threads=3))
        options = adapter.native.get_session_options()
        assert options.graph_optimization_level == ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        assert (options.intra_op_num_threads, options.inter_op_num_threads) == (3, 1)
        assert (options.enable_mem_pattern, options.enable_cpu_mem_arena) == (False, True)

    def test_optimised(self, tmp_path: Path) -> None:
        """With these options nodes are merged: a convolution takes in the activation behind it."""
        kernel = np.full((1, 1, 3, 3), 1 / 9, np.float32)
        nodes = [helper.make_node("Conv", ["raw", "kernel"], ["mean"]), helper.make_node("Relu", ["mean"], ["out"])]
        save_graph(tmp_path / "weights.onnx", nodes, {"raw": 4}, {"out": 4}, kernel=kernel)
        options = _session_options(ort, 1)
        options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
        ort.InferenceSession(str(tmp_path / "weights.onnx"), options, providers=["CPUExecutionProvider"])
        assert "Relu" not in {node.op_type for node in onnx.load(str(tmp_path / "optimised.onnx")).graph.node}
