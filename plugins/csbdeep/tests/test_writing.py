"""Models as exports: what both systems can say comes back, what they cannot is told."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

import bioimageio_core as bc
from bioimageio_core.errors import InputError, UnknownExtensionError


@pytest.fixture
def restored(exports: Path, tmp_path: Path) -> Path:
    """A model of CSBDeep, read from its export."""
    return bc.import_model(exports / "care_prob.zip", tmp_path / "restored").folder


def changed(model: Path, change: Any) -> Path:
    """Change a description in place."""
    path = model / "bioimageio.yaml"
    tree = yaml.safe_load(path.read_text())
    change(tree)
    path.write_text(yaml.safe_dump(tree, sort_keys=False))
    return model


def content(path: Path) -> dict[str, bytes]:
    """Return the files of a zip."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


class TestRoundTrips:
    """Read, written, read again."""

    @pytest.mark.parametrize("name", ["care_plain.zip", "care_prob.zip"])
    def test_nothing_is_lost(self, exports: Path, tmp_path: Path, name: str) -> None:
        """All files are the same, byte by byte, and so is all of ``meta.json``; the description is, too."""
        first = bc.import_model(exports / name, tmp_path / "first")
        written = bc.export_model(first.folder, "csbdeep", tmp_path / name)
        assert content(written.path).keys() == content(exports / name).keys()
        for file, wanted in content(exports / name).items():
            found = content(written.path)[file]
            assert (
                (json.loads(found), [*json.loads(found)]) == (json.loads(wanted), [*json.loads(wanted)])
                if file == "meta.json"
                else found == wanted
            )
        again = bc.import_model(written.path, tmp_path / "again")
        assert yaml.safe_load((again.folder / "bioimageio.yaml").read_text()) == yaml.safe_load(
            (first.folder / "bioimageio.yaml").read_text()
        )

    def test_stardist(self, exports: Path, tmp_path: Path) -> None:
        """The same without ``meta.json``, which StarDist has none of."""
        first = bc.import_model(exports / "sd2d.zip", tmp_path / "first")
        written = bc.export_model(first.folder, "stardist", tmp_path / "sd2d.zip")
        assert content(written.path) == content(exports / "sd2d.zip")
        again = bc.import_model(written.path, tmp_path / "again")
        assert (again.folder / "bioimageio.yaml").read_text() == (first.folder / "bioimageio.yaml").read_text()

    def test_keys_of_later_versions(self, exports: Path, tmp_path: Path) -> None:
        """What is not known stays in ``meta.json``; what a description says, it says."""
        files = content(exports / "care_plain.zip")
        meta = {**json.loads(files["meta.json"]), "type": "UpsamplingCARE", "scale": 2}
        with zipfile.ZipFile(tmp_path / "later.zip", "w") as archive:
            for name, data in files.items():
                archive.writestr(name, json.dumps(meta) if name == "meta.json" else data)
        model = bc.import_model(tmp_path / "later.zip", tmp_path / "model").folder

        def more(tree: dict[str, Any]) -> None:
            tree["inputs"][0]["axes"][1]["size"] = {"min": 64, "step": 16}

        written = bc.export_model(changed(model, more), "csbdeep", tmp_path / "written.zip")
        assert json.loads(content(written.path)["meta.json"]) == {**meta, "axes_div_by": [16, 4, 1]}


class TestLost:
    """What the other side cannot say."""

    def test_listed(self, restored: Path, tmp_path: Path) -> None:
        """In sentences."""

        def more(tree: dict[str, Any]) -> None:
            tree["authors"] = [{"name": "A Tester"}]
            tree["inputs"][0]["axes"][1]["size"]["min"] = 128

        lost = bc.export_model(changed(restored, more), "csbdeep", tmp_path / "model.zip").lost
        assert lost == (
            "not stored: authors, cite, tags",
            "the percentiles 2 and 99.8 of the normalisation are lost: set them in Fiji",
            "the least size along y is lost: CSBDeep takes any multiple of axes_div_by",
        )

    def test_thresholds(self, trained: Path, tmp_path: Path) -> None:
        """StarDist's plugin asks for them."""
        model = bc.import_model(trained, tmp_path / "model").folder
        assert "the thresholds of probability and overlap are lost: set them in the plugin" in (
            bc.export_model(model, "stardist", tmp_path / "model.zip").lost
        )


def fixed(tree: dict[str, Any]) -> None:
    tree["inputs"][0]["axes"][1]["size"] = 128


def scaled(tree: dict[str, Any]) -> None:
    tree["outputs"][0]["axes"][2]["scale"] = 0.5


def binary(tree: dict[str, Any]) -> None:
    tree["outputs"][0]["postprocessing"] = [{"id": "binarize", "kwargs": {"threshold": 0.5}}]


def prepared(tree: dict[str, Any]) -> None:
    tree["inputs"][0]["preprocessing"] = [{"id": "zero_mean_unit_variance"}]


def integers(tree: dict[str, Any]) -> None:
    tree["inputs"][0]["data"] = {"type": "uint8"}


def moded(tree: dict[str, Any]) -> None:
    tree["run_mode"] = {"name": "deepimagej"}


def turned(tree: dict[str, Any]) -> None:
    axes = tree["outputs"][0]["axes"]
    axes[1], axes[2] = axes[2], axes[1]


def indexed(tree: dict[str, Any]) -> None:
    tree["inputs"][0]["axes"].append({"type": "index", "size": 1})


class TestRefused:
    """What cannot be held, each rule in words, all of them at once; nothing is written."""

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (fixed, "the size along y is fixed"),
            (scaled, "another size along x than the input"),
            (binary, "output is post-processed by binarize"),
            (prepared, "input is prepared by zero_mean_unit_variance: one scale_range"),
            (integers, "the tensor input is not of float32"),
            (moded, "the run mode deepimagej is asked for"),
            (turned, "the output has other axes"),
            (indexed, "the input has the axes batch, y, x, channel, index"),
        ],
    )
    def test_rules(self, restored: Path, tmp_path: Path, change: Any, words: str) -> None:
        """One sentence."""
        with pytest.raises(InputError, match=f"cannot be written as csbdeep: CSBDeep cannot represent that .*{words}"):
            bc.export_model(changed(restored, change), "csbdeep", tmp_path / "out" / "model.zip")
        assert list((tmp_path / "out").iterdir()) == []

    def test_all_at_once(self, restored: Path, tmp_path: Path) -> None:
        """Whoever mends one finds no other behind it."""

        def both(tree: dict[str, Any]) -> None:
            binary(tree)
            fixed(tree)

        with pytest.raises(InputError, match="post-processed by binarize; that the size along y is fixed"):
            bc.export_model(changed(restored, both), "csbdeep", tmp_path / "model.zip")

    def test_weights(self, restored: Path, tmp_path: Path) -> None:
        """Nothing to make a SavedModel of."""

        def onnx(tree: dict[str, Any]) -> None:
            tree["weights"] = {"onnx": {"source": "weights.zip", "opset_version": 17}}

        with pytest.raises(InputError, match="it has weights onnx: expected tensorflow_saved_model_bundle, or keras_v3 or keras_hdf5"):
            bc.export_model(changed(restored, onnx), "csbdeep", tmp_path / "model.zip")

    def test_no_stardist(self, restored: Path, tmp_path: Path) -> None:
        """A network that is not known to be StarDist's."""
        with pytest.raises(InputError, match="not known to be a network of StarDist"):
            bc.export_model(restored, "stardist", tmp_path / "model.zip")

    def test_unknown_format(self, restored: Path, tmp_path: Path) -> None:
        """Those that are written are named."""
        with pytest.raises(UnknownExtensionError, match=r"in the format 'care'.*: expected one of .*csbdeep.*stardist"):
            bc.export_model(restored, "care", tmp_path / "model.zip")

    def test_broken_weights(self, restored: Path, tmp_path: Path) -> None:
        """No zip at all."""
        (restored / "weights.zip").write_text("no zip")
        with pytest.raises(InputError, match=r"cannot be read as a zip"):
            bc.export_model(restored, "csbdeep", tmp_path / "model.zip")


def test_other_versions_of_the_format(exports: Path, tmp_path: Path) -> None:
    """A model of format 0.4, which has its channels first, is read as the newest."""
    folder = tmp_path / "model"
    shutil.copytree(exports.parents[2] / "models" / "tiktorch_dummy_tensorflow", folder)
    tree = yaml.safe_load((folder / "rdf.yaml").read_text())
    tree["cite"][0]["url"] = "https://example.com/"
    tree["inputs"][0] |= {"data_type": "float32", "shape": {"min": [1, 1, 32, 32], "step": [0, 0, 8, 8]}}
    (folder / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
    (folder / "rdf.yaml").unlink()
    written = bc.export_model(folder, "csbdeep", tmp_path / "dummy.zip")
    assert json.loads(content(written.path)["meta.json"]) == {
        "type": "CARE",
        "version": "0.8.2",
        "probabilistic": False,
        "axes": "CYX",
        "axes_div_by": [1, 8, 8],
        "tile_overlap": [0, 0, 0],
    }
    assert "not stored: authors, cite, license, documentation, covers, tags, test tensors" in written.lost
