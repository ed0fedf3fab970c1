"""How much commands tell, and what `bmz predict` shows before it runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from bmz_process import ForkedBmz


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where an output would be."""
    return tmp_path / "out.zarr"


class TestQuietAndVerbose:
    """`--quiet`, `--verbose`."""

    def test_quiet(self, bmz: ForkedBmz, model: Path, image: Path, out: Path) -> None:
        """A run that succeeds prints nothing, one that fails its sentence."""
        ran = bmz("predict", model, image, "-o", out, "-q", "--axes", "yx")
        assert (ran.status, ran.out, ran.err) == (0, "", "")
        assert out.is_dir()
        assert "exists" in bmz("predict", model, image, "-o", out, "--quiet", "--axes", "yx").error(2)

    def test_verbose(self, bmz: ForkedBmz, model: Path, image: Path, out: Path) -> None:
        """The plan, the stages and the library's own records, on standard error."""
        ran = bmz("predict", model, image, "-o", out, "-v", "--axes", "yx")
        assert ran.status == 0
        for part in ("weights    onnx", "predict: begins", "predict: done in"):
            assert part in ran.err
            assert part not in ran.out

    def test_not_both(self, bmz: ForkedBmz, model: Path, image: Path, out: Path) -> None:
        """Whatever their order."""
        for order in (("-q", "-v"), ("-v", "-q")):
            assert "exclude each other" in bmz("predict", model, image, "-o", out, *order).error(2)
        assert not out.exists()


class TestLog:
    """`--log FILE`."""

    def test_all_that_was_said(self, bmz: ForkedBmz, model: Path, image: Path, out: Path, tmp_path: Path) -> None:
        """Command, plan, stages and results, each line with its time; a second run is appended, and says why it ends."""
        log = tmp_path / "run.log"
        first = bmz("predict", model, image, "-o", out, "--axes", "yx", "--log", log)
        assert first.status == 0
        lines = log.read_text().splitlines()
        assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d ", line) for line in lines)
        said = [line.partition(" ")[2] for line in lines]
        assert said[0].startswith("bmz ")
        assert f"predict {model} {image}" in said[0]
        for line in (*first.out.splitlines(), "weights    onnx on onnxruntime, cpu", "predict: begins"):
            assert line in said
        bmz("predict", model, image, "-o", out, "--axes", "yx", "--log", log).error(2)
        again = log.read_text().splitlines()
        assert again[: len(lines)] == lines
        assert again[-1].partition(" ")[2].startswith(f"ends: {out} exists")

    def test_keeps_other_files(self, bmz: ForkedBmz, model: Path, image: Path, out: Path) -> None:
        """An image, or whatever else is no log, stays as it is."""
        target = next(model.glob("*.yaml"))
        content = target.read_bytes()
        assert "is not a log" in bmz("predict", model, image, "-o", out, "--log", target).error(2)
        assert target.read_bytes() == content

    def test_nowhere(self, bmz: ForkedBmz, model: Path, image: Path, out: Path, tmp_path: Path) -> None:
        """A folder that does not exist."""
        assert "cannot be written" in bmz("predict", model, image, "-o", out, "--log", tmp_path / "no" / "run.log").error(2)


class TestMissingOutput:
    """`bmz predict` without `-o`."""

    def test_one_image(self, bmz: ForkedBmz, model: Path, image: Path) -> None:
        """A command to copy, with a name made from that of the image."""
        assert f"bmz predict {model} {image} -o {image.stem}-predicted.ome.zarr" in bmz("predict", model, image).error(2)

    def test_many_images(self, bmz: ForkedBmz, model: Path, image: Path) -> None:
        """A template."""
        assert "-o 'results/{name}.ome.zarr'" in bmz("predict", model, image, image).error(2)


class TestDryRun:
    """`bmz predict --dry-run`."""

    @pytest.mark.parametrize("name", ["out.zarr", "out.ome.tif"])
    def test_writes_nothing(self, bmz: ForkedBmz, model: Path, image: Path, tmp_path: Path, name: str) -> None:
        """The plan, and where the output would be."""
        folder = tmp_path / "results"
        folder.mkdir()
        ran = bmz("predict", model, image, "-o", folder / name, "--axes", "yx", "--dry-run")
        assert ran.status == 0
        assert "work       " in ran.out
        assert f"would write {folder / name}" in ran.out
        assert list(folder.iterdir()) == []

    def test_says_what_the_run_would_say(self, bmz: ForkedBmz, model: Path, image: Path, tmp_path: Path) -> None:
        """An output that exists is refused, unless it is replaced."""
        out = tmp_path / "out.ome.tif"
        out.write_bytes(b"II")
        assert "exists" in bmz("predict", model, image, "-o", out, "--axes", "yx", "--dry-run").error(2)
        assert bmz("predict", model, image, "-o", out, "--axes", "yx", "--dry-run", "--overwrite").status == 0
        assert out.read_bytes() == b"II"

    def test_without_output(self, bmz: ForkedBmz, model: Path, image: Path) -> None:
        """A dry run writes nothing, so that it needs no name."""
        ran = bmz("predict", model, image, "--axes", "yx", "--dry-run")
        assert ran.status == 0
        assert "work       " in ran.out
        assert "would write" not in ran.out

    def test_many(self, bmz: ForkedBmz, model: Path, image: Path, tmp_path: Path) -> None:
        """A line for each image; one that cannot be predicted makes the exit status 1."""
        broken = tmp_path / "broken.npy"
        broken.write_bytes(b"nothing")
        ran = bmz("predict", model, image, broken, "-o", tmp_path / "o" / "{name}.zarr", "--axes", "yx", "--dry-run")
        assert ran.status == 1
        assert re.search(rf"{re.escape(str(broken))} .*would fail: ", ran.out)
        assert not (tmp_path / "o").exists()

    def test_json(self, bmz: ForkedBmz, model: Path, image: Path, out: Path) -> None:
        """For programs."""
        data = json.loads(bmz("predict", model, image, "-o", out, "--axes", "yx", "--dry-run", "--json").out)
        assert data["output"] == str(out)
        assert data["plan"]["blocks"] >= 1


class TestHtml:
    """`bmz predict --html`."""

    def test_page(self, bmz: ForkedBmz, model: Path, image: Path, out: Path, tmp_path: Path) -> None:
        """Where the output is, on a page that is not written over an image."""
        page = tmp_path / "run.html"
        ran = bmz("predict", model, image, "-o", out, "--axes", "yx", "--html", page)
        assert ran.status == 0
        assert f"page: {page}" in ran.out
        assert str(out) in page.read_text(encoding="utf-8")
        line = bmz("predict", model, image, "-o", out, "--axes", "yx", "--html", image, "--overwrite").error(2)
        assert str(image) in line
        assert image.is_dir()

    @pytest.mark.parametrize(("name", "what"), [("no/run.html", "does not exist"), ("run.txt", ".html")])
    def test_before_the_run(self, bmz: ForkedBmz, model: Path, image: Path, out: Path, tmp_path: Path, name: str, what: str) -> None:
        """Nothing is predicted for a page that cannot be written."""
        assert what in bmz("predict", model, image, "-o", out, "--axes", "yx", "--html", tmp_path / name).error(2)
        assert not out.exists()

    def test_one_image(self, bmz: ForkedBmz, model: Path, image: Path, tmp_path: Path) -> None:
        """Many images have pictures."""
        assert "--picture" in bmz("predict", model, image, image, "-o", tmp_path / "{number}.zarr", "--html", tmp_path / "x.html").error(2)


class TestCompletion:
    """`bmz completion`."""

    def test_scripts(self, bmz: ForkedBmz) -> None:
        """One for each shell."""
        for shell in ("bash", "zsh", "fish"):
            assert "_BMZ_COMPLETE" in bmz("completion", shell).out

    def test_what_bash_gets(self) -> None:
        """Commands and options; files where a file is meant."""

        def completed(words: str) -> list[str]:
            position = str(len(words.split(" ")) - 1)
            environment = {**os.environ, "_BMZ_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": position}
            code = "from bioimageio_core.cli import main; main()"
            ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
            return ran.stdout.split()

        assert "plain,predict" in completed("bmz pre")
        assert "plain,--overlap" in completed("bmz predict --over")
        assert any(word.startswith("file,") for word in completed("bmz predict un"))
        assert "plain,onnx" in completed("bmz predict m i --weights-format on")
        assert "plain,ome-tiff" in completed("bmz predict m i --output-format ome")
        assert "plain,cuda:0,cuda:1" in completed("bmz plan m i --device cuda:0,cuda:")
        assert completed("bmz predict m i --codec z") == ["plain,zstd"]
        assert "plain,sigmoid" in completed("bmz predict m i --post sig")
        assert "plain,ilastik" in completed("bmz compat m --consumer il")
        assert "plain,torchscript" in completed("bmz convert m --to torchs")
        for option in ("--mask", "--statistics", "--table", "--picture", "--html", "--log", "-o"):
            assert any(word.startswith("file,") for word in completed(f"bmz predict m i {option} un")), option
