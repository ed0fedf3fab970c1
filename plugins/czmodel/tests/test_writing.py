"""Files for ZEN: what is in them, and real models."""

from __future__ import annotations

import uuid
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comparing import OPSETS, SHARED, assert_same, exported, integers, lost, members
from made_files import XML, bare, metadata_of, network_of, write_czann, write_czmodel
from made_models import BATCH, box_model, channels, pointwise_model, save_description_0_5, save_graph, space, tensor
from onnx import helper

import bioimageio_core as bc
from bioimageio_core.errors import InputError


class TestSharedModels:
    """Real models."""

    @pytest.mark.parametrize("version", ["2.1.0", "1.1.0"])
    @pytest.mark.parametrize("name", SHARED)
    def test_bare_network(self, shared: Path, tmp_path: Path, name: str, version: str) -> None:
        """In both versions of the operators."""
        options, background, taken, given, overlap = SHARED[name]
        model = shared / "models" / name
        path = exported(model, tmp_path / "m.czann", file_version=version, **options)
        found = metadata_of(path)
        assert (found["InputShape"], found["OutputShape"], found.get("MinOverlap")) == (taken, given, overlap)
        image = integers((1, *taken))
        bare(network_of(path), image, opset=OPSETS[version])
        assert_same(model, path, image, background=background, weights_format="onnx")

    def test_test_tensors(self, shared: Path, tmp_path: Path) -> None:
        """The network in the file, on the test input, gives the test output."""
        folder = shared / "models" / "unet2d_nuclei_broad"
        path = exported(folder / "bioimageio.yaml", tmp_path / "m.czmodel", statistics="block")
        image, expected = np.load(folder / "test_input.npy"), np.load(folder / "test_output.npy")
        found = bare(network_of(path), image.transpose(0, 2, 3, 1), opset=12)
        np.testing.assert_allclose(found[..., 1], expected[:, 0], atol=1e-3)

    def test_converted(self, shared: Path, tmp_path: Path) -> None:
        """Weights of another format are converted; an output with an axis z of one plane loses it."""
        pytest.importorskip("torch", reason="torch is not installed")
        model = shared / "models" / "unet2d_nuclei_broad" / "expand_output_shape.bioimageio.yaml"
        path = exported(model, tmp_path / "m.czann", statistics="block", file_version="2.0.0")
        assert metadata_of(path)["OutputShape"] == [512, 512, 2]
        assert_same(model, path, integers((1, 512, 512, 1)), background=True)

    def test_cannot(self, shared: Path, tmp_path: Path) -> None:
        """All that a file cannot hold is in one error, and nothing is written."""
        with pytest.raises(InputError) as raised:
            exported(shared / "models" / "unet2d_multi_tensor_v0_4" / "v0_4.bioimageio.yaml", tmp_path / "m.czann")
        for words in (
            "there are 2 inputs (input0, input1): expected one",
            "there are 2 outputs (output0, output1): expected one, which the option output names",
            "the op 'zero_mean_unit_variance' of 'input0' needs statistics of the complete image (over channel, y, x)",
            "the op 'zero_mean_unit_variance' of 'input1' needs statistics of the complete image (over channel, y, x)",
        ):
            assert words in str(raised.value)
        assert list(tmp_path.iterdir()) == []


class TestScaling:
    """Sizes of pixels, in metres along x, y, z."""

    @pytest.mark.parametrize(
        ("axes", "version", "expected"),
        [
            ("yx", "2.1.0", [1.3e-07, 6.5e-08]),
            ("zyx", "2.1.0", [1.3e-07, 6.5e-08, 5e-07]),
            ("zyx", "1.1.0", [1.3e-07, 6.5e-08]),
            ("yx", "1.0.0", None),
        ],
    )
    def test_described(self, tmp_path: Path, axes: str, version: str, expected: Any) -> None:
        """As the axes say it, as far as the version can."""
        pixel = {"z": (500, "nanometer"), "y": (0.065, "micrometer"), "x": (0.13, "micrometer")}
        made = [space(a, 8, scale=pixel[a][0], unit=pixel[a][1]) for a in axes]
        save_graph(tmp_path / "weights.onnx", [helper.make_node("Identity", ["raw"], ["out"])], {"raw": 5}, {"out": 5})
        rank = 2 + len(axes)
        save_graph(tmp_path / "weights.onnx", [helper.make_node("Identity", ["raw"], ["out"])], {"raw": rank}, {"out": rank})
        model = save_description_0_5(tmp_path, [tensor("raw", BATCH, channels(), *made)], [tensor("out", BATCH, channels(), *made)])
        said = lost(model, tmp_path / "m.czann", file_version=version)
        assert metadata_of(tmp_path / "m.czann").get("Scaling") == expected
        assert ("does not store the size of pixels" in said) == (version != "2.1.0")

    def test_given(self, tmp_path: Path) -> None:
        """By an option."""
        path = exported(box_model(tmp_path, 64), tmp_path / "m.czann", type="Regression", scaling=[1e-7, 2e-7])
        assert metadata_of(path)["Scaling"] == [1e-07, 2e-07]

    def test_unknown(self, tmp_path: Path) -> None:
        """Without a unit nothing is said."""
        assert "Scaling" not in metadata_of(exported(box_model(tmp_path, 64), tmp_path / "m.czann", type="Regression"))


class TestFiles:
    """What is in a file, and in which order."""

    def test_czann(self, tmp_path: Path) -> None:
        """Metadata, network, license, test image; all stored."""
        (tmp_path / "LICENSE.md").write_text("mine")
        (tmp_path / "image.png").write_bytes(b"png")
        model = box_model(tmp_path, 64)
        path = tmp_path / "m.czann"
        options = {"license_file": str(tmp_path / "LICENSE.md"), "test_image": str(tmp_path / "image.png"), "type": "Regression"}
        assert "they are further members of the file" in lost(model, path, **options)
        assert members(path) == ["model.json", "model.model", "LICENSE.md", "image.png"]
        assert uuid.UUID(metadata_of(path)["Id"])
        assert metadata_of(path)["ModelName"] == "made model"

    def test_same_bytes(self, tmp_path: Path) -> None:
        """The same model gives the same file."""
        model = box_model(tmp_path, 64)
        one, other = (exported(model, tmp_path / f"{name}.czann", type="Regression").read_bytes() for name in ("one", "other"))
        assert one == other

    @pytest.mark.parametrize(
        ("dtype", "names", "expected"),
        [
            ("uint8", ("a",), (["Gray8"], "ConvertToMonochrome")),
            ("uint16", ("a",), (["Gray16"], "ConvertToMonochrome")),
            ("float32", ("a",), (["Gray32Float"], "ConvertToMonochrome")),
            ("float32", ("a", "b"), (["Gray32Float", "Gray32Float"], "ConvertToMonochrome")),
            ("uint8", ("red", "green", "blue"), (["Bgr24"], "SplitRgb")),
            ("uint16", ("red", "green", "blue"), (["Bgr48"], "SplitRgb")),
            ("uint8", ("r", "g", "b", "alpha"), (["Bgra32"], "SplitRgb")),
        ],
    )
    def test_czmodel(self, tmp_path: Path, dtype: str, names: tuple[str, ...], expected: tuple[list[str], str]) -> None:
        """XML, network, license and a marker; the pixel type is that of the input."""
        (tmp_path / "LICENSE.txt").write_text("mine")
        model = pointwise_model(tmp_path, names=names, dtype=dtype, post=[{"id": "softmax"}])
        path = exported(
            model,
            tmp_path / "m.czmodel",
            spatial_dims=[8, 8],
            license_file=str(tmp_path / "LICENSE.txt"),
            id="5f0c6f0e-5d2b-4a53-9d55-0b9a3b1a7f10",
            probabilities="background",
        )
        guid = "5f0c6f0e-5d2b-4a53-9d55-0b9a3b1a7f10"
        assert members(path) == [f"{guid}.xml", f"{guid}.model", "LICENSE.txt", f"modelid={guid}"]
        bc.import_model(path, tmp_path / "again")
        found = bc.load_model_description(tmp_path / "again").config["czmodel"]
        assert (list(found["pixel_types"]), found["color_handling"]) == expected
        colors = [tuple(one["color"]) for one in found["classes"]]
        assert colors[:2] == [(255, 0, 0), (0, 255, 0)]
        assert [one["label"] for one in found["classes"]] == list(range(1, len(names) + 2))

    def test_versions(self, tmp_path: Path) -> None:
        """The newest by default; else what is asked for, or what a ZEN reads."""
        model = box_model(tmp_path, 64)
        for options, stated in (
            ({}, "2.1.0"),
            ({"file_version": "2-0-0"}, None),
            ({"zen_blue": "3.5"}, None),
            ({"zen_blue": "3.13", "zen_core": 3.2}, "error"),
            ({"zen_core": "3.13"}, "2.1.0"),
        ):
            try:
                found = metadata_of(exported(model, tmp_path / "m.czann", type="Regression", **options)).get("FormatVersion")
            except InputError:
                found = "error"
            assert found == stated

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"file_version": "9.0"}, r"there is no file version 9.0: expected one of 2.1.0 \(ZEN Blue 3.13, Core 3.13; ONNX opset 18\)"),
            ({"zen_blue": "3.4"}, "ZEN Blue 3.4 does not read czann files"),
            ({"zen_blue": 3.1}, "zen_blue 3.1 may be 3.1 or 3.10: write it as text"),
            ({"zen_core": "new"}, "expected zen_core as in '3.5'"),
            ({"file_version": "2.1.0", "zen_core": "3.5"}, "ZEN Core 3.5 does not read file version 2.1.0"),
            ({"type": "Other"}, "option type: expected one of SingleClass"),
            ({"license_file": "nowhere.txt"}, "option license_file: expected a file, found none at nowhere.txt"),
            ({"id": "mine"}, "option id: expected a UUID"),
            ({"border": -1, "rgb_to_bgr": 1, "scaling": [0, 1]}, "option border: .*; option rgb_to_bgr: .*; option scaling: "),
            ({"input_maximum": "many"}, "option input_maximum: "),
            ({"statistics": "image"}, "option statistics: expected one of block"),
            ({"probabilities": "no"}, "option probabilities: expected one of softmax, background, as_is"),
            ({"classes": {"a": 1}}, "option classes: "),
        ],
    )
    def test_options(self, tmp_path: Path, options: dict[str, Any], words: str) -> None:
        """Values that make no sense, all of them listed."""
        with pytest.raises(InputError, match=words):
            exported(box_model(tmp_path, 64), tmp_path / "m.czann", **options)


class TestRoundTrip:
    """From a file to a description and back."""

    @pytest.mark.parametrize(
        "name",
        [
            "json_101.czmodel", "keras_101.czmodel", "keras_200.czann", "keras_300.czann", "keras_legacy_300.czseg", "onnx_101.czmodel",
            "onnx_101_notf.czmodel", "savedmodel_101.czmodel", "tiny_510.czann", "tiny_510_legacy.czmodel", "tiny_620.czann",
        ],
    )  # fmt: skip
    def test_shared_files(self, fixtures: Path, tmp_path: Path, name: str) -> None:
        """Files of official packages come back byte for byte, member for member."""
        kind = bc.import_model(fixtures / name, tmp_path / "model").format
        path = tmp_path / name
        bc.export_model(tmp_path / "model", kind, path)
        with zipfile.ZipFile(fixtures / name) as one, zipfile.ZipFile(path) as other:
            assert one.namelist() == other.namelist()
            for member in one.namelist():
                assert one.read(member) == other.read(member), member

    def test_all_that_czann_says(self, tmp_path: Path) -> None:
        """Keys of no version, another order of classes and several files, too."""
        path = write_czann(
            tmp_path / "m.czann", license_text=b"mine", Comment={"by": ["me"]}, Type="MultiClassSemanticSegmentation", FormatVersion="2.1.0"
        )
        bc.import_model(path, tmp_path / "model")
        exported(tmp_path / "model", tmp_path / "again.czann")
        assert metadata_of(tmp_path / "again.czann") == metadata_of(path)
        assert members(tmp_path / "again.czann") == members(path)

    def test_all_that_czmodel_says(self, tmp_path: Path) -> None:
        """Colors and labels of classes, postprocessing and version."""
        xml = XML.replace('Version="3.1.0"', 'Version="3.0.0"').replace("<Postprocessing />", "<Postprocessing>CRF</Postprocessing>")
        path = write_czmodel(tmp_path / "m.czmodel", xml)
        bc.import_model(path, tmp_path / "model")
        exported(tmp_path / "model", tmp_path / "again.czmodel")
        with zipfile.ZipFile(path) as one, zipfile.ZipFile(tmp_path / "again.czmodel") as other:
            assert [one.read(name) for name in one.namelist()] == [other.read(name) for name in other.namelist()]

    def test_from_one_to_the_other(self, tmp_path: Path) -> None:
        """A czann file as a czmodel file: classes and border stay."""
        bc.import_model(write_czann(tmp_path / "m.czann"), tmp_path / "model")
        path = exported(tmp_path / "model", tmp_path / "m.czmodel")
        bc.import_model(path, tmp_path / "again")
        found = bc.load_model_description(tmp_path / "again")
        assert found.outputs[0].axes[-1].channel_names == ("Background", "Interesting Object")
        assert [axis.halo for axis in found.outputs[0].axes[1:3]] == [2, 2]
        assert found.config["czmodel"]["pixel_types"] == ("Bgr96Float",)

    def test_changed(self, tmp_path: Path) -> None:
        """What was changed in the description since is written as it is now."""
        bc.import_model(write_czann(tmp_path / "m.czann"), tmp_path / "model")
        file = tmp_path / "model" / "bioimageio.yaml"
        text = file.read_text().replace("scale: 0.25", "scale: 0.5").replace("name: made", "name: another")
        text = text.replace("halo: 2", "halo: 3").replace("Interesting Object", "Nucleus", 1)
        file.write_text(text)
        found = metadata_of(exported(tmp_path / "model", tmp_path / "again.czann", type="SingleClassSemanticSegmentation"))
        assert found["Scaling"] == [1e-07, 5e-07]
        assert found["MinOverlap"] == [6, 6]
        assert found["Id"] == "5f0c6f0e-5d2b-4a53-9d55-0b9a3b1a7f10"
