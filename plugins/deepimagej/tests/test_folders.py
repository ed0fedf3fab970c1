"""Models in and out of folders of deepImageJ, and its run mode."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from bioimageio_runtime_deepimagej import bioimageio_foreign_formats, bioimageio_run_modes
from bioimageio_runtime_deepimagej.config_block import read_block
from bioimageio_runtime_deepimagej.legacy_config import read_legacy
from bioimageio_runtime_deepimagej.saved_model_signature import SavedModelFacts, read_saved_model
from made_folders import ELEMENTS, THRESHOLD, described_folder, legacy_folder
from made_models import box_model
from written_macros import (
    BINARIZE,
    BINARIZE_TO_ONE,
    DIALOG,
    EIGHT_BIT_BINARIZE,
    FIXED_ZERO_MEAN_UNIT_VARIANCE,
    MEAN_NORMALIZATION,
    PERCENTILE_NORMALIZATION,
    SCALE_LINEAR,
    SCALE_RANGE,
    ZERO_MEAN_UNIT_VARIANCE,
    Array,
    histogram_start,
    pixels,
)

import bioimageio_core as bc
from bioimageio_core.errors import InputError
from bioimageio_core.testing import ForeignFormatConformance, RunModeConformance

(FORMAT,) = bioimageio_foreign_formats()
(RUN_MODE,) = bioimageio_run_modes()


class TestFormat(ForeignFormatConformance):
    """What every format keeps."""

    entry = FORMAT

    @pytest.fixture
    def files(self, tmp_path: Path) -> Sequence[Path]:
        """A folder of deepImageJ 2; those of deepImageJ 1 have no license, which the layout of the former asks for."""
        return (described_folder(tmp_path / "mean", MEAN_NORMALIZATION, BINARIZE_TO_ONE.format(threshold=0.25)),)


class TestLegacyFormat(ForeignFormatConformance):
    """What every format keeps, read from deepImageJ 1."""

    entry = FORMAT

    @pytest.fixture
    def files(self, tmp_path: Path) -> Sequence[Path]:
        """A configuration beside its weights."""
        return (legacy_folder(tmp_path / "mean"),)

    def test_writes(self, files: Sequence[Path], tmp_path: Path) -> None:
        """Without a license there is one reason, and one for test tensors, why the newer layout is not written."""
        imported = bc.import_model(files[0], tmp_path / "imported")
        with pytest.raises(InputError, match=r"expected test tensors of all inputs .*expected a license"):
            bc.export_model(imported.folder, "deepimagej", tmp_path / "written")

    @pytest.mark.parametrize("content", [b"", b"<Model>", b"<Model><ModelInformation><Name>a</Name>"])
    def test_cut_off(self, files: Sequence[Path], tmp_path: Path, content: bytes) -> None:
        """A configuration that is cut off is told in one sentence, and nothing is written."""
        files[0].write_bytes(content)
        with pytest.raises(InputError, match="expected valid XML") as caught:
            bc.import_model(files[0], tmp_path / "imported", "deepimagej")
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "imported").exists()


class TestRunModeContract(RunModeConformance):
    """What every run mode keeps."""

    entry = RUN_MODE
    kwargs = ({"macros": []}, {"macros": ["a.ijm"], "replaced": ["scale_range"]})
    keeps_identity = True


def mean_of_neighbours(image: Array) -> Array:
    """What the network does to an image that is padded as the library pads."""
    wide = np.pad(image.astype(np.float64), 1, mode="symmetric")
    return sum(wide[y : y + image.shape[0], x : x + image.shape[1]] for y in range(3) for x in range(3)) / 9


def expected(image: Array) -> Array:
    """What the folders of `made_folders` predict."""
    wide = image.astype(np.float64)
    return np.where(mean_of_neighbours((wide - wide.mean()) / np.ptp(wide)) >= THRESHOLD, 1.0, 0.0)


class TestImport:
    """Models made from a ``config.xml``."""

    def test_predicts(self, tmp_path: Path) -> None:
        """By the command line, from the configuration to numbers, in blocks and out of core."""
        config = legacy_folder(tmp_path / "mean")
        image = pixels(70, 60)
        np.save(tmp_path / "image.npy", image)
        bmz("import", str(config), "-o", str(tmp_path / "model"), "--from", "deepimagej")
        bmz("predict", str(tmp_path / "model"), str(tmp_path / "image.npy"), "-o", str(tmp_path / "out.zarr"), "--block", "y=16,x=16")
        with bc.open_predictor(tmp_path / "model", block={"y": 16, "x": 16}) as predictor:
            assert predictor.plan(image).regions.block_count == 30  # of 16 pixels, 12 of them new: 6 along y, 5 along x
            found = np.asarray(predictor.predict(image)["out"])[0, :, :, 0]
        np.testing.assert_array_equal(found, expected(image))
        import zarr

        np.testing.assert_array_equal(np.asarray(zarr.open_group(str(tmp_path / "out.zarr"), mode="r")["0"])[0], found)

    def test_described(self, tmp_path: Path) -> None:
        """Sizes, scales, halo and what else the file says."""
        tree = imported(legacy_folder(tmp_path / "mean"), tmp_path / "model")
        space = {axis["id"]: axis for axis in tree["inputs"][0]["axes"] if axis["type"] == "space"}
        assert space["y"] == {"type": "space", "id": "y", "size": {"min": 4, "step": 2}, "scale": 0.5, "unit": "micrometer"}
        assert [axis.get("halo") for axis in tree["outputs"][0]["axes"]] == [None, 1, 1, None]
        assert tree["authors"] == [{"name": "A Tester", "affiliation": "Nobody"}]
        assert tree["cite"] == [{"text": "A Tester, 2019", "url": "https://example.com/"}]
        assert [op["id"] for op in tree["inputs"][0]["preprocessing"]] == ["imagej_macro"]
        assert tree["outputs"][0]["postprocessing"] == [
            {"id": "binarize", "kwargs": {"threshold": float(np.nextafter(np.float32(0.25), 0, dtype=np.float32))}}
        ]

    def test_larger_output(self, tmp_path: Path) -> None:
        """An output of eight times the size is told from the sizes of the test."""
        tree = imported(legacy_folder(tmp_path / "mean", OutputSize="512x512", PixelSize="1pixelx1pixel"), tmp_path / "model")
        (axis,) = [a for a in tree["outputs"][0]["axes"] if a.get("id") == "x"]
        assert axis["scale"] == 1 / 8
        assert axis["halo"] == 8

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda folder: (folder / "net.pt").unlink(), "expected weights beside config.xml"),
            (lambda folder: (folder / "preprocessing.ijm").unlink(), "PreprocessingFile: expected the file 'preprocessing.ijm'"),
            (lambda folder: edit(folder, "PreprocessingFile", "../../secret.ijm"), "expected files beside the configuration"),
            (lambda folder: edit(folder, "FixedPatch", "perhaps"), "FixedPatch: expected true or false"),
        ],
    )
    def test_refused(self, change: Callable[[Path], Any], message: str, tmp_path: Path) -> None:
        """What is missing or leads elsewhere is told in one sentence, and nothing is written."""
        config = legacy_folder(tmp_path / "mean")
        change(config.parent)
        with pytest.raises(InputError, match=message) as caught:
            bc.import_model(config, tmp_path / "model", "deepimagej")
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "model").exists()

    @pytest.mark.skipif(sys.platform == "win32", reason="links need rights")
    def test_links(self, tmp_path: Path) -> None:
        """A link that leads elsewhere is not followed."""
        config = legacy_folder(tmp_path / "mean")
        (config.parent / "net.pt").rename(tmp_path / "elsewhere.pt")
        (config.parent / "net.pt").symlink_to(tmp_path / "elsewhere.pt")
        with pytest.raises(InputError, match="expected files beside the configuration"):
            bc.import_model(config, tmp_path / "model", "deepimagej")

    def test_a_macro_of_one_plane(self, tmp_path: Path) -> None:
        """Where the image has channels, a macro that changes one plane of it is refused."""
        config = legacy_folder(tmp_path / "mean", InputTensorDimensions=",-1,-1,-1,3,", Channels="3")
        with pytest.raises(InputError, match="changes one plane of an image"):
            bc.import_model(config, tmp_path / "model", "deepimagej")


class TestRunMode:
    """Descriptions that ask for the run mode."""

    @pytest.mark.parametrize(
        ("pre", "wanted"),
        [
            (SCALE_LINEAR.format(gain=0.01, offset=1), lambda a: a * 0.01 + 1),
            (FIXED_ZERO_MEAN_UNIT_VARIANCE.format(mean=20, std=30), lambda a: (a - 20) / 30),
            (ZERO_MEAN_UNIT_VARIANCE, lambda a: (a - a.mean()) / a.std(ddof=1)),
            (MEAN_NORMALIZATION, lambda a: (a - a.mean()) / np.ptp(a)),
            (SCALE_RANGE.format(low=1, high=99.8), lambda a: by_percentiles(a, 1, 99.8)),
            (PERCENTILE_NORMALIZATION.format(low=5, high=95), lambda a: by_percentiles(a, 5, 95)),
        ],
    )
    def test_statistics_are_of_the_whole(self, pre: str, wanted: Callable[[Array], Array], tmp_path: Path) -> None:
        """Block by block, to disk, a macro gives what it gives for the whole image."""
        folder = described_folder(tmp_path / "mean", pre, SCALE_LINEAR.format(gain=2, offset=0))
        image = pixels(61, 47)
        for block in ({}, {"y": 12, "x": 12}):
            output = str(tmp_path / "out.zarr") if block else None
            found = bc.predict(folder, image, output, block=block)
            np.testing.assert_allclose(
                np.asarray(found["out"])[0, :, :, 0], 2 * mean_of_neighbours(wanted(image.astype(np.float64))), atol=1e-5
            )

    def test_after_the_network(self, tmp_path: Path) -> None:
        """A macro that measures the output waits for all of it."""
        folder = described_folder(tmp_path / "mean", 'run("32-bit");', EIGHT_BIT_BINARIZE.format(threshold=100))
        image = pixels(40, 44)
        found = np.asarray(bc.predict(folder, image, block={"y": 12, "x": 12})["out"])[0, :, :, 0]
        mean = mean_of_neighbours(image)
        near = np.abs((mean - mean.min()) * 255 / np.ptp(mean) - 99.5) < 1e-3
        np.testing.assert_array_equal(found[~near], np.where((mean - mean.min()) * 255 / np.ptp(mean) >= 99.5, 255, 0)[~near])

    def test_in_place_of_ops(self, tmp_path: Path) -> None:
        """Macros run in place of described ops, and the plan says so."""
        folder = described_folder(tmp_path / "mean", SCALE_LINEAR.format(gain=3, offset=0), BINARIZE.format(threshold=5))
        tree = yaml.safe_load((folder / "rdf.yaml").read_text())
        tree["inputs"][0]["preprocessing"] = [{"name": "zero_mean_unit_variance", "kwargs": {"mode": "per_sample", "axes": "yx"}}]
        (folder / "rdf.yaml").write_text(yaml.safe_dump(tree))
        with bc.open_predictor(folder) as predictor:
            plan = predictor.plan(pixels())
        assert [step.name for step in plan.inputs[0].steps if step.name != "ensure_dtype"] == ["scale_linear"]
        assert "macros (pre.ijm, post.ijm) run in place of the ops zero_mean_unit_variance" in plan.warnings[-1]

    def test_unknown_macro(self, tmp_path: Path) -> None:
        """What cannot be carried out is shown, before anything is written."""
        folder = described_folder(tmp_path / "mean", DIALOG, BINARIZE.format(threshold=5))
        with pytest.raises(Exception, match=r"macro 'pre.ijm' cannot be carried out") as caught:
            bc.predict(folder, pixels(), str(tmp_path / "out.zarr"))
        assert DIALOG in str(caught.value)
        assert not (tmp_path / "out.zarr").exists()

    def test_java_code(self, tmp_path: Path) -> None:
        """A step in a jar is refused."""
        folder = described_folder(tmp_path / "mean", "", "")
        text = (folder / "rdf.yaml").read_text().replace("ij.IJ::runMacroFile", "General.jar Pre::preProcessingRoutineUsingImage", 1)
        (folder / "rdf.yaml").write_text(text)
        with pytest.raises(InputError, match=r"General.jar Pre::preProcessingRoutineUsingImage', which is Java code"):
            bc.predict(folder, pixels())

    def test_missing_macro(self, tmp_path: Path) -> None:
        """A macro that is not there is told by its name."""
        folder = described_folder(tmp_path / "mean", "", "")
        (folder / "pre.ijm").unlink()
        with pytest.raises(InputError, match=r"names the macro 'pre.ijm', which cannot be read"):
            bc.predict(folder, pixels())

    def test_by_option(self, tmp_path: Path) -> None:
        """The run mode is a matter of descriptions."""
        folder = described_folder(tmp_path / "mean", "", "", run_mode=None)
        with pytest.raises(InputError, match="is a matter of the description"):
            bc.predict(folder, pixels(), run_mode="deepimagej")

    def test_imported(self, tmp_path: Path) -> None:
        """A folder is imported as a model with ops, which needs no run mode and predicts the same."""
        folder = described_folder(tmp_path / "mean", MEAN_NORMALIZATION, BINARIZE_TO_ONE.format(threshold=THRESHOLD))
        tree = imported(folder, tmp_path / "model")
        assert "run_mode" not in tree
        assert tree["outputs"][0]["postprocessing"][0]["name"] == "binarize"
        image = pixels(30, 40)
        np.testing.assert_array_equal(np.asarray(bc.predict(tmp_path / "model", image)["out"])[0, :, :, 0], expected(image))


class TestExport:
    """Models for deepImageJ."""

    def test_from_legacy_and_back(self, tmp_path: Path) -> None:
        """What was read from a ``config.xml`` is written as the same one, with its macros and weights."""
        config = legacy_folder(tmp_path / "mean")
        bc.import_model(config, tmp_path / "model", "deepimagej")
        exported = bc.export_model(tmp_path / "model", "deepimagej", tmp_path / "written", layout="xml")
        assert exported.lost == ()
        assert read_legacy(tmp_path / "written" / "config.xml") == read_legacy(config)
        for name in ("net.pt", "preprocessing.ijm", "postprocessing.ijm"):
            assert (tmp_path / "written" / name).read_bytes() == (config.parent / name).read_bytes()
        bc.import_model(tmp_path / "written", tmp_path / "again", "deepimagej")
        image = pixels(20, 22)
        np.testing.assert_array_equal(np.asarray(bc.predict(tmp_path / "again", image)["out"])[0, :, :, 0], expected(image))

    def test_measured(self, tmp_path: Path) -> None:
        """A measured run fills in sizes, time and memory, and makes test tensors that are missing."""
        model = any_model(tmp_path, [{"id": "zero_mean_unit_variance"}])
        exported = bc.export_model(model, "deepimagej", tmp_path / "written", measure=True)
        tree = yaml.safe_load((exported.path / "rdf.yaml").read_text(encoding="utf-8"))
        information = read_block(tree["config"]["deepimagej"])[0].test_information
        assert information.memory_peak is not None
        assert information.memory_peak[0] > 20
        assert information.runtime is not None
        assert information.inputs[0].size == (64, 64, 1, 1)
        assert information.inputs[0].name == tree["test_inputs"][0]
        assert bc.test_model(exported.path, quick=True).status == "passed"

    def test_macros(self, tmp_path: Path) -> None:
        """Ops that have an equal macro get it; the macros alone predict what the ops do."""
        ops = [{"id": "clip", "kwargs": {"min": 0, "max": 90}}, {"id": "zero_mean_unit_variance", "kwargs": {}}]
        model = any_model(tmp_path, ops)
        exported = bc.export_model(model, "deepimagej", tmp_path / "written", measure=True)
        assert exported.lost == ()
        tree = yaml.safe_load((exported.path / "rdf.yaml").read_text(encoding="utf-8"))
        assert tree["format_version"].startswith("0.4")
        assert [op["name"] for op in tree["inputs"][0]["preprocessing"]] == ["clip", "zero_mean_unit_variance"]
        tree["run_mode"] = {"name": "deepimagej"}
        (exported.path / "rdf.yaml").write_text(yaml.safe_dump(tree))
        image = pixels(40, 48)
        np.testing.assert_allclose(
            np.asarray(bc.predict(exported.path, image)["out"]), np.asarray(bc.predict(model, image)["out"]), atol=1e-5
        )

    @pytest.mark.parametrize(
        ("name", "written"),
        [("{folder}/victim.ijm", "victim.ijm"), ("../victim.ijm", "victim.ijm"), ("..", "macro"), ("a/b\\c.ijm", "c.ijm"), ("C:", "C")],
    )
    def test_names_that_lead_out(self, name: str, written: str, tmp_path: Path) -> None:
        """A macro whose name is a path is written within the target, under its last name."""
        (tmp_path / "victim.ijm").write_text("kept")
        op = {"id": "imagej_macro", "kwargs": {"macro": 'run("32-bit");\n', "name": name.format(folder=tmp_path)}}
        bc.export_model(any_model(tmp_path, [op]), "deepimagej", tmp_path / "out", measure=True)
        assert (tmp_path / "out" / written).read_text().startswith("run(")
        assert (tmp_path / "victim.ijm").read_text() == "kept"

    def test_name_of_another_file(self, tmp_path: Path) -> None:
        """A macro does not replace the weights."""
        op = {"id": "imagej_macro", "kwargs": {"macro": 'run("32-bit");\n', "name": "weights.onnx"}}
        with pytest.raises(InputError, match=r"the macro 'weights.onnx' has the name of another file of the model"):
            bc.export_model(any_model(tmp_path, [op]), "deepimagej", tmp_path / "out", measure=True)
        assert not (tmp_path / "out").exists()

    def test_lost(self, tmp_path: Path) -> None:
        """What has no macro, and what format 0.4 does not know, is listed."""
        model = any_model(tmp_path, [{"id": "scale_range", "kwargs": {"min_percentile": 1, "max_percentile": 99}}, {"id": "softmax"}])
        lost = bc.export_model(model, "deepimagej", tmp_path / "written", measure=True).lost
        assert any("percentiles of the op scale_range" in sentence for sentence in lost)
        assert any("The op softmax of 'raw' has no macro" in sentence for sentence in lost)
        assert any("Format 0.4 does not know the op softmax" in sentence for sentence in lost)

    def test_xml_of_any_model(self, tmp_path: Path) -> None:
        """A model of format 0.5 becomes a ``config.xml``, which says the same sizes when it is read."""
        model = any_model(tmp_path, [{"id": "scale_linear", "kwargs": {"gain": 2, "offset": 1}}])
        with pytest.raises(InputError, match=r"expected weights that deepImageJ runs .tensorflow_saved_model_bundle, torchscript;"):
            bc.export_model(model, "deepimagej", tmp_path / "written", layout="xml")
        folder = described_folder(tmp_path / "mean", SCALE_LINEAR.format(gain=2, offset=1), BINARIZE.format(threshold=3))
        bc.import_model(folder, tmp_path / "imported", "deepimagej")
        bc.export_model(tmp_path / "imported", "deepimagej", tmp_path / "written", layout="xml")
        config = read_legacy(tmp_path / "written" / "config.xml").elements
        wanted = (
            "InputTensorDimensions",
            "FixedPatch",
            "MinimumSize",
            "Padding",
            "InputOrganization0",
            "OutputNames0",
            "PreprocessingFile",
        )
        assert [config[key] for key in wanted] == [",-1,-1,-1,1,", "false", "2", "1", "NHWC", "out", "pre.ijm"]

    def test_broken_by_hand(self, tmp_path: Path) -> None:
        """What of the block cannot be read is told."""
        config = {"deepimagej": {"test_information": {"runtime": "11.5 s s", "memory_peak": "much"}}}
        folder = described_folder(tmp_path / "mean", "", "", config=config, run_mode=None)
        lost = bc.export_model(folder, "deepimagej", tmp_path / "written").lost
        assert [sentence.partition(":")[0] for sentence in lost] == [
            "config.deepimagej.test_information.memory_peak",
            "config.deepimagej.test_information.runtime",
        ]

    @pytest.mark.parametrize(("options", "message"), [({"layout": "zip"}, "layout yaml or xml"), ({"measure": "yes"}, "true or false")])
    def test_wrong_options(self, options: dict[str, Any], message: str, tmp_path: Path) -> None:
        """Options are checked."""
        with pytest.raises(InputError, match=message):
            bc.export_model(any_model(tmp_path, []), "deepimagej", tmp_path / "written", **options)

    def test_shared_models(self, shared: Path, tmp_path: Path) -> None:
        """Published models become valid folders, in which their test tensors are reproduced."""
        for name in ("unet2d_diff_output_shape", "upsample_test_model", "unet2d_nuclei_broad"):
            exported = bc.export_model(shared / "models" / name, "deepimagej", tmp_path / name)
            descr = bc.load_model_description(exported.path)
            assert descr.format_version.startswith("0.4")
            report = bc.test_model(exported.path, quick=True)
            assert report.status == "passed", (name, report)


class TestSavedModelFacts:
    """What a SavedModel says of itself, read without TensorFlow."""

    def test_read(self, shared: Path) -> None:
        """The version of TensorFlow that wrote it, and the shapes of its outputs."""
        facts = read_saved_model(shared / "formats" / "fixtures" / "keras" / "sm_tf1" / "saved_model.pb")
        assert facts.tensorflow_version is not None
        assert [len(shape) for shape in facts.outputs.values()] == [4]

    @pytest.mark.parametrize("content", [b"", b"\xff" * 30, b"\x12\x7f", b"\x0b"])
    def test_broken(self, content: bytes, tmp_path: Path) -> None:
        """What cannot be read is unknown."""
        (tmp_path / "saved_model.pb").write_bytes(content)
        assert read_saved_model(tmp_path / "saved_model.pb") == SavedModelFacts()


def bmz(*arguments: str) -> None:
    """Run the command."""
    done = subprocess.run([sys.executable, "-m", "bioimageio_core.cli", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def edit(folder: Path, element: str, value: str) -> None:
    """Change an element of a configuration."""
    path = folder / "config.xml"
    path.write_text(path.read_text().replace(f"<{element}>{ELEMENTS[element]}<", f"<{element}>{value}<"))


def imported(path: Path, folder: Path) -> dict[str, Any]:
    """Import a model and return its description."""
    bc.import_model(path, folder, "deepimagej")
    tree: dict[str, Any] = yaml.safe_load((folder / "bioimageio.yaml").read_text(encoding="utf-8"))
    return tree


def any_model(folder: Path, ops: list[dict[str, Any]]) -> Path:
    """Write a model of format 0.5 with these ops; return its folder."""
    (folder / "any").mkdir()
    return box_model(folder / "any", {"min": 8, "step": 4}, preprocessing=ops)


def by_percentiles(image: Array, low: float, high: float) -> Array:
    """Scale an image by percentiles of its histogram."""
    first, last = histogram_start(image.astype(np.float32), low), histogram_start(image.astype(np.float32), high)
    return (image - first) / (last - first)
