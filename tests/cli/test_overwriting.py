"""Commands never overwrite what they read, however it is spelt."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr
from bmz_process import ForkedBmz


def content(folder: Path) -> dict[str, str]:
    """Return the hash of each file in a folder."""
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def place(tmp_path: Path, model: Path, image: Path) -> Path:
    """A folder with the model and the image ``x.zarr``, and a link to either."""
    shutil.copytree(image, tmp_path / "x.zarr")
    (tmp_path / "link.zarr").symlink_to("x.zarr")
    (tmp_path / "link-to-model").symlink_to("model")
    return tmp_path


class TestImages:
    """``bmz predict``."""

    @pytest.mark.parametrize("output", ["{0}/x.zarr", "{0}/./x.zarr/", "{0}/link.zarr", "file://{0}/x.zarr", "local://{0}/x.zarr"])
    @pytest.mark.parametrize("given", ["{0}/x.zarr", "file://localhost{0}/link.zarr"])
    def test_spellings(self, bmz: ForkedBmz, place: Path, given: str, output: str) -> None:
        """One line that names both, status 2, and the image stays bit for bit."""
        before = content(place)
        line = bmz("predict", place / "model", given.format(place), "-o", output.format(place), "--overwrite").error(2)
        assert f"output {output.format(place)} would overwrite the image" in line
        assert content(place) == before

    def test_mask_and_batches(self, bmz: ForkedBmz, place: Path, image: Path) -> None:
        """The mask, and the images of a batch."""
        shutil.copytree(image, place / "1.zarr")
        before = content(place)
        mask = ["--mask", f"file://{place}/1.zarr", "-o", place / "1.zarr", "--overwrite"]
        assert "would overwrite the mask" in bmz("predict", place / "model", place / "x.zarr", *mask).error(2)
        batch = [place / "x.zarr", place / "1.zarr", "-o", f"{place}/{{number}}.zarr", "--overwrite"]
        assert "1.zarr, an image to predict" in bmz("predict", place / "model", *batch).error(2)
        assert content(place) == before

    def test_statistics_within_an_image(self, bmz: ForkedBmz, place: Path) -> None:
        """Neither metadata nor chunks are replaced by a file."""
        before = content(place)
        for name in ("zarr.json", "c/0/0", "new.json"):
            line = bmz("stats", place / "x.zarr", "-o", place / "x.zarr" / name, "--overwrite").error(2)
            assert "would overwrite an image to measure" in line
        assert content(place) == before

    def test_names(self, bmz: ForkedBmz, place: Path) -> None:
        """The ending of another kind of file is refused; fields are filled in for one image."""
        line = bmz("predict", place / "model", place / "x.zarr", "-o", place / "out.czi").error(2)
        assert line.endswith(f"such as {place}/out.zarr")
        assert bmz("predict", place / "model", place / "x.zarr", "-o", f"{place}/results/{{name}}.zarr").status == 0
        assert [path.name for path in (place / "results").iterdir()] == ["x.zarr"]


class TestModels:
    """Commands that write models and files."""

    @pytest.mark.parametrize("output", ["{0}/model", "{0}/link-to-model", "file://{0}/model", "{0}"])
    @pytest.mark.parametrize("command", [["package"], ["convert", "--to", "torchscript"]], ids=lambda command: command[0])
    @pytest.mark.parametrize("source", ["{0}/model", "file://{0}/model/bioimageio.yaml"])
    def test_packages(self, bmz: ForkedBmz, place: Path, command: list[str], source: str, output: str) -> None:
        """The package of a model, or with further weights, does not replace the model."""
        (place / "bioimageio.yaml").touch()
        before = content(place)
        bmz(command[0], source.format(place), *command[1:], "-o", output.format(place), "--overwrite").error(2)
        assert content(place) == before

    def test_zips(self, bmz: ForkedBmz, place: Path) -> None:
        """A zip does not replace itself; URLs of files are paths, other URLs are refused."""
        assert bmz("package", place / "model", "-o", f"file://{place}/m.zip").status == 0
        before = content(place)
        for source in (place / "m.zip", f"file://{place}/m.zip"):
            assert "would overwrite its source" in bmz("package", source, "-o", f"{place}/model/../m.zip", "--overwrite").error(2)
        assert "is no local path" in bmz("package", place / "model", "-o", "s3://bucket/m.zip").error(2)
        assert content(place) == before

    @pytest.mark.parametrize(
        "args",
        [
            ["update", "{0}/model", "-o", "{0}/model/bioimageio.yaml", "--overwrite"],
            ["update", "{0}/model/bioimageio.yaml", "-o", "file://{0}/link-to-model/bioimageio.yaml", "--overwrite"],
            ["update", "{0}/model", "-o", "{0}/model/weights.onnx", "--overwrite"],
            ["info", "{0}/model", "--html", "{0}/model/bioimageio.yaml"],
            ["validate", "{0}/model", "--html", "file://{0}/model/bioimageio.yaml"],
            ["test", "{0}/model", "--html", "{0}/link-to-model/weights.onnx"],
            ["env", "{0}/model", "-o", "{0}/model/input.npy", "--overwrite"],
            ["stats", "{0}/x.npy", "-o", "file://{0}/x.npy", "--overwrite"],
            ["stats", "{0}/x.npy", "--model", "{0}/model", "-o", "{0}/model/bioimageio.yaml", "--overwrite"],
            ["init", "{0}/out/weights.onnx", "-o", "file://{0}/out", "--overwrite"],
        ],
        ids=" ".join,
    )
    def test_files(self, bmz: ForkedBmz, place: Path, args: list[str]) -> None:
        """Descriptions, pages, environments and statistics do not replace what they are made of."""
        np.save(place / "x.npy", np.ones((16, 16), np.float32))
        (place / "out").mkdir()
        (place / "out" / "bioimageio.yaml").touch()
        shutil.copy(place / "model" / "weights.onnx", place / "out" / "weights.onnx")
        before = content(place)
        assert "would overwrite" in bmz(*(arg.format(place) for arg in args)).error(2)
        assert content(place) == before

    @pytest.mark.parametrize(
        ("args", "what"),
        [
            (["stats", "{0}/x.npy", "--axes", "yx", "-o"], "file of statistics"),
            (["update", "{0}/model", "-o"], "description"),
            (["schema", "-o"], "JSON Schema"),
            (["info", "{0}/model", "--html"], "page"),
            (["validate", "{0}/model", "--html"], "page"),
        ],
        ids=lambda value: value[0] if isinstance(value, list) else value,
    )
    def test_other_kinds(self, bmz: ForkedBmz, place: Path, args: list[str], what: str) -> None:
        """A file is replaced by one of its kind only."""
        np.save(place / "x.npy", np.ones((16, 16), np.float32))
        zarr.create_group(str(place / "group.zarr"), attributes={"mine": 1})
        (place / "thesis.txt").write_text("Years of work.")
        (place / "empty").touch()
        before = content(place)
        overwrite = ["--overwrite"] if args[0] in ("stats", "update") else []
        for other in ("group.zarr/zarr.json", "thesis.txt", "x.npy", "empty"):
            if other == "x.npy" and args[0] == "stats":
                continue  # the image
            ran = bmz(*(arg.format(place) for arg in args), place / other, *overwrite)
            assert ran.status == 2
            assert f"{place / other} exists and is no {what}, so it is not replaced" in ran.err
        assert content(place) == before
        for _ in range(2):
            assert bmz(*(arg.format(place) for arg in args), place / "new", *overwrite).status == 0
