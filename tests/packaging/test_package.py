"""Packages: every file that a description names, beside it, under a name of its own."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from bmz_process import run_process
from made_models import box_model, pointwise_model_0_4, with_test_tensors

import bioimageio_core as bc
from bioimageio_core.errors import HashMismatchError, InputError, InvalidDescriptionError, OutputError, SourceError


def sha256(content: bytes) -> str:
    """Return the hash of bytes."""
    return hashlib.sha256(content).hexdigest()


def edit(path: Path, **changes: Any) -> dict[str, Any]:
    """Change top-level keys of a description, and return it."""
    tree: dict[str, Any] = yaml.safe_load(path.read_text()) | changes
    path.write_text(yaml.safe_dump(tree, sort_keys=False))
    return tree


def files_of(path: Path) -> dict[str, bytes]:
    """Return the files of a package."""
    if path.is_dir():
        return {p.relative_to(path).as_posix(): p.read_bytes() for p in path.rglob("*") if p.is_file()}
    with zipfile.ZipFile(path) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A mean filter of format 0.5 that names files of every kind, several of them with the same name in other folders."""
    folder = tmp_path / "model"
    folder.mkdir()
    box_model(folder, 16)
    rng = np.random.default_rng(0)
    x = rng.random((1, 1, 16, 16), dtype=np.float32)
    padded = np.pad(x[0, 0].astype(np.float64), 1)
    y = sum(padded[i : i + 16, j : j + 16] for i in range(3) for j in range(3)) / 9
    with_test_tensors(folder, {"raw": x}, {"out": np.asarray(y, np.float32)[None, None]})
    for name in ("a", "b", "c"):
        (folder / name).mkdir()
        (folder / name / "File.png").write_bytes(name.encode())
    (folder / "b" / "file.png").write_bytes(b"lower case")
    (folder / "state.pt").write_bytes(b"parameters")
    (folder / "a" / "net.py").write_text("class Net: ...\n")
    (folder / "environment.yaml").write_text("name: x\n")
    (folder / "LICENSE.txt").write_text("do what you want\n")
    state = {
        "source": "./state.pt",
        "pytorch_version": "2.1",
        "architecture": {"source": "a/net.py", "callable": "Net", "sha256": sha256(b"class Net: ...\n")},
        "dependencies": {"source": "environment.yaml"},
    }
    onnx_ = {"source": "weights.onnx", "opset_version": 17, "parent": "pytorch_state_dict"}
    edit(
        folder / "bioimageio.yaml",
        documentation={"source": "README.md"},
        covers=[{"source": "a/File.png"}, {"source": "b/file.png"}],
        icon={"source": "c/File.png"},
        license={"source": "LICENSE.txt"},
        attachments=[{"source": "c/../a/File.png"}, {"source": "weights.onnx"}],
        weights={"pytorch_state_dict": state, "onnx": onnx_},
    )
    return folder


@pytest.fixture
def model_0_4(tmp_path: Path) -> Path:
    """A model of format 0.4, where most files are plain text in the description."""
    folder = tmp_path / "old"
    folder.mkdir()
    pointwise_model_0_4(folder, gain=2)
    x = np.random.default_rng(0).random((1, 1, 8, 8), dtype=np.float32)
    (folder / "deep").mkdir()
    np.save(folder / "raw.npy", x)
    np.save(folder / "deep" / "raw.npy", x * 2)
    (folder / "net.py").write_text("class Net: ...\n")
    (folder / "state.pt").write_bytes(b"parameters")
    (folder / "environment.yaml").write_text("name: x\n")
    (folder / "notes.txt").write_text("notes")
    (folder / "cover.png").write_bytes(b"cover")
    tree = yaml.safe_load((folder / "rdf.yaml").read_text())
    state = {
        "source": "state.pt",
        "architecture": "net.py:Net",
        "architecture_sha256": sha256(b"class Net: ...\n"),
        "dependencies": "conda:environment.yaml",
        "pytorch_version": "2.1",
    }
    edit(
        folder / "rdf.yaml",
        test_outputs=["deep/raw.npy"],
        sample_inputs=["raw.npy"],
        covers=["cover.png"],
        icon="🔬",
        rdf_source="elsewhere.yaml",
        attachments={"files": ["notes.txt"], "note": "kept"},
        weights={"pytorch_state_dict": state, **tree["weights"]},
    )
    return folder


class TestFiles:
    """What goes into a package."""

    def test_format_0_5(self, model: Path, tmp_path: Path) -> None:
        """All files, flat but for code; equal names are told apart, the same file comes once; hashes are those of the files."""
        found = files_of(bc.save_package(model, tmp_path / "out.zip"))
        assert list(found)[-1] == "bioimageio.yaml"
        tree = yaml.safe_load(found.pop("bioimageio.yaml"))
        assert set(found) == {
            "File.png", "File_2.png", "file_3.png", "README.md", "LICENSE.txt", "raw.npy", "out.npy",
            "state.pt", "a/net.py", "environment.yaml", "weights.onnx",
        }  # fmt: skip
        described = [
            tree["documentation"], *tree["covers"], tree["icon"], tree["license"], *tree["attachments"], tree["inputs"][0]["test_tensor"],
            tree["outputs"][0]["test_tensor"], *tree["weights"].values(), tree["weights"]["pytorch_state_dict"]["architecture"],
            tree["weights"]["pytorch_state_dict"]["dependencies"],
        ]  # fmt: skip
        assert {d["source"] for d in described} == set(found)
        assert all(d["sha256"] == sha256(found[d["source"]]) for d in described)
        assert tree["attachments"][0]["source"] == tree["covers"][0]["source"]
        contents = [found[d["source"]] for d in (*tree["covers"], tree["icon"])]
        assert contents == [b"a", b"lower case", b"c"]

    def test_format_0_4(self, model_0_4: Path, tmp_path: Path) -> None:
        """Plain files are renamed in place, within texts such as ``conda:environment.yaml`` as well; only weights get hashes."""
        out = bc.save_package(model_0_4, tmp_path / "out")
        found = files_of(out)
        tree = yaml.safe_load(found.pop("rdf.yaml"))
        assert set(found) == {
            "raw.npy", "raw_2.npy", "README.md", "cover.png", "notes.txt", "net.py", "state.pt", "environment.yaml", "weights.onnx"
        }  # fmt: skip
        assert (tree["test_inputs"], tree["test_outputs"], tree["sample_inputs"]) == (["raw.npy"], ["raw_2.npy"], ["raw.npy"])
        assert tree["attachments"] == {"files": ["notes.txt"], "note": "kept"}
        assert tree["icon"] == "🔬"
        assert "rdf_source" not in tree
        state = tree["weights"]["pytorch_state_dict"]
        assert (state["architecture"], state["dependencies"]) == ("net.py:Net", "conda:environment.yaml")
        assert state["architecture_sha256"] == sha256(found["net.py"])
        assert state["sha256"] == sha256(b"parameters")
        assert list(tree["weights"]["onnx"])[:2] == ["source", "sha256"]
        assert bc.test_model(out, weights_format="onnx").status == "passed"

    @pytest.mark.parametrize("name", ["out.zip", "out"])
    def test_stands_alone(self, model: Path, tmp_path: Path, name: str) -> None:
        """It is valid and reproduces its test tensors when the model it came from is gone."""
        out = bc.save_package(model, tmp_path / name)
        shutil.rmtree(model)
        assert bc.validate(out).status == "valid"
        assert bc.test_model(out, weights_format="onnx").status == "passed"

    def test_of_a_package(self, model: Path, tmp_path: Path) -> None:
        """Packaging a package again changes nothing."""
        first = bc.save_package(model, tmp_path / "first.zip")
        assert bc.save_package(first, tmp_path / "second.zip").read_bytes() == first.read_bytes()
        assert files_of(bc.save_package(first, tmp_path / "third")) == files_of(first)

    def test_description(self, model: Path, tmp_path: Path) -> None:
        """A description in memory has no folder; its files need absolute paths."""
        tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
        tree["weights"] = {"onnx": {"source": str(model / "weights.onnx"), "opset_version": 17}}
        for key in ("documentation", "covers", "icon", "license", "attachments"):
            tree.pop(key)
        for tensor in (*tree["inputs"], *tree["outputs"]):
            tensor.pop("test_tensor")
        out = bc.save_package(bc.load_description(tree), tmp_path / "out.zip")
        assert set(files_of(out)) == {"weights.onnx", "bioimageio.yaml"}

    def test_external_data_keep_their_name(self, tmp_path: Path) -> None:
        """The ONNX file refers to them by it, so others give way."""
        folder = tmp_path / "model"
        folder.mkdir()
        box_model(folder, 16)
        onnx.save(
            onnx.load(folder / "weights.onnx"), folder / "weights.onnx", save_as_external_data=True, location="w.data", size_threshold=0
        )
        (folder / "a").mkdir()
        (folder / "a" / "w.data").write_bytes(b"other")
        weights = {"onnx": {"source": "weights.onnx", "opset_version": 17, "external_data": {"source": "w.data"}}}
        edit(folder / "bioimageio.yaml", attachments=[{"source": "a/w.data"}], weights=weights)
        out = bc.save_package(folder, tmp_path / "out")
        assert (out / "w_2.data").read_bytes() == b"other"
        image = np.ones((20, 20), np.float32)
        np.testing.assert_array_equal(bc.predict(out, image)["out"], bc.predict(folder, image)["out"])

    def test_data_that_nothing_names(self, tmp_path: Path) -> None:
        """Exporters write them beside the graph; the model runs where it is, and its package would not."""
        box_model(tmp_path, 16)
        graph = onnx.load(tmp_path / "weights.onnx")
        onnx.save(graph, tmp_path / "weights.onnx", save_as_external_data=True, location="weights.onnx.data", size_threshold=0)
        assert np.asarray(bc.predict(tmp_path, np.ones((20, 20), np.float32))["out"]).shape == (1, 1, 20, 20)
        with pytest.raises(InvalidDescriptionError, match=r"keeps tensors in 'weights\.onnx\.data', .* lack it\. Name it as external_data"):
            bc.save_package(tmp_path, tmp_path / "out.zip")
        assert not (tmp_path / "out.zip").exists()
        checked = run_process("validate", tmp_path, "--check-files", "--json")
        (issue,) = [i for i in checked.json[0]["issues"] if "weights.onnx.data" in i["message"]]
        assert (issue["severity"], issue["path"], checked.status) == ("error", "weights.onnx.source", 1)
        data = {"source": "weights.onnx.data"}
        edit(tmp_path / "bioimageio.yaml", weights={"onnx": {"source": "weights.onnx", "opset_version": 17, "external_data": data}})
        assert "weights.onnx.data" in files_of(bc.save_package(tmp_path, tmp_path / "out.zip"))

    def test_code_keeps_its_place(self, tmp_path: Path) -> None:
        """Code of the model finds attached files by their paths; others lie beside the description."""
        folder = tmp_path / "model"
        (folder / "code" / "parts").mkdir(parents=True)
        box_model(folder, 16)
        for name in ("code/net.py", "code/parts/block.py", "block.py", "w.pt"):
            (folder / name).write_text(f"# {name}\n")
        architecture = {"source": "code/net.py", "callable": "Net", "sha256": sha256(b"# code/net.py\n")}
        weights = {"pytorch_state_dict": {"source": "w.pt", "pytorch_version": "2.5", "architecture": architecture}}
        edit(folder / "bioimageio.yaml", weights=weights, attachments=[{"source": "./code/parts/block.py"}, {"source": "block.py"}])
        for out in (bc.save_package(folder, tmp_path / "out"), bc.save_package(folder, tmp_path / "out.zip")):
            assert {"code/net.py", "code/parts/block.py", "block.py", "w.pt", "README.md"} < {*files_of(out)}
            assert bc.validate(out, check_files=True).status == "valid"

    def test_deterministic(self, model: Path, tmp_path: Path) -> None:
        """The same bytes, whatever the dates and the folder."""
        first = bc.save_package(model, tmp_path / "first.zip").read_bytes()
        other = tmp_path / "other"
        shutil.copytree(model, other, copy_function=shutil.copyfile)
        assert bc.save_package(other, tmp_path / "second.zip").read_bytes() == first

    def test_real_models(self, shared: Path, tmp_path: Path) -> None:
        """Published models of both formats pass their test as they did before."""
        for name in ("unet2d_nuclei_broad/bioimageio.yaml", "upsample_test_model/v0_4.bioimageio.yaml"):
            out = bc.save_package(shared / "models" / name, tmp_path / f"{Path(name).parent}.zip", weights_formats=["onnx"])
            assert bc.test_model(out).status == "passed"


class TestWeights:
    """A choice of weights formats."""

    def test_parent_goes(self, model: Path, tmp_path: Path) -> None:
        """With its files, and is named no more."""
        out = bc.save_package(model, tmp_path / "out", weights_formats=["onnx"])
        tree = yaml.safe_load((out / "bioimageio.yaml").read_text())
        assert set(tree["weights"]) == {"onnx"}
        assert "parent" not in tree["weights"]["onnx"]
        assert not {"state.pt", "net.py", "environment.yaml"} & set(files_of(out))

    def test_parent_stays(self, model: Path, tmp_path: Path) -> None:
        """In the order of the description."""
        out = bc.save_package(model, tmp_path / "out", weights_formats=["onnx", "pytorch_state_dict"])
        tree = yaml.safe_load((out / "bioimageio.yaml").read_text())
        assert list(tree["weights"]) == ["pytorch_state_dict", "onnx"]
        assert tree["weights"]["onnx"]["parent"] == "pytorch_state_dict"

    def test_unknown(self, model: Path, tmp_path: Path) -> None:
        """Those that there are, are told."""
        with pytest.raises(InputError, match=r"no weights in the format torchscript: expected some of pytorch_state_dict, onnx"):
            bc.save_package(model, tmp_path / "out", weights_formats=["onnx", "torchscript"])


class TestFailures:
    """One clear error, and nothing that looks like a package."""

    def check_nothing_left(self, tmp_path: Path, *, besides: str) -> None:
        assert [p.name for p in tmp_path.iterdir()] == [besides]

    @pytest.mark.parametrize("name", ["out.zip", "out"])
    def test_missing_file(self, model: Path, tmp_path: Path, name: str) -> None:
        """The file is named."""
        (model / "c" / "File.png").unlink()
        with pytest.raises(SourceError, match=r"c/File\.png"):
            bc.save_package(model, tmp_path / name)
        self.check_nothing_left(tmp_path, besides="model")

    @pytest.mark.parametrize("name", ["out.zip", "out"])
    def test_wrong_hash(self, model: Path, tmp_path: Path, name: str) -> None:
        """The file is named, expected and found."""
        (model / "a" / "net.py").write_text("class Other: ...\n")
        with pytest.raises(HashMismatchError, match=r"a/net\.py .*expected sha256"):
            bc.save_package(model, tmp_path / name)
        self.check_nothing_left(tmp_path, besides="model")

    def test_invalid(self, model: Path, tmp_path: Path) -> None:
        """As anywhere."""
        edit(model / "bioimageio.yaml", inputs=[])
        with pytest.raises(InvalidDescriptionError):
            bc.save_package(model, tmp_path / "out")
        self.check_nothing_left(tmp_path, besides="model")

    @pytest.mark.parametrize("name", ["out.zip", "out"])
    def test_no_space(self, model: Path, tmp_path: Path, name: str) -> None:
        """One line, and what was written is removed; a package that was there stays."""
        pytest.importorskip("resource")
        (model / "a" / "File.png").write_bytes(np.random.default_rng(0).bytes(300_000))
        limited = (
            "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\nfrom bioimageio_core.cli import main; main()"
        )
        line = run_process("package", model, "-o", tmp_path / name, code=limited).error(2)
        assert f"{name} cannot be written" in line
        self.check_nothing_left(tmp_path, besides="model")

    @pytest.mark.parametrize("name", ["out.zip", "out"])
    def test_exists(self, model: Path, tmp_path: Path, name: str) -> None:
        """It stays, unless it is to be replaced."""
        out = bc.save_package(model, tmp_path / name)
        before = files_of(out)
        edit(model / "bioimageio.yaml", description="other")
        with pytest.raises(OutputError, match=r"exists already.*overwrite=True"):
            bc.save_package(model, out)
        assert files_of(out) == before
        bc.save_package(model, out, overwrite=True)
        assert bc.load_description(out).description == "other"
        assert sorted(p.name for p in tmp_path.iterdir()) == ["model", name]

    def test_never_replaces_other_things(self, model: Path, tmp_path: Path) -> None:
        """A folder without a description, the model itself, what holds the model, and names of other kinds."""
        other = tmp_path / "other"
        other.mkdir()
        (other / "thesis.tex").write_text("important")
        for path, error in ((other, OutputError), (model, OutputError), (tmp_path, OutputError), (tmp_path / "x.yaml", InputError)):
            with pytest.raises(error):
                bc.save_package(model, path, overwrite=True)
        out = bc.save_package(model, tmp_path / "out.zip")
        with pytest.raises(OutputError, match="would overwrite"):
            bc.save_package(out, out, overwrite=True)
        assert (other / "thesis.tex").read_text() == "important"
        assert bc.validate(model).status == bc.validate(out).status == "valid"
