"""Weights with a fixed input size that contradicts the description."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from made_models import BATCH, channels, follows, save_description_0_5, save_graph, space, tensor
from onnx import helper

import bioimageio_core as bc
from bioimageio_core.errors import InputError, ModelRunError, PredictionWarning
from bioimageio_core.spec.yaml import load_yaml
from bioimageio_core.weights.onnx_inputs import required_shapes

pytest.importorskip("onnxruntime")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A graph that takes 16 x 16 pixels, one at a time, described as any size from 8 in steps of 4."""
    shape = (1, 1, 16, 16)
    save_graph(tmp_path / "weights.onnx", [helper.make_node("Identity", ["raw"], ["out"])], {"raw": shape}, {"out": shape})
    size = {"min": 8, "step": 4}
    return save_description_0_5(
        tmp_path,
        [tensor("raw", BATCH, channels(), space("y", size), space("x", size))],
        [tensor("out", BATCH, channels(), space("y", follows("y")), space("x", follows("x")))],
    )


class TestOneSize:
    """Blocks have the one size that the weights take."""

    @pytest.mark.parametrize("shape", [(16, 16), (24, 24), (5, 70), (100, 33)])
    def test_any_image(self, model: Path, shape: tuple[int, int]) -> None:
        """Larger and smaller ones, without options."""
        image = np.random.default_rng(0).random(shape, dtype=np.float32)
        with pytest.warns(PredictionWarning, match="onnx weights take only the size y 16 and x 16 of input 'raw', though the description"):
            found = np.asarray(bc.predict(model, image)["out"])[0, 0]
        np.testing.assert_array_equal(found, image)

    @pytest.mark.parametrize("block", [16, {"y": 16}, {"y": 16, "x": 16}])
    def test_the_same_block(self, model: Path, block: Any) -> None:
        """May be given."""
        image = np.random.default_rng(0).random((32, 16), dtype=np.float32)
        np.testing.assert_array_equal(np.asarray(bc.predict(model, image, block=block)["out"])[0, 0], image)

    def test_origins_keep_the_described_step(self, model: Path) -> None:
        """A network that pools by 12 is described with that step; 16 alone would let blocks begin at multiples of 16."""
        description = (model / "bioimageio.yaml").read_text()
        (model / "bioimageio.yaml").write_text(description.replace("min: 8", "min: 4").replace("step: 4", "step: 12"))
        plan = bc.open_predictor(model).plan(np.zeros((90, 90), np.float32))
        assert [g.block_size(0) for g in plan.grids[-2:]] == [16, 16]
        assert [g.stride % 12 for g in plan.grids[-2:]] == [0, 0]

    def test_a_plan_loads_nothing(self, model: Path) -> None:
        """The sizes are read from the file."""
        predictor = bc.open_predictor(model)
        assert predictor.plan(np.zeros((90, 90), np.float32)).warnings
        assert predictor._loaded is None


class TestOtherWeights:
    """A size that the description or an option excludes leads to the next weights."""

    def with_torchscript(self, model: Path) -> Path:
        """Add weights that take any size, and give twice the input, so that it shows which ran."""
        torch = pytest.importorskip("torch")

        class Twice(torch.nn.Module):  # type: ignore[misc, name-defined]
            def forward(self, x: Any) -> Any:
                return x * 2

        torch.jit.trace(Twice(), torch.zeros(1, 1, 16, 16)).save(str(model / "weights.pt"))
        tree = load_yaml((model / "bioimageio.yaml").read_text())
        tree["weights"]["torchscript"] = {"source": "weights.pt", "pytorch_version": "2.5"}
        (model / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
        return model

    def test_block(self, model: Path) -> None:
        """Of another size."""
        image = np.random.default_rng(0).random((30, 30), dtype=np.float32)
        with pytest.warns(PredictionWarning, match=r"found block=\{'y': 24\}: .*; the torchscript weights are used"):
            found = bc.predict(self.with_torchscript(model), image, block={"y": 24, "x": 24})["out"]
        np.testing.assert_allclose(np.asarray(found)[0, 0], image * 2, rtol=1e-6)

    def test_description(self, model: Path) -> None:
        """From 32 on, it says."""
        description = (model / "bioimageio.yaml").read_text()
        (model / "bioimageio.yaml").write_text(description.replace("min: 8", "min: 32"))
        image = np.zeros((40, 40), np.float32)
        with pytest.raises(InputError, match=r"size 16 along axis 'y' of 'raw', which the description excludes: .*correct the description"):
            bc.predict(model, image)
        with pytest.warns(PredictionWarning, match="the torchscript weights are used"):
            bc.predict(self.with_torchscript(model), image)

    def test_another_fixed_size(self, model: Path) -> None:
        """A size that the description fixes to another number is refused, without advice that cannot help."""
        description = (model / "bioimageio.yaml").read_text()
        tree = load_yaml(description)
        for axis in tree["inputs"][0]["axes"][2:]:
            axis["size"] = 32
        (model / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
        image = np.zeros((40, 40), np.float32)
        with pytest.raises(InputError, match=r"size 16 along axis 'y' of 'raw', but the description fixes it to 32: use .*, or correct"):
            bc.predict(model, image)
        with pytest.warns(PredictionWarning, match="the torchscript weights are used"):
            bc.predict(self.with_torchscript(model), image)

    def test_requested_weights(self, model: Path, tmp_path: Path) -> None:
        """Are not replaced."""
        with pytest.raises(InputError, match=r"take only the size 16 along axis 'y' of 'raw', found block=\{'y': 24\}: leave it out"):
            bc.predict(self.with_torchscript(model), np.zeros((30, 30), np.float32), tmp_path / "o", weights_format="onnx", block=24)
        assert not (tmp_path / "o").exists()


class TestRefused:
    """Blocks of a different size are refused before anything is written, with the remedy."""

    def test_batches(self, model: Path) -> None:
        """The batch is larger than the graph takes."""
        with pytest.raises(InputError, match=r"require size 1 along axis 'batch' of 'raw'.*batch_size="):
            bc.predict(model, np.zeros((32, 16), np.float32), block={"y": 16, "x": 16}, batch_size=2)


class TestRequiredShapes:
    """What is read from the file is what ONNX Runtime says."""

    def test_equal(self, tmp_path: Path) -> None:
        """Numbers, names, and inputs of another order or none."""
        add = helper.make_node("Add", ["a", "b"], ["c"])
        save_graph(tmp_path / "w.onnx", [add], {"a": (1, "channels", 16, "x"), "b": 4}, {"c": 4})
        session = pytest.importorskip("onnxruntime").InferenceSession(str(tmp_path / "w.onnx"), providers=["CPUExecutionProvider"])
        said = [tuple(n if isinstance(n, int) else None for n in i.shape) for i in session.get_inputs()]
        assert required_shapes(str(tmp_path / "w.onnx"), ["first", "second"]) == said == [(1, None, 16, None), (None,) * 4]
        assert required_shapes(str(tmp_path / "w.onnx"), ["b", "unused", "a"]) == [said[1], (), said[0]]

    def test_same_names_in_another_order(self, tmp_path: Path) -> None:
        """Matched by position, with a line: one of the two orders is probably a mistake."""
        save_graph(tmp_path / "w.onnx", [helper.make_node("Sub", ["a", "b"], ["c"])], {"a": 4, "b": (None, 1, 8, 8)}, {"c": 4})
        with pytest.warns(PredictionWarning, match="takes the inputs in the order a, b, the description in the order b, a: .* by position"):
            assert required_shapes(str(tmp_path / "w.onnx"), ["b", "a"]) == [(None,) * 4, (None, 1, 8, 8)]

    @pytest.mark.parametrize("content", [b"", b"no graph", b"\x3a\xff\xff"])
    def test_broken(self, tmp_path: Path, content: bytes) -> None:
        """A broken file is one that loading reports."""
        (tmp_path / "w.onnx").write_bytes(content)
        with pytest.raises((ValueError, ModelRunError)):
            required_shapes(str(tmp_path / "w.onnx"), ["raw"])
