"""Files of ZEN as descriptions that predict what the framework predicts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from bioimageio_runtime_czmodel import bioimageio_foreign_formats
from made_files import XML, bare, metadata_of, network_bytes, network_of, spec_101, specification, write_czann, write_czmodel
from onnx import helper

import bioimageio_core as bc
from bioimageio_core.testing import ForeignFormatConformance

ENTRIES = {entry.name: entry for entry in bioimageio_foreign_formats()}

ONNX_FIXTURES = (
    "json_101.czmodel",
    "keras_101.czmodel",
    "keras_200.czann",
    "keras_300.czann",
    "keras_legacy_300.czseg",
    "onnx_101.czmodel",
    "onnx_101_notf.czmodel",
    "tiny_510.czann",
    "tiny_510_legacy.czmodel",
    "tiny_620.czann",
)
FIXTURES = (*ONNX_FIXTURES, "savedmodel_101.czmodel")


class TestCzannContract(ForeignFormatConformance):
    """What every format keeps, of ``.czann``."""

    entry = ENTRIES["czann"]

    @pytest.fixture
    def files(self, tmp_path: Path) -> Sequence[Path]:
        """One of each kind."""
        return [
            write_czann(tmp_path / "two.czann", license_text=b"mine"),
            write_czann(tmp_path / "regression.czann", Type="Regression", Classes=None, MinOverlap=None, Scaling=None),
        ]

    @pytest.fixture
    def other_files(self, tmp_path: Path) -> Sequence[Path]:
        """The other kind of file under the name of this one."""
        return [write_czmodel(tmp_path / "other.czann")]


class TestCzmodelContract(ForeignFormatConformance):
    """What every format keeps, of ``.czmodel`` and ``.czseg``."""

    entry = ENTRIES["czmodel"]

    @pytest.fixture
    def files(self, tmp_path: Path) -> Sequence[Path]:
        """Under both names."""
        return [write_czmodel(tmp_path / "one.czmodel"), write_czmodel(tmp_path / "one.czseg")]

    @pytest.fixture
    def other_files(self, tmp_path: Path) -> Sequence[Path]:
        """The other kind of file under the name of this one."""
        return [write_czann(tmp_path / "other.czmodel")]


class TestSpecificationContract(ForeignFormatConformance):
    """What every format keeps, of the JSON specification."""

    entry = ENTRIES["czmodel-json"]

    @pytest.fixture
    def files(self, tmp_path: Path) -> Sequence[Path]:
        """One that names an ONNX graph."""
        return [specification(tmp_path)]

    @pytest.fixture
    def other_files(self, tmp_path: Path) -> Sequence[Path]:
        """Other files of JSON."""
        contents = {"a.json": "{}", "b.json": "[]", "c.json": '{"ModelPath": "network.onnx", "Classes": []}', "d.json": '"BorderSize"'}
        for name, content in contents.items():
            (tmp_path / name).write_text(content)
        return [tmp_path / name for name in contents]


class TestSharedFiles:
    """What official packages wrote."""

    @pytest.mark.parametrize("name", FIXTURES)
    def test_contract(self, fixtures: Path, tmp_path: Path, name: str) -> None:
        """The format is told by the file alone, and the description is valid."""
        imported = bc.import_model(fixtures / name, tmp_path / "model")
        assert imported.format == ("czann" if name.endswith(".czann") else "czmodel")
        assert imported.report.status == "valid"
        assert not [issue for issue in imported.report.issues if issue.severity == "error"]

    @pytest.mark.parametrize("name", ONNX_FIXTURES)
    def test_predicts(self, fixtures: Path, tmp_path: Path, name: str) -> None:
        """In memory and out of core, what ONNX Runtime says of the bare network."""
        model = tmp_path / "model"
        bc.import_model(fixtures / name, model)
        descr = bc.load_model_description(model)
        dtype = descr.inputs[0].data.type
        scale = 1 if dtype == "float32" else np.iinfo(dtype).max
        image = (np.random.default_rng(1).random((1, 64, 64, 1)) * scale).astype(dtype)
        expected = bare(network_of(fixtures / name), image)
        found = bc.predict(model, image, axes="byxc", halo={"y": 0, "x": 0})["prediction"]
        np.testing.assert_allclose(np.asarray(found), expected, atol=1e-6)
        two = np.concatenate([image, image[:, ::-1]], axis=2)
        written = bc.predict(model, two, tmp_path / "out.zarr", axes="byxc", halo={"y": 0, "x": 0})["prediction"]
        both = np.concatenate([expected, bare(network_of(fixtures / name), image[:, ::-1])], axis=2)
        np.testing.assert_allclose(np.asarray(written), both, atol=1e-6)

    def test_said(self, fixtures: Path, tmp_path: Path) -> None:
        """Names, classes, border, pixel size, and the license."""
        bc.import_model(fixtures / "tiny_620.czann", tmp_path / "model")
        descr = bc.load_model_description(tmp_path / "model")
        image, prediction = descr.inputs[0], descr.outputs[0]
        assert descr.config["czmodel"]["model_name"] == "tiny"
        assert [(axis.id, getattr(axis, "scale", None), getattr(axis, "unit", None)) for axis in image.axes[1:3]] == [
            ("y", 0.1, "micrometer"),
            ("x", 0.1, "micrometer"),
        ]
        assert prediction.axes[-1].channel_names == ("Background", "Interesting Object", "Foreground")
        assert [axis.halo for axis in prediction.axes[1:3]] == [10, 10]
        assert [attachment.source for attachment in descr.attachments] == ["LICENSE.txt"]
        assert (tmp_path / "model" / "LICENSE.txt").read_text() == "test licence\n"

    def test_specification(self, fixtures: Path, tmp_path: Path) -> None:
        """What the package's command for exported models did: the same metadata as in the file that it wrote."""
        imported = bc.import_model(spec_101(fixtures, tmp_path / "spec"), tmp_path / "model", format="czmodel-json")
        assert imported.report.status == "valid"
        found = dict(bc.load_model_description(tmp_path / "model").config["czmodel"])
        bc.import_model(fixtures / "json_101.czmodel", tmp_path / "other")
        expected = dict(bc.load_model_description(tmp_path / "other").config["czmodel"])
        assert found.pop("id") != expected.pop("id")
        assert found == expected
        assert "tensorflow_saved_model_bundle" in bc.load_model_description(tmp_path / "model").weights


class TestColor:
    """Blue, green and red stay what they are."""

    @pytest.mark.parametrize("kind", ["czann", "czmodel"])
    def test_order(self, tmp_path: Path, kind: str) -> None:
        """The channels of the description are those of the network; an image in another order is put in order by names."""
        path = write_czann(tmp_path / "m.czann") if kind == "czann" else write_czmodel(tmp_path / "m.czmodel")
        bc.import_model(path, tmp_path / "model")
        descr = bc.load_model_description(tmp_path / "model")
        assert descr.inputs[0].axes[-1].channel_names == ("blue", "green", "red")
        bgr = np.random.default_rng(2).integers(0, 255, (1, 16, 24, 3)).astype("float32" if kind == "czann" else "uint8")
        expected = bare(network_bytes(), bgr)
        assert np.abs(bare(network_bytes(), bgr[..., ::-1]) - expected).max() > 0.05  # the order matters
        options: dict[str, Any] = {"axes": "byxc", "halo": {"y": 0, "x": 0}}
        np.testing.assert_allclose(np.asarray(bc.predict(tmp_path / "model", bgr, **options)["prediction"]), expected, atol=1e-6)
        rgb = bgr[..., ::-1]
        found = bc.predict(tmp_path / "model", rgb, channel=[2, 1, 0], **options)["prediction"]
        np.testing.assert_allclose(np.asarray(found), expected, atol=1e-6)

    @pytest.mark.parametrize(
        ("pixel_types", "handling", "channels", "dtype", "names"),
        [
            (["Gray8"], "ConvertToMonochrome", 1, "uint8", ("intensity",)),
            (["Gray16"], "SplitRgb", 1, "uint16", ("intensity",)),
            (["Gray32Float"], "ConvertToMonochrome", 1, "float32", ("intensity",)),
            (["Bgr24"], "ConvertToMonochrome", 1, "uint8", ("intensity",)),
            (["Bgr48"], "SplitRgb", 3, "uint16", ("blue", "green", "red")),
            (["Bgr96Float"], "SplitRgb", 3, "float32", ("blue", "green", "red")),
            (["Bgra32"], "SplitRgb", 4, "uint8", ("blue", "green", "red", "alpha")),
            (["Gray16", "Gray16"], "ConvertToMonochrome", 2, "uint16", ("channel0", "channel1")),
            (["Bgr24", "Gray8"], "SplitRgb", 4, "uint8", ("blue0", "green0", "red0", "channel1")),
            (["Bgr24"], "SplitRgb", 2, "uint8", ("channel0", "channel1")),
        ],
    )
    def test_pixel_types(
        self, tmp_path: Path, pixel_types: list[str], handling: str, channels: int, dtype: str, names: tuple[str, ...]
    ) -> None:
        """Each becomes a data type and names of channels; where it contradicts the network, that decides."""
        path = specification(tmp_path, PixelType=pixel_types, ColorHandling=handling)
        (tmp_path / "network.onnx").write_bytes(network_bytes(channels=channels))
        bc.import_model(path, tmp_path / "model")
        descr = bc.load_model_description(tmp_path / "model")
        assert (descr.inputs[0].data.type, descr.inputs[0].axes[-1].channel_names) == (dtype, names)


class TestGeometry:
    """Borders and sizes."""

    def test_czann(self, tmp_path: Path) -> None:
        """The overlap is twice the halo; the pixel size is of x, y in that order."""
        bc.import_model(write_czann(tmp_path / "m.czann", MinOverlap=[4, 6]), tmp_path / "model")
        descr = bc.load_model_description(tmp_path / "model")
        assert [(axis.id, axis.size, axis.scale) for axis in descr.inputs[0].axes[1:3]] == [("y", 16, 0.25), ("x", 24, 0.1)]
        assert [axis.halo for axis in descr.outputs[0].axes[1:3]] == [2, 3]

    def test_one_overlap_for_all(self, tmp_path: Path) -> None:
        """As some files have it."""
        bc.import_model(write_czann(tmp_path / "m.czann", MinOverlap=[6]), tmp_path / "model")
        assert [axis.halo for axis in bc.load_model_description(tmp_path / "model").outputs[0].axes[1:3]] == [3, 3]

    def test_no_room(self, tmp_path: Path) -> None:
        """A border that leaves nothing of a block is kept in the configuration, and told in the documentation."""
        bc.import_model(write_czann(tmp_path / "m.czann", MinOverlap=[16, 4]), tmp_path / "model")
        descr = bc.load_model_description(tmp_path / "model")
        assert [getattr(axis, "halo", 0) for axis in descr.outputs[0].axes[1:3]] == [0, 2]
        assert descr.config["czmodel"]["min_overlap"] == (16, 4)
        assert "A border of 8 pixels along y" in (tmp_path / "model" / "documentation.md").read_text()

    def test_free_sizes(self, tmp_path: Path) -> None:
        """A network of any size gets one that has room for the border."""
        xml = XML.replace("<BorderSize>2<", "<BorderSize>90<")
        bc.import_model(write_czmodel(tmp_path / "m.czmodel", xml, network=network_bytes("h", "w")), tmp_path / "model")
        descr = bc.load_model_description(tmp_path / "model")
        assert [axis.halo for axis in descr.outputs[0].axes[1:3]] == [90, 90]
        assert descr.inputs[0].axes[1].size.min == 192
        image = np.random.default_rng(3).integers(0, 255, (1, 300, 250, 3)).astype("uint8")
        found = np.asarray(bc.predict(tmp_path / "model", image, axes="byxc")["prediction"])
        np.testing.assert_allclose(found[:, 1:-1, 1:-1], bare(network_bytes("h", "w"), image)[:, 1:-1, 1:-1], atol=1e-6)

    def test_other_output_size(self, tmp_path: Path) -> None:
        """An output of another size has a scale of its own."""
        model = onnx.load_model_from_string(network_bytes())
        model.graph.node.append(helper.make_node("Slice", ["out0", "from", "to", "axes", "steps"], ["small"]))
        for name, values in (("from", [0, 0]), ("to", [16, 24]), ("axes", [1, 2]), ("steps", [2, 2])):
            model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(values, np.int64), name))
        model.graph.output[0].CopyFrom(helper.make_tensor_value_info("small", 1, ["n", 8, 12, 2]))
        network = model.SerializeToString()
        path = write_czann(tmp_path / "m.czann", network=network, OutputShape=[8, 12, 2])
        bc.import_model(path, tmp_path / "model")
        assert [axis.scale for axis in bc.load_model_description(tmp_path / "model").outputs[0].axes[1:3]] == [0.5, 0.2]
        image = np.random.default_rng(4).random((1, 16, 24, 3)).astype("float32")
        found = bc.predict(tmp_path / "model", image, axes="byxc", halo={"y": 0, "x": 0})["prediction"]
        np.testing.assert_allclose(np.asarray(found), bare(network, image), atol=1e-6)
        assert metadata_of(path)["OutputShape"] == [8, 12, 2]
