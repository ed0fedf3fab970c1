"""``bmz package``."""

from __future__ import annotations

from pathlib import Path

from bmz_process import ForkedBmz


class TestPackage:
    """Models written with all their files."""

    def test_zip(self, bmz: ForkedBmz, model: Path, tmp_path: Path) -> None:
        """One line that counts the files; the result passes its test."""
        out = tmp_path / "out.zip"
        ran = bmz("package", model, "-o", out)
        assert (ran.status, ran.err) == (0, "")
        assert ran.out.startswith(f"{out}: 5 files, ")
        assert bmz("test", out).status == 0
        assert bmz("validate", out).status == 0

    def test_json(self, bmz: ForkedBmz, model: Path, tmp_path: Path) -> None:
        """Names and sizes of the files."""
        out = tmp_path / "out"
        ran = bmz("package", model, "-o", out, "--weights-format", "onnx", "--json")
        assert ran.json["output"] == str(out)
        assert ran.json["files"] == {p.name: p.stat().st_size for p in out.iterdir()}
        assert set(ran.json["files"]) == {"README.md", "bioimageio.yaml", "input.npy", "output.npy", "weights.onnx"}

    def test_exists(self, bmz: ForkedBmz, model: Path, tmp_path: Path) -> None:
        """Status 2 and the remedy; ``--overwrite`` replaces it."""
        out = tmp_path / "out.zip"
        assert bmz("package", model, "-o", out).status == 0
        assert "--overwrite" in bmz("package", model, "-o", out).error(2)
        assert bmz("package", model, "-o", out, "--overwrite").status == 0

    def test_wrong_weights(self, bmz: ForkedBmz, model: Path, tmp_path: Path) -> None:
        """The formats that there are, are told."""
        line = bmz("package", model, "-o", tmp_path / "out.zip", "--weights-format", "torchscript").error(2)
        assert "expected some of onnx" in line
        assert not (tmp_path / "out.zip").exists()

    def test_missing_file(self, bmz: ForkedBmz, model: Path, tmp_path: Path) -> None:
        """Status 2, and no output."""
        (model / "output.npy").unlink()
        assert "output.npy" in bmz("package", model, "-o", tmp_path / "out.zip").error(2)
        assert [p.name for p in tmp_path.iterdir()] == ["model"]

    def test_help(self, bmz: ForkedBmz) -> None:
        """With an example."""
        assert "Example: bmz package" in bmz("package", "--help").out
