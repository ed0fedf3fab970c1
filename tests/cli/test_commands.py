"""Every command on what is good."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from bmz_process import ForkedBmz, run_process


class TestHelp:
    """What a user sees first."""

    def test_help(self) -> None:
        """All commands with a summary each."""
        ran = run_process("--help")
        assert ran.status == 0
        for name in ("info", "plan", "plugins", "predict", "schema", "test", "update", "validate", "verify"):
            assert f"  {name} " in ran.out

    def test_nothing(self, bmz: ForkedBmz) -> None:
        """The help, on stderr."""
        ran = bmz()
        assert ran.status == 2
        assert "Usage: bmz" in ran.err

    def test_help_of_commands(self, bmz: ForkedBmz) -> None:
        """Each has an example."""
        for name in ("info", "plan", "plugins", "predict", "schema", "test", "update", "validate", "verify"):
            ran = bmz(name, "--help")
            assert ran.status == 0
            assert f"Example: bmz {name}" in ran.out

    def test_version(self, bmz: ForkedBmz) -> None:
        """One line."""
        assert bmz("--version").out.startswith("bmz, version ")


class TestInfo:
    """``bmz info``."""

    def test_text(self, made: Path) -> None:
        """Sizes in words, and what can be run."""
        ran = run_process("info", made)
        assert ran.status == 0
        assert ran.err == ""
        lines = [" ".join(line.split()) for line in ran.out.splitlines()]
        assert lines[0] == "made model"
        assert "authors A Tester" in lines
        assert "license MIT" in lines
        assert "cite nothing https://example.com/" in lines
        assert "format 0.5.4" in lines
        assert "y 8 + 4 n" in lines
        assert "y that of raw.y 1" in lines
        assert any(line.startswith("onnx weights.onnx") and line.endswith("yes, with onnxruntime") for line in lines)

    def test_json(self, bmz: ForkedBmz, made: Path) -> None:
        """The same as plain data."""
        card = bmz("info", made, "--json").json
        assert card["name"] == "made model"
        assert card["format_version"] == "0.5.4"
        assert card["run_mode"] is None
        (raw,), (out,) = card["inputs"], card["outputs"]
        assert [a["id"] for a in raw["axes"]] == ["batch", "channel", "y", "x"]
        assert raw["axes"][1]["channel_names"] == ["intensity"]
        assert raw["axes"][2]["size"] == {"min": 8, "step": 4}
        assert raw["preprocessing"] == []
        assert out["axes"][2]["size"] == {"tensor": "raw", "axis": "y", "ratio": 1, "offset": 0}
        assert out["axes"][2]["halo"] == 1
        (weights,) = card["weights"]
        assert weights["weights_format"] == "onnx"
        assert weights["runs_here"] is True
        assert weights["size"] == (made / "weights.onnx").stat().st_size
        assert {i["severity"] for i in card["issues"]} <= {"alert", "warning", "info"}

    def test_sizes_in_words(self, bmz: ForkedBmz, shared: Path) -> None:
        """A scale of 2, and format 0.4."""
        out = bmz("info", shared / "models" / "unet2d_diff_output_shape").out
        assert "32 + 16 n" in out
        assert "1/2 x that of input.y" in out
        assert "zero_mean_unit_variance(mode=per_sample, axes=cyx)" in bmz("info", shared / "models" / "unet2d_fixed_shape").out

    def test_nothing_that_a_terminal_obeys(self, bmz: ForkedBmz, model: Path, change: Any) -> None:
        """Control characters of a description are not passed on."""
        change(model, lambda tree: tree.update(description="plain\x1b[2J\x07\nend"))
        out = bmz("info", model).out
        assert "\x1b" not in out
        assert "plain [2J end" in out


class TestPredictAndPlan:
    """``bmz predict`` and ``bmz plan``."""

    def test_predict(self, made: Path, image: Path, tmp_path: Path) -> None:
        """The mean filter of the image, written in chunks with named axes."""
        ran = run_process("predict", made, image, "-o", tmp_path / "out.zarr", "--block", "y=16,x=16")
        assert ran.status == 0
        assert ran.err == ""
        assert "out.zarr: float32, batch 1, channel 1, y 40, x 50" in ran.out
        result = zarr.open_group(str(tmp_path / "out.zarr"), mode="r")["0"]
        assert isinstance(result, zarr.Array)
        x = np.pad(np.asarray(zarr.open_array(str(image))[...]), 1, mode="symmetric")
        expected = sum(x[i : i + 40, j : j + 50].astype(np.float64) for i in range(3) for j in range(3)) / 9
        np.testing.assert_allclose(np.asarray(result[0]), expected, rtol=1e-5)
        assert result.metadata.dimension_names == ("c", "y", "x")  # type: ignore[union-attr]

    def test_predict_json(self, bmz: ForkedBmz, made: Path, image: Path, tmp_path: Path) -> None:
        """Where the output is, its arrays, and the time."""
        ran = bmz("predict", made, f"raw={image}", "-o", tmp_path / "out.zarr", "--json")
        assert ran.status == 0
        assert ran.err == ""
        assert ran.json["output"] == str(tmp_path / "out.zarr")
        assert ran.json["arrays"] == {"out": {"axes": ["batch", "channel", "y", "x"], "shape": [1, 1, 40, 50], "dtype": "float32"}}
        assert ran.json["seconds"]["total"] > 0
        assert ran.json["peak_memory"] > 0

    def test_probe(self, bmz: ForkedBmz, model: Path, image: Path, tmp_path: Path) -> None:
        """The network is measured before the run, and later plans use the measurement."""
        own = {"BMZ_CACHE": str(tmp_path / "cache")}  # commands are forked from a process that has the environment of an earlier test
        assert not bmz("plan", model, image, "--json", env=own).json["measured"]
        assert bmz("predict", model, image, "-o", tmp_path / "out.zarr", "--probe", env=own).status == 0
        assert bmz("plan", model, image, "--json", env=own).json["measured"]

    def test_plan(self, made: Path, image: Path, bmz: ForkedBmz) -> None:
        """Blocks of 16 pixels of which 8 are kept: 5 along y, 7 along x; nothing is written or run."""
        ran = bmz("plan", made, image, "--block", "y=16,x=16")
        assert ran.status == 0
        assert "35 blocks" in ran.out
        plan = bmz("plan", made, image, "--block", "y=16,x=16", "--json").json
        assert plan["blocks"] == 35
        assert plan["outputs"]["out"]["shape"] == [1, 1, 40, 50]
        assert [a["stride"] for a in plan["axes"] if a["axis"] in "yx"] == [8, 8]

    def test_channel_by_name_and_number(self, bmz: ForkedBmz, made: Path, tmp_path: Path, save_image: Any) -> None:
        """The second of three channels."""
        image = save_image(tmp_path / "three.zarr", np.zeros((3, 20, 20), np.float32), "cyx")
        plan = bmz("plan", made, image, "--channel", "1", "--json").json
        assert plan["inputs"]["raw"]["shape"] == [1, 1, 20, 20]

    def test_broken_pipe(self, made: Path) -> None:
        """A reader that has enough, such as ``head``, is no error."""
        with subprocess.Popen(
            [sys.executable, "-m", "bioimageio_core.cli", "info", str(made), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            said = process.stderr.read()
        assert said == b""


class TestTestAndVerify:
    """``bmz test`` and ``bmz verify``."""

    def test_passes(self, made: Path, bmz: ForkedBmz) -> None:
        """The test output is reproduced."""
        ran = run_process("test", made)
        assert ran.status == 0
        assert "passed" in ran.out
        report = bmz("test", made, "--json").json
        assert report["status"] == "passed"
        assert report["tests"][0]["outputs"][0]["mismatched"] == 0

    def test_differs(self, bmz: ForkedBmz, model: Path) -> None:
        """Status 1, and where the greatest difference is."""
        expected = np.load(model / "output.npy")
        expected[0, 0, 3, 5] += 1
        np.save(model / "output.npy", expected)
        ran = bmz("test", model, "--json", "--save", model / "differences")
        assert ran.status == 1
        (output,) = ran.json["tests"][0]["outputs"]
        assert output["at"] == [0, 0, 3, 5]
        assert output["mismatched"] == 1
        assert ran.json["saved"] == str(model / "differences")
        assert (model / "differences" / "onnx" / "out" / "picture.png").exists()
        again = bmz("test", model, "--save", model / "differences", "--html", model / "report.html")
        assert again.status == 1
        assert str(model / "differences") in again.out
        assert "data:image/png" in (model / "report.html").read_text()

    def test_differences_beside_where_it_runs(self, made: Path, model: Path, tmp_path: Path) -> None:
        """They are saved without being asked for; where they can not be, that is said and the report is shown all the same."""
        np.save(model / "output.npy", np.load(model / "output.npy") + 1)
        (tmp_path / "here").mkdir()
        ran = run_process("test", model, cwd=tmp_path / "here")
        assert ran.status == 1
        assert [p.name for p in (tmp_path / "here").iterdir()] == ["bmz-test-made-model"]
        (tmp_path / "photos").mkdir()
        (tmp_path / "photos" / "cat.jpg").write_text("cat")
        ran = run_process("test", model, "--save", tmp_path / "photos")
        assert ran.status == 1
        assert "warning" in ran.err
        assert "greatest deviation" in ran.out

    def test_quick(self, bmz: ForkedBmz, made: Path) -> None:
        """Nothing but the test tensors."""
        assert bmz("test", made, "--quick", "--json").json["tests"][0]["sizes"] == []
        sizes = bmz("test", made, "--json").json["tests"][0]["sizes"]
        assert [(s["step"], s["batch"], s["status"]) for s in sizes] == [(n, b, "passed") for n in (0, 1, 2) for b in (1, 2)]

    def test_of_other_shape(self, bmz: ForkedBmz, model: Path) -> None:
        """A deviation that is no number is null in JSON."""
        np.save(model / "output.npy", np.zeros((1, 1, 4, 4), np.float32))
        ran = bmz("test", model, "--json", "--save", model / "differences")
        assert ran.status == 1
        assert ran.json["tests"][0]["outputs"][0]["greatest_deviation"] is None

    def test_without_test_tensors(self, bmz: ForkedBmz, model: Path, change: Any) -> None:
        """Nothing can be tested."""
        change(model, lambda tree: tree["inputs"][0].pop("test_tensor"))
        assert "'raw'" in bmz("test", model).error(2)

    def test_verify(self, bmz: ForkedBmz, made: Path, model: Path, change: Any) -> None:
        """Equal with the halo, different without."""
        assert bmz("verify", made, "--block", "y=16,x=16").status == 0
        ran = bmz("verify", made, "--block", "y=16,x=16", "--halo", "y=0,x=0", "--json")
        assert ran.status == 1
        assert ran.json["equal"] is False
        assert ran.json["outputs"][0]["seam"]

    def test_verify_single_block(self, bmz: ForkedBmz, made: Path, image: Path) -> None:
        """Nothing to compare."""
        assert "single block" in bmz("verify", made, image).error(2)


class TestValidate:
    """``bmz validate``."""

    def test_good_and_bad(self, made: Path, model: Path, change: Any, tmp_path: Path, bmz: ForkedBmz) -> None:
        """The worst status counts, every source is judged."""
        assert bmz("validate", made).status == 0
        change(model, lambda tree: tree.pop("inputs"))
        ran = bmz("validate", made, model, "--json")
        assert ran.status == 1
        assert [r["status"] for r in ran.json] == ["valid", "invalid"]
        assert "inputs" in [i["path"] for i in ran.json[1]["issues"]]
        ran = bmz("validate", model, tmp_path / "nope", made)
        assert ran.status == 2
        assert "nope" in ran.err
        assert "invalid" in ran.out

    def test_binary(self, bmz: ForkedBmz, tmp_path: Path, made: Path) -> None:
        """A file that is no text does not keep the others from being judged."""
        (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x01")
        shutil.copy(made / "weights.onnx", tmp_path / "weights.onnx")
        ran = bmz("validate", tmp_path / "binary", tmp_path / "weights.onnx", made, "--json")
        assert ran.status in (1, 2)
        assert len(ran.json) == 3
        assert ran.json[2]["status"] == "valid"


class TestPlugins:
    """``bmz plugins``."""

    def test_lists(self, bmz: ForkedBmz) -> None:
        """Ops, formats and adapters, with who brings them."""
        ran = bmz("plugins")
        assert ran.status == 0
        assert "zero_mean_unit_variance" in ran.out
        listed = bmz("plugins", "--json").json
        adapters = {e["name"] for e in listed["entries"] if e["kind"] == "weights_adapters"}
        assert adapters >= {"onnxruntime", "torchscript", "pytorch", "keras", "keras_hdf5"}
        assert listed["failures"] == []

    def test_endings(self, bmz: ForkedBmz) -> None:
        """Readers and writers of images, and formats of models, with the names of files that each is for."""
        listed = bmz("plugins", "--json").json["entries"]
        files = {(e["kind"], e["name"]): e["files"] for e in listed}
        assert files["image_readers", "npy"] == files["image_writers", "npy"] == [".npy"]
        assert files["image_readers", "tiff"][:2] == [".tif", ".tiff"]
        assert files["processing_ops", "sigmoid"] == []
        printed = bmz("plugins").out
        assert max(map(len, printed.splitlines())) <= 80
        shown = " ".join(printed.split())
        assert "arrays of numpy (.npy)" in shown
        assert "with pyramids (.tif, .tiff, .btf, .tf2, .tf8, .ome.tif, ...)" in shown


class TestSchema:
    """``bmz schema``."""

    def test_prints(self, bmz: ForkedBmz) -> None:
        """The schema of one format, the same at every call."""
        ran = bmz("schema", "--type", "model", "--format-version", "0.5")
        assert ran.status == 0
        assert ran.json["title"] == "bioimage.io model 0.5"
        assert bmz("schema", "--type", "model", "--format-version", "0.5").out == ran.out

    def test_all_types(self, bmz: ForkedBmz) -> None:
        """Without options that of all descriptions; types without a format of their own share one."""
        whole = bmz("schema").json
        assert whole["title"] == "bioimage.io description"
        assert {"dataset.v0_3.DatasetDescr", "generic.v0_2.GenericDescr", "model.v0_5.model.ModelDescr"} <= whole["$defs"].keys()
        assert bmz("schema", "--type", "workflow").json == bmz("schema", "--type", "generic").json

    def test_to_file(self, bmz: ForkedBmz, tmp_path: Path) -> None:
        """A file is written, and replaced by a newer schema, with nothing on stdout."""
        path = tmp_path / "schema.json"
        path.write_text('{"$schema": "older"}', encoding="utf-8")
        ran = bmz("schema", "-o", path)
        assert (ran.status, ran.out) == (0, "")
        assert path.read_text(encoding="utf-8") == bmz("schema").out

    def test_unknown(self, bmz: ForkedBmz, tmp_path: Path) -> None:
        """One line that names what there is, or what cannot be written."""
        assert "model 0.5" in bmz("schema", "--format-version", "7.1").error(2)
        assert "schema.json" in bmz("schema", "-o", tmp_path / "nowhere" / "schema.json").error(2)
