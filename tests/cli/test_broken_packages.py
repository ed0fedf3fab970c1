"""Packages whose files are missing, changed, broken, or lie where they must not."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from bmz_process import ForkedBmz, run_process


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def zipped(folder: Path, path: Path) -> Path:
    """Write a zip with the files of a folder at its top."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where an output would be."""
    return tmp_path / "out.zarr"


class TestWeightsFile:
    """The file of the weights."""

    def test_missing(self, bmz: ForkedBmz, model: Path, image: Path, out: Path) -> None:
        """Where it was expected; nothing is written."""
        (model / "weights.onnx").unlink()
        assert str(model / "weights.onnx") in bmz("predict", model, image, "-o", out).error(2)
        assert not out.exists()
        assert "not on this machine" in bmz("info", model).out

    def test_other_hash(self, bmz: ForkedBmz, model: Path, change: Any, image: Path, out: Path) -> None:
        """Both hashes; nothing is loaded or written."""
        change(model, lambda tree: tree["weights"]["onnx"].update(sha256="0" * 64))
        line = bmz("predict", model, image, "-o", out).error(1)
        assert "0" * 64 in line
        assert sha256(model / "weights.onnx") in line
        assert not out.exists()

    def test_right_hash(self, bmz: ForkedBmz, model: Path, change: Any, image: Path, out: Path) -> None:
        """In upper case, too."""
        change(model, lambda tree: tree["weights"]["onnx"].update(sha256=sha256(model / "weights.onnx").upper()))
        assert bmz("predict", model, image, "-o", out).status == 0

    @pytest.mark.parametrize("keep", [0, 20, 150])
    def test_truncated(self, bmz: ForkedBmz, model: Path, image: Path, out: Path, keep: int) -> None:
        """The file that cannot be loaded."""
        weights = model / "weights.onnx"
        weights.write_bytes(weights.read_bytes()[:keep])
        assert "weights.onnx" in bmz("predict", model, image, "-o", out).error(1)
        assert not out.exists()

    def test_unknown_format(self, bmz: ForkedBmz, model: Path, change: Any, image: Path, out: Path) -> None:
        """The description is valid, it is planning that fails."""
        change(model, lambda tree: tree.update(weights={"caffe": {"source": "weights.onnx"}}))
        assert "caffe" in bmz("predict", model, image, "-o", out).error(2)
        assert bmz("validate", model).status == 0
        card = bmz("info", model, "--json").json
        assert card["weights"][0]["runs_here"] is False
        assert "no installed plugin" in card["weights"][0]["why_not"]

    def test_wrong_graph(self, bmz: ForkedBmz, model: Path, change: Any, image: Path, out: Path) -> None:
        """The network wants another number of axes than is described."""
        from made_models import identity_graph

        identity_graph(model / "weights.onnx", rank=3)
        line = bmz("predict", model, image, "-o", out).error(1)
        assert "rank" in line.lower()


class TestPlugins:
    """Names that nothing here brings."""

    def test_unknown_op(self, bmz: ForkedBmz, model: Path, change: Any, image: Path, out: Path) -> None:
        """The op is named by what would run it, and shown by what does not."""
        change(model, lambda tree: tree["inputs"][0].update(preprocessing=[{"id": "denoise_wisely", "kwargs": {"strength": 3}}]))
        assert "'denoise_wisely'" in bmz("predict", model, image, "-o", out).error(2)
        assert "'denoise_wisely'" in bmz("test", model).error(2)
        assert "denoise_wisely(strength=3) (no installed plugin brings it)" in bmz("info", model).out

    def test_unknown_run_mode(self, bmz: ForkedBmz, model: Path, change: Any, image: Path, out: Path) -> None:
        """As for ops."""
        change(model, lambda tree: tree.update(run_mode={"name": "twice"}))
        assert "run mode 'twice'" in bmz("predict", model, image, "-o", out).error(2)
        assert bmz("info", model, "--json").json["run_mode"] == {"name": "twice", "kwargs": {}, "known": False, "fits": True, "summary": ""}

    def test_framework_missing(self, made: Path, image: Path, out: Path) -> None:
        """What is missing, and how to get it; info and validate work all the same."""
        code = (
            "import sys\n"
            "class Missing:\n"
            "    def find_spec(self, name, path=None, target=None):\n"
            "        if name.partition('.')[0] == 'onnxruntime': raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
            "sys.meta_path.insert(0, Missing())\n"
            "from bioimageio_core.cli import main; main()"
        )
        line = run_process("predict", made, image, "-o", out, code=code).error(2)
        assert "onnxruntime" in line
        assert "pip install 'bioimageio-runtime[onnx]'" in line
        card = run_process("info", made, "--json", code=code).json
        assert card["weights"][0]["why_not"].startswith("onnxruntime is not installed")
        tested = run_process("test", made, "--json", code=code)
        assert tested.status == 1
        assert tested.json["tests"][0]["status"] == "skipped"


class TestZips:
    """Models in zips."""

    def test_good(self, bmz: ForkedBmz, made: Path, tmp_path: Path, image: Path, out: Path) -> None:
        """Predicts like the folder."""
        path = zipped(made, tmp_path / "model.zip")
        assert bmz("predict", path, image, "-o", out).status == 0
        card = bmz("info", path, "--json").json
        assert card["weights"][0]["size"] == (made / "weights.onnx").stat().st_size

    def test_empty(self, bmz: ForkedBmz, tmp_path: Path) -> None:
        """A zip without a member."""
        path = tmp_path / "empty.zip"
        zipfile.ZipFile(path, "w").close()
        line = bmz("info", path).error(2)
        assert str(path) in line
        assert "no description" in line

    def test_without_description(self, bmz: ForkedBmz, tmp_path: Path) -> None:
        """A zip of something else."""
        with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
            archive.writestr("a.txt", "a")
        assert "no description" in bmz("info", tmp_path / "other.zip").error(2)

    def test_truncated(self, bmz: ForkedBmz, made: Path, tmp_path: Path) -> None:
        """An interrupted download."""
        path = zipped(made, tmp_path / "model.zip")
        path.write_bytes(path.read_bytes()[:-50])
        assert "broken zip" in bmz("info", path).error(2)

    def test_damaged_member(self, bmz: ForkedBmz, made: Path, tmp_path: Path, image: Path, out: Path) -> None:
        """A checksum of the zip that does not fit."""
        path = zipped(made, tmp_path / "model.zip")
        content = path.read_bytes()
        weights = (made / "weights.onnx").read_bytes()
        assert weights in content
        path.write_bytes(content.replace(weights, weights[::-1]))
        assert "weights.onnx" in bmz("predict", path, image, "-o", out).error(2)

    def test_encrypted_or_unknown_compression(self, bmz: ForkedBmz, made: Path, tmp_path: Path, image: Path, out: Path) -> None:
        """A member that the standard library cannot read."""
        path = zipped(made, tmp_path / "model.zip")
        content = bytearray(path.read_bytes())
        with zipfile.ZipFile(path) as archive:
            at = archive.getinfo("weights.onnx").header_offset
        content[at + 6] |= 1  # the flag of encryption, in the local header and in the directory
        directory = content.rindex(b"PK\x01\x02", 0, content.rindex(b"weights.onnx"))
        content[directory + 8] |= 1
        path.write_bytes(content)
        assert "weights.onnx" in bmz("predict", path, image, "-o", out).error(2)

    @pytest.mark.parametrize(
        "source", ["../../../../etc/passwd", "/etc/passwd", "..\\secret", "C:\\secret", "a/../../b", "file:///etc/passwd"]
    )
    def test_paths_out_of_the_zip(
        self, bmz: ForkedBmz, model: Path, change: Any, tmp_path: Path, image: Path, out: Path, source: str
    ) -> None:
        """Refused before anything is read."""
        change(model, lambda tree: tree["weights"]["onnx"].update(source=source))
        path = zipped(model, tmp_path / "model.zip")
        line = bmz("predict", path, image, "-o", out).error(2)
        assert "outside" in line
        assert repr(source) in line

    def test_member_outside(self, bmz: ForkedBmz, model: Path, change: Any, tmp_path: Path, image: Path, out: Path) -> None:
        """A member whose name leads out is neither found nor written anywhere."""
        change(model, lambda tree: tree["weights"]["onnx"].update(source="../evil.onnx"))
        path = zipped(model, tmp_path / "model.zip")
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("../evil.onnx", b"evil")
        assert "outside" in bmz("predict", path, image, "-o", out).error(2)
        assert not list(tmp_path.rglob("evil.onnx"))

    def test_member_that_is_a_link(self, bmz: ForkedBmz, model: Path, tmp_path: Path, image: Path, out: Path) -> None:
        """A symbolic link is refused."""
        (model / "weights.onnx").unlink()
        path = zipped(model, tmp_path / "model.zip")
        link = zipfile.ZipInfo("weights.onnx")
        link.create_system = 3
        link.external_attr = 0o120777 << 16
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(link, "/etc/passwd")
        line = bmz("predict", path, image, "-o", out).error(2)
        assert "link" in line
        assert "weights.onnx" in line


class TestFolders:
    """Models in folders."""

    def test_path_out_of_the_folder(self, bmz: ForkedBmz, model: Path, change: Any, image: Path, out: Path) -> None:
        """Weights shared by several folders exist in the wild: allowed."""
        (model / "weights.onnx").rename(model.parent / "shared.onnx")
        change(model, lambda tree: tree["weights"]["onnx"].update(source="../shared.onnx"))
        assert bmz("predict", model, image, "-o", out).status == 0

    def test_folder_as_weights(self, bmz: ForkedBmz, model: Path, image: Path, out: Path) -> None:
        """A folder where a file is named."""
        (model / "weights.onnx").unlink()
        (model / "weights.onnx").mkdir()
        assert "weights.onnx" in bmz("predict", model, image, "-o", out).error(2)

    def test_axes_and_shape_that_disagree(self, bmz: ForkedBmz, tmp_path: Path, image: Path, out: Path) -> None:
        """Format 0.4 only warns of it; it cannot be predicted."""
        from made_models import identity_graph, save_description_0_4

        identity_graph(tmp_path / "weights.onnx")
        save_description_0_4(
            tmp_path,
            [{"name": "raw", "axes": "bcyx", "shape": [1, 1, 32], "data_type": "float32"}],
            [{"name": "out", "axes": "bcyx", "shape": [1, 1, 32, 32], "data_type": "float32"}],
        )
        assert bmz("validate", tmp_path).status == 0
        line = bmz("predict", tmp_path, image, "-o", out).error(1)
        assert "'raw'" in line
        assert bmz("info", tmp_path).error(1) == line
