"""Files of weights that descriptions are begun from, and others."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from made_models import box_graph, pointwise_model, resample_graph, save_graph
from networks_to_measure import of_onnx
from onnx import helper

import bioimageio_core as bc
from bioimageio_core.axis_names import parse_axes
from bioimageio_core.description_init.guess_axes import guess_input_axes, guess_output_axes
from bioimageio_core.description_init.network_graph import GraphTensor
from bioimageio_core.description_init.read_onnx import read_onnx
from bioimageio_core.description_init.recognise_format import EXPORTED, read_graph, recognise
from bioimageio_core.description_init.synthetic_images import blobs
from bioimageio_core.errors import AxesError, InputError, OutputError, SourceError, TrustError

torch: Any = pytest.importorskip("torch")
nn: Any = torch.nn


def tree_of(folder: Path) -> dict[str, object]:
    """Return a description as it is written."""
    tree: dict[str, object] = yaml.safe_load((folder / "bioimageio.yaml").read_text())
    return tree


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """An archive of `torch.export`."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Conv2d(2, 1, 3, padding=1)).eval()
    size = torch.export.Dim("size", min=2, max=4096)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(network, (torch.rand(1, 1, 32, 32),), dynamic_shapes=({2: size, 3: size},))
        torch.export.save(program, tmp_path / "net.pt2")
    return tmp_path / "net.pt2"


class TestRecognising:
    """Formats by content, then by name."""

    def test_by_content(self, tmp_path: Path, exported: Path) -> None:
        """Whatever the files are called."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.save(torch.jit.script(nn.Conv2d(1, 1, 3)), str(tmp_path / "script.bin"))
        assert recognise(tmp_path / "script.bin") == "torchscript"
        assert recognise(exported) == EXPORTED
        for members, weights_format in (
            (["config.json", "metadata.json", "model.weights.h5"], "keras_v3"),
            (["saved_model.pb", "variables/variables.index"], "tensorflow_saved_model_bundle"),
            (["model/saved_model.pb"], "tensorflow_saved_model_bundle"),
            (["model.json", "group1-shard1of1.bin"], "tensorflow_js"),
        ):
            with zipfile.ZipFile(tmp_path / "some.zip", "w") as opened:
                for member in members:
                    opened.writestr(member, "{}")
            assert recognise(tmp_path / "some.zip") == weights_format
        (tmp_path / "some").write_bytes(b"\x89HDF\r\n\x1a\nrest")
        assert recognise(tmp_path / "some") == "keras_hdf5"

    def test_parameters_alone(self, tmp_path: Path) -> None:
        """Say what is needed beside them."""
        torch.save(nn.Conv2d(1, 1, 3).state_dict(), tmp_path / "state.pt")
        with pytest.raises(InputError, match="a state dict needs its architecture"):
            recognise(tmp_path / "state.pt")
        torch.save({}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
        with pytest.raises(InputError, match="a state dict needs its architecture"):
            recognise(tmp_path / "old.pth")

    def test_others(self, tmp_path: Path) -> None:
        """Are refused, in a sentence each."""
        (tmp_path / "image.npy").write_bytes(b"\x93NUMPY")
        (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04")
        (tmp_path / "not.keras").write_bytes(b"something")
        for name in ("image.npy", "cut.zip", "not.keras"):
            with pytest.raises(InputError, match=name):
                recognise(tmp_path / name)
        with pytest.raises(InputError, match="is a folder"):
            recognise(tmp_path)
        with pytest.raises(SourceError):
            recognise(tmp_path / "nothing.onnx")

    def test_keras_names_its_inputs(self, tmp_path: Path) -> None:
        """In the JSON of the archive."""
        layers = [{"class_name": "InputLayer", "config": {"name": "image", "batch_shape": [None, 64, 64, 1], "dtype": "float32"}}]
        with zipfile.ZipFile(tmp_path / "net.keras", "w") as opened:
            opened.writestr("metadata.json", json.dumps({"keras_version": "3.15.0"}))
            opened.writestr("config.json", json.dumps({"class_name": "Functional", "config": {"layers": layers}}))
        graph = read_graph(tmp_path / "net.keras", "keras_v3")
        assert graph.inputs == (GraphTensor(name="image", dtype="float32", shape=(None, 64, 64, 1)),)
        assert graph.fields["keras_version"] == "3.15.0"


class TestOnnxGraphs:
    """Read without any package."""

    def test_like_the_package_of_onnx(self, tmp_path: Path) -> None:
        """Names, types, shapes and opset."""
        box_graph(tmp_path / "box.onnx")
        save_graph(tmp_path / "named.onnx", [helper.make_node("Identity", ["in"], ["out"])], {"in": (1, "c", 8)}, {"out": (1, "c", 8)})
        for file in ("box.onnx", "named.onnx"):
            proto, graph = onnx.load(tmp_path / file), read_onnx(tmp_path / file)
            assert [t.name for t in (*graph.inputs, *graph.outputs)] == [t.name for t in (*proto.graph.input, *proto.graph.output)]
            dims = [d.dim_value or d.dim_param for d in proto.graph.input[0].type.tensor_type.shape.dim]
            assert list(graph.inputs[0].shape or ()) == dims
            assert graph.fields["opset_version"] == proto.opset_import[0].version

    def test_broken_files(self, tmp_path: Path) -> None:
        """Cut off anywhere, or something else: one error."""
        box_graph(tmp_path / "box.onnx")
        whole = (tmp_path / "box.onnx").read_bytes()
        for size in range(0, len(whole) - 8, 7):
            (tmp_path / "cut.onnx").write_bytes(whole[:size])
            with pytest.raises(InputError, match=r"cut\.onnx"):
                read_onnx(tmp_path / "cut.onnx")
        (tmp_path / "text.onnx").write_text("this is no network\n" * 20)
        with pytest.raises(InputError, match=r"text\.onnx"):
            read_onnx(tmp_path / "text.onnx")


class TestAxes:
    """Guesses."""

    @pytest.mark.parametrize(
        ("shape", "axes"),
        [
            ((1, 1, 512, 512), "bcyx"),
            ((None, 3, None, None), "bcyx"),
            ((1, 512, 512, 1), "byxc"),
            ((None, None, None, 3), "byxc"),
            (("batch", "height", "width", "channels"), "byxc"),
            (("n", "c", "h", "w"), "bcyx"),
            ((1, 1, 32, 64, 64), "bczyx"),
            ((None, 64, 64, 64, 2), "bzyxc"),
            ((1, 2, 1000), "bcx"),
            ((100, 100), "yx"),
        ],
    )
    def test_of_inputs(self, shape: tuple[int | str | None, ...], axes: str) -> None:
        """From names and sizes."""
        assert guess_input_axes(GraphTensor(name="in", shape=shape), len(shape)) == parse_axes(axes)

    def test_of_outputs(self) -> None:
        """From those of the input."""
        like = parse_axes("bcyx")
        assert guess_output_axes((1, 2, 8, 8), [like]) == like
        assert guess_output_axes((1, 8, 8), [like]) == parse_axes("byx")
        assert guess_output_axes((1, 1, 1, 8, 8), [like]) == parse_axes("bczyx")
        assert guess_output_axes((1, 10), [like]) == parse_axes("bc")


class TestDrafting:
    """Folders."""

    def test_valid_convolution_with_names(self, tmp_path: Path) -> None:
        """Size, offset and id as the graph has them; it predicts in blocks what it predicts as a whole."""
        box_graph(tmp_path / "box.onnx", size=5, padded=False)
        drafted = bc.init_description(tmp_path / "box.onnx", tmp_path / "model", name="A box")
        tree = tree_of(tmp_path / "model")
        assert (tree["name"], drafted.report.status, drafted.weights_format) == ("A box", "valid", "onnx")
        (given,), (returned,) = tree["inputs"], tree["outputs"]  # type: ignore[misc]
        assert given["axes"][2] == {"type": "space", "id": "y", "size": {"min": 5, "step": 1}}
        assert returned["axes"][2] == {"type": "space", "id": "y", "size": {"tensor_id": "raw", "axis_id": "y", "offset": -4}}
        assert bc.test_model(tmp_path / "model").status == "passed"
        assert bc.verify(tmp_path / "model", block={"y": 48, "x": 48}).equal

    def test_channels_last(self, tmp_path: Path) -> None:
        """As frameworks of the TensorFlow family have them."""
        transposed = [helper.make_node("Transpose", ["image"], ["first"], perm=[0, 3, 1, 2]), helper.make_node("Relu", ["first"], ["out"])]
        nodes = [*transposed, helper.make_node("Transpose", ["out"], ["result"], perm=[0, 2, 3, 1])]
        save_graph(tmp_path / "last.onnx", nodes, {"image": ("b", "y", "x", 3)}, {"result": ("b", "y", "x", 3)})
        bc.init_description(tmp_path / "last.onnx", tmp_path / "model")
        (given,) = tree_of(tmp_path / "model")["inputs"]  # type: ignore[misc]
        assert [a["type"] for a in given["axes"]] == ["batch", "space", "space", "channel"]
        assert given["axes"][3]["channel_names"] == ["channel0", "channel1", "channel2"]
        assert given["axes"][1]["concatenable"] is True  # every pixel for itself
        assert bc.test_model(tmp_path / "model").status == "passed"

    def test_axes_and_size_that_are_given(self, tmp_path: Path) -> None:
        """Take the place of guesses."""
        resample_graph(tmp_path / "half.onnx", down=2)
        bc.init_description(tmp_path / "half.onnx", tmp_path / "model", axes={"raw": "bcyx"}, size={"y": 32, "x": 48})
        (returned,) = tree_of(tmp_path / "model")["outputs"]  # type: ignore[misc]
        assert returned["axes"][2]["scale"] == 2.0
        with pytest.raises(AxesError, match="has 4 axes"):
            bc.init_description(tmp_path / "half.onnx", tmp_path / "other", axes="byx")
        with pytest.raises(AxesError, match="which the network lacks"):
            bc.init_description(tmp_path / "half.onnx", tmp_path / "other", axes={"image": "bcyx"})

    def test_exported_program(self, tmp_path: Path, exported: Path) -> None:
        """Becomes TorchScript, which is said; it wants trust, since PyTorch evaluates Python in it."""
        with pytest.raises(TrustError, match=r"net\.pt2, an archive of torch\.export, is code .*trust=True"):
            bc.init_description(exported, tmp_path / "model")
        assert not (tmp_path / "model").exists()
        drafted = bc.init_description(exported, tmp_path / "model", trust=True)
        assert drafted.weights_format == "torchscript"
        assert any("torch.export" in note for note in drafted.notes)
        assert bc.test_model(tmp_path / "model").status == "passed"

    def test_external_data(self, tmp_path: Path) -> None:
        """Comes along, with its hash; without it nothing is written."""
        box_graph(tmp_path / "box.onnx")
        proto = onnx.load(tmp_path / "box.onnx")
        (tmp_path / "apart").mkdir()
        onnx.save_model(proto, tmp_path / "apart" / "net.onnx", save_as_external_data=True, location="net.data", size_threshold=0)
        bc.init_description(tmp_path / "apart" / "net.onnx", tmp_path / "model")
        assert tree_of(tmp_path / "model")["weights"]["onnx"]["external_data"]["source"] == "net.data"  # type: ignore[index]
        assert bc.test_model(tmp_path / "model").status == "passed"
        (tmp_path / "apart" / "net.data").unlink()
        with pytest.raises(SourceError, match=r"net\.data"):
            bc.init_description(tmp_path / "apart" / "net.onnx", tmp_path / "other")
        assert not (tmp_path / "other").exists()

    def test_nothing_is_left_of_what_fails(self, tmp_path: Path) -> None:
        """Neither a folder nor a part of it; and what is there stays."""
        save_graph(
            tmp_path / "broken.onnx", [helper.make_node("Reshape", ["raw", "to"], ["out"])], {"raw": 4}, {"out": 1}, to=np.array([7])
        )
        with pytest.raises(InputError, match="accepts none of the images that were tried"):
            bc.init_description(tmp_path / "broken.onnx", tmp_path / "model")
        assert [p.name for p in tmp_path.iterdir()] == ["broken.onnx"]
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "mine.txt").touch()
        with pytest.raises(OutputError):
            bc.init_description(tmp_path / "broken.onnx", tmp_path / "model", overwrite=True)

    def test_same_file_same_folder(self, tmp_path: Path) -> None:
        """All that is made up has fixed seeds."""
        box_graph(tmp_path / "box.onnx")
        for name in ("one", "two"):
            bc.init_description(tmp_path / "box.onnx", tmp_path / name, name="mean filter")
        for file in ("bioimageio.yaml", "test_input.npy", "test_output.npy", "cover.png", "documentation.md"):
            assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()

    def test_names(self, tmp_path: Path) -> None:
        """Are refused before anything is measured; folders whose names are none give one."""
        box_graph(tmp_path / "box.onnx")
        with pytest.raises(InputError, match="not a name for a model"):
            bc.init_description(tmp_path / "box.onnx", tmp_path / "model", name="a/b")
        bc.init_description(tmp_path / "box.onnx", tmp_path / "b.x")
        assert tree_of(tmp_path / "b.x")["name"] == "model b_x"

    def test_images_are_of_every_dtype(self) -> None:
        """Within what it holds."""
        for dtype in ("float32", "float16", "uint8", "int8", "uint16", "bool"):
            image = blobs((1, 2, 40, 50), ("batch", "channel", "y", "x"), dtype)
            assert (image.shape, str(image.dtype)) == ((1, 2, 40, 50), dtype)
            assert float(image.max()) > float(image.min())


class TestCommand:
    """``bmz init`` and ``bmz info --measure`` in processes of their own."""

    @staticmethod
    def bmz(*args: object) -> subprocess.CompletedProcess[str]:
        """Run."""
        return subprocess.run([sys.executable, "-m", "bioimageio_core.cli", *map(str, args)], capture_output=True, text=True, check=False)

    def test_what_is_printed(self, tmp_path: Path) -> None:
        """The folder, guesses, and what to fill in."""
        box_graph(tmp_path / "box.onnx")
        ran = self.bmz("init", tmp_path / "box.onnx", "-o", tmp_path / "model")
        assert ran.returncode == 0, ran.stderr
        assert "valid, started from onnx weights" in ran.stdout
        assert "guessed\n  the axes of input 'raw' are batch, channel, y, x" in ran.stdout
        assert "license" in ran.stdout
        assert bc.card(tmp_path / "model").measured is not None  # type: ignore[attr-defined]
        again = self.bmz("init", tmp_path / "box.onnx", "-o", tmp_path / "model")
        assert again.returncode == 2
        assert again.stderr.count("\n") == 1

    def test_sizes_that_fail_are_not_told(self, tmp_path: Path) -> None:
        """What the framework says of sizes that were only tried is not for the user."""
        box_graph(tmp_path / "box.onnx", size=5, padded=False)
        ran = self.bmz("init", tmp_path / "box.onnx", "-o", tmp_path / "model", "--json")
        assert (ran.returncode, ran.stderr) == (0, "")
        assert json.loads(ran.stdout)["measured"]["axes"][0]["size"] == {"min": 5, "step": 1}

    def test_measured_halo_is_remembered(self, tmp_path: Path) -> None:
        """A card of a model whose halo is missing warns after measuring, and not before; what is too small has a remedy that works."""
        box_model_without_halo(tmp_path)
        before = self.bmz("info", tmp_path)
        assert "have not been measured" in before.stdout
        measured = self.bmz("info", tmp_path, "--measure")
        assert measured.returncode == 0, measured.stderr
        assert "is 1, but the network reaches 4 pixels" in " ".join(measured.stdout.split())
        after = self.bmz("info", tmp_path, "--json")
        said = json.loads(after.stdout)
        assert [(s["axis"], s["described"], s["measured"]) for s in said["shortfalls"]] == [("y", 1, 4), ("x", 1, 4)]
        assert said["measured"]["adapter"] == "onnxruntime"
        page = self.bmz("info", tmp_path, "--html", tmp_path / "card.html")
        assert page.returncode == 0
        assert "--halo y=4" in (tmp_path / "card.html").read_text()
        assert bc.card(tmp_path).shortfalls  # type: ignore[attr-defined]

    def test_nothing_to_warn_of(self, tmp_path: Path) -> None:
        """Of a network of pixels on their own."""
        pointwise_model(tmp_path)
        assert bc.analyse_network(tmp_path).calls > 0
        card = bc.card(tmp_path)
        assert card.measured is not None  # type: ignore[attr-defined]
        assert card.shortfalls == ()  # type: ignore[attr-defined]


def box_model_without_halo(folder: Path) -> None:
    """Write a mean over 7 x 7 pixels, after pooling by 2 and enlarging by 2, whose description says that a halo of 1 is enough.

    The mean reaches 3 pixels beyond a block, of a pair of which 4 pixels away is the other half.
    """
    from made_models import BATCH, channels, follows, save_description_0_5, space, tensor

    torch.manual_seed(0)
    network = nn.Sequential(nn.AvgPool2d(2), nn.Upsample(scale_factor=2), nn.AvgPool2d(7, stride=1, padding=3))
    of_onnx(network, torch.zeros(1, 1, 32, 32), folder / "weights.onnx")
    axes = [BATCH, channels()]
    save_description_0_5(
        folder,
        [tensor("raw", *axes, *(space(a, {"min": 32, "step": 2}) for a in "yx"))],
        [tensor("out", *axes, *(space(a, follows(a), halo=1) for a in "yx"))],
    )
