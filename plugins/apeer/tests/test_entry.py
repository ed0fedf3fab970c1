"""The entry script as a program: by the convention of modules, without a container."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import yaml
from made_models import pointwise_model
from module_process import run_module

import bioimageio_core as bc

ADK = """
import json, sys
from apeer_dev_kit import _core
core = _core._core()
core.output_dir = sys.argv[1] + "/"
print(json.dumps(core._get_inputs()))
for key, path in json.loads(sys.argv[2]).items():
    core._set_file_output(key, path)
core._finalize()
"""
"""What a module does that is written with the official development kit."""


@pytest.fixture(scope="module")
def image(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A microscope image that the model was published with, as TIFF."""
    path = tmp_path_factory.mktemp("images") / "nuclei.tif"
    tifffile.imwrite(path, np.load(shared / "models/unet2d_nuclei_broad/test_input.npy")[0, 0])
    return path


def opened(path: str) -> tuple[str, Any]:
    """Return the axes of a TIFF and its pixels."""
    with tifffile.TiffFile(path) as file:
        return file.series[0].axes, file.asarray()


class TestRealModel:
    """A published model on a real image."""

    @pytest.mark.parametrize("from_file", [False, True])
    def test_as_the_library(self, nuclei: Path, image: Path, tmp_path: Path, from_file: bool) -> None:
        """Parameters from the environment or the file; the result is the library's, and says its axes."""
        ran = run_module(nuclei, tmp_path / "output", {"image": str(image), "axes": "yx"}, from_file=from_file)
        assert ran.status == 0, ran.log
        assert ran.files == ["nuclei_probability.ome.tif", "results.json"]
        assert ran.results == {"probability": str(tmp_path / "output" / "nuclei_probability.ome.tif")}
        wanted = bc.predict(nuclei / "model", image, axes="yx")["probability"]
        axes, found = opened(ran.results["probability"])
        assert (axes, found.dtype) == ("YX", np.float32)
        np.testing.assert_array_equal(found, np.asarray(wanted)[0, 0])

    def test_as_the_published_result(self, nuclei: Path, shared: Path, tmp_path: Path) -> None:
        """Far from the border, where predictions are padded otherwise."""
        model = shared / "models/unet2d_nuclei_broad"
        ran = run_module(nuclei, tmp_path / "output", {"image": str(model / "test_input.npy"), "axes": "bcyx"})
        assert ran.status == 0, ran.log
        found, published = tifffile.imread(ran.results["probability"]), np.load(model / "test_output.npy")[0, 0]
        np.testing.assert_allclose(found[96:-96, 96:-96], published[96:-96, 96:-96], atol=1e-4)

    def test_blocks_and_memory(self, nuclei: Path, image: Path, tmp_path: Path) -> None:
        """They are taken."""
        given = {"image": str(image), "axes": "yx", "block": "y=512,x=512", "memory": 1.5, "channel": None, "WFE_more": "ignored"}
        assert run_module(nuclei, tmp_path / "output", given).status == 0

    def test_development_kit(self, nuclei: Path, image: Path, tmp_path: Path) -> None:
        """The official kit reads the same parameters, and writes the same results."""
        pytest.importorskip("apeer_dev_kit", reason="the official development kit is installed by the nox session plugins")
        output = tmp_path / "output"
        given = {"image": str(image), "axes": "yx"}
        ran = run_module(nuclei, output, given)
        text = json.dumps({"WFE_output_params_file": "kit.json", **given})
        command = [sys.executable, "-c", ADK, str(output), json.dumps(ran.results)]
        done = subprocess.run(command, env={**os.environ, "WFE_INPUT_JSON": text}, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout) == given
        assert json.loads((output / "kit.json").read_text()) == json.loads((output / "results.json").read_text())


class TestImages:
    """Axes and types of what is written."""

    def written(self, tmp_path: Path, img: Any, axes: str, *, data: Any = None, **model: Any) -> tuple[str, Any]:
        """Run a model that gives back what it takes, and return what it wrote."""
        (tmp_path / "model").mkdir()
        folder = pointwise_model(tmp_path / "model", **model)
        if data is not None:
            tree = yaml.safe_load((folder / "bioimageio.yaml").read_text())
            tree["outputs"][0]["data"] = data
            (folder / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
        module = bc.export_model(folder, "apeer", tmp_path / "module").path
        np.save(tmp_path / "image.npy", img)
        ran = run_module(module, tmp_path / "output", {"image": str(tmp_path / "image.npy"), "axes": axes})
        assert ran.status == 0, ran.log
        return opened(ran.results["out"])

    def test_time_series_of_volumes(self, tmp_path: Path) -> None:
        """Axes that the model lacks are kept; the image opens again with its axes."""
        img = np.random.default_rng(0).random((3, 5, 2, 24, 20), dtype=np.float32)
        axes, found = self.written(tmp_path, img, "tzcyx", names=("one", "other"))
        assert axes == "TZCYX"
        np.testing.assert_array_equal(found, img)

    def test_integers(self, tmp_path: Path) -> None:
        """Labels stay whole numbers: those of 64 bits as well, which OME-TIFF has not."""
        img = np.arange(240, dtype=np.float32).reshape(12, 20)
        post = [{"id": "ensure_dtype", "kwargs": {"dtype": "int64"}}]
        axes, found = self.written(tmp_path, img, "yx", post=post, out_dtype="int64")
        assert (axes, found.dtype) == ("YX", np.int64)
        np.testing.assert_array_equal(found, img)

    def test_truth(self, tmp_path: Path) -> None:
        """Masks are 0 and 1."""
        img = np.array([[0.1, 0.9], [0.6, 0.4]], np.float32)
        post = [{"id": "binarize", "kwargs": {"threshold": 0.5}}]
        _, found = self.written(tmp_path, img, "yx", post=post, data={"type": "bool", "values": [False, True]})
        np.testing.assert_array_equal(found, [[0, 1], [1, 0]])

    def test_several_inputs(self, shared: Path, tmp_path: Path) -> None:
        """Each by its name."""
        model = shared / "models/unet2d_multi_tensor"
        module = bc.export_model(model / "bioimageio.yaml", "apeer", tmp_path / "module").path
        described = bc.load_model_description(module / "model")
        given = {}
        for number, tensor in enumerate(described.inputs):
            given |= {f"image_{tensor.id}": str(model / f"test_input_{number}.npy"), f"axes_{tensor.id}": "bcyx"}
        ran = run_module(module, tmp_path / "output", given)
        assert ran.status == 0, ran.log
        assert [*ran.results] == [tensor.id for tensor in described.outputs]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module that gives back what it takes."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "model").mkdir()
    return bc.export_model(pointwise_model(folder / "model"), "apeer", folder / "module").path


def test_guessed_axes(small: Path, tmp_path: Path) -> None:
    """They are told in the log."""
    np.save(tmp_path / "image.npy", np.zeros((8, 8), np.float32))
    ran = run_module(small, tmp_path / "output", {"image": str(tmp_path / "image.npy")})
    assert ran.status == 0
    assert "WARNING the axes of image were guessed to be y, x: give them as a parameter" in ran.log


class TestWrongParameters:
    """One sentence in the log, a status that is not 0, and no result."""

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"image": None}, "the parameter 'image' is missing: expected the path of an image"),
            ({"image": "/nowhere/a.tif"}, "image: the file /nowhere/a.tif does not exist"),
            ({"image": ["a.tif"]}, "image: expected the path of a file, found ['a.tif']"),
            ({"axes": 3}, "axes: expected text, found 3"),
            ({"axes": "zz"}, "axes 'zz' name 'z' twice"),
            ({"memory": "much"}, "memory: expected a number from 0.5 to 64.0, found 'much'"),
            ({"memory": 0}, "memory: expected a number from 0.5 to 64.0, found 0"),
            ({"block": "big"}, "block: expected sizes as in y=512,x=512, found 'big'"),
            ({"channel": "nucleus"}, "nucleus"),
            ({"colour": "red"}, "unknown parameter 'colour': expected some of image, axes, channel, block, memory"),
            ({"WFE_output_params_file": "../outside.json"}, "WFE_output_params_file: expected the name of a file"),
            ({"WFE_output_params_file": None}, "WFE_output_params_file: expected the name of a file"),
        ],
    )
    def test_values(self, small: Path, tmp_path: Path, change: dict[str, Any], words: str) -> None:
        """Whatever is wrong."""
        np.save(tmp_path / "image.npy", np.zeros((8, 8), np.float32))
        ran = run_module(small, tmp_path / "output", {"image": str(tmp_path / "image.npy"), "axes": "yx", **change})
        assert ran.status == 2
        (line,) = ran.log.splitlines()[-1:]
        assert words in line
        assert "Traceback" not in ran.log
        assert ran.files == []
        assert not (tmp_path / "outside.json").exists()

    @pytest.mark.parametrize(
        ("text", "words"),
        [("{", "are no JSON"), ("[1]", "are list: expected names with values"), ("[" * 100_000, "are no JSON")],
    )
    def test_broken(self, small: Path, tmp_path: Path, text: str, words: str) -> None:
        """No parameters at all."""
        ran = run_module(small, tmp_path / "output", text)
        assert ran.status == 2
        assert words in ran.log
        assert "Traceback" not in ran.log

    def test_none(self, small: Path, tmp_path: Path) -> None:
        """Neither the variable nor the file."""
        command = [sys.executable, str(small / "run.py"), "--params", str(tmp_path / "none.json"), "--output", str(tmp_path)]
        variables = {key: value for key, value in os.environ.items() if key != "WFE_INPUT_JSON"}
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60)
        assert done.returncode == 2
        assert "no parameters: WFE_INPUT_JSON is not set, and" in done.stdout

    def test_broken_image(self, small: Path, tmp_path: Path) -> None:
        """What the library says of it."""
        (tmp_path / "image.tif").write_text("no image")
        ran = run_module(small, tmp_path / "output", {"image": str(tmp_path / "image.tif")})
        assert ran.status == 2
        assert "image.tif" in ran.log.splitlines()[-1]
        assert ran.files == []
