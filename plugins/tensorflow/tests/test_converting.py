"""Converters: the converted weights give what those that they were made from give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
import tf_keras
from bioimageio_runtime_tensorflow import bioimageio_weights_adapters, bioimageio_weights_converters
from bioimageio_runtime_tensorflow.saved_model import SavedModelAdapter
from made_keras import called, two_by_two, unet
from made_tensorflow import context, converter_context, save_saved_model, zipped
from recorded_runs import record_run

from bioimageio_core.errors import ModelRunError, TrustError
from bioimageio_core.registry import AdapterContext, WeightsConverterEntry
from bioimageio_core.testing import WeightsConverterConformance, WeightsExample
from bioimageio_core.weights.onnx import OnnxAdapter

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning:.*keras.*")

CONVERTERS = {(entry.from_format, entry.to_format): entry for entry in bioimageio_weights_converters()}
ADAPTERS = {entry.weights_format: entry for entry in bioimageio_weights_adapters()}

LIBRARIES = {"keras 3": keras, "keras 2": tf_keras}
SOURCES = [
    ("keras_v3", "keras 3"),
    ("keras_v3", "keras 2"),
    ("keras_hdf5", "keras 3"),
    ("keras_hdf5", "keras 2"),
    ("tensorflow_saved_model_bundle", "keras 3"),
    ("tensorflow_saved_model_bundle", "keras 2"),
]
NETWORKS = {"U-Net": unet, "two by two": two_by_two}


def written(weights_format: str, model: Any, folder: Path) -> Path:
    """Write a network in a format."""
    if weights_format == "tensorflow_saved_model_bundle":
        return zipped(save_saved_model(model, folder / "saved"), folder / "weights.zip")
    path = folder / f"weights{'.keras' if weights_format == 'keras_v3' else '.h5'}"
    model.save(path)
    return path


def run(weights_format: str, source: AdapterContext, path: Path, inputs: list[Any]) -> list[Any]:
    """Run converted weights as this library does."""
    from attrs import evolve

    opened = {"onnx": OnnxAdapter, "tensorflow_saved_model_bundle": SavedModelAdapter}[weights_format](evolve(source, path=str(path)))
    try:
        return list(opened(inputs))
    finally:
        opened.close()


@pytest.mark.parametrize(
    ("weights_format", "library", "target_format", "network"),
    [
        (*source, to, network)
        for source in SOURCES
        for to in ("onnx", "tensorflow_saved_model_bundle")
        for network in (["two by two"] if source[1] == "keras 3" else NETWORKS)  # a described U-Net of Keras 3 is converted elsewhere
        if (source[0], to) in CONVERTERS
    ],
)
class TestEqual:
    """Each way, for two networks, each made by two generations of Keras."""

    def test_outputs(self, tmp_path: Path, weights_format: str, library: str, target_format: str, network: str) -> None:
        """The same to 1e-5, in described order, for other sizes and batches than those of the test tensors, too."""
        model = NETWORKS[network](LIBRARIES[library])
        generator = np.random.default_rng(0)
        inputs = [generator.random((1, 32, 16, 1), dtype=np.float32) for _ in model.inputs]
        outputs = called(model, *inputs)
        ids = (("raw", "other")[: len(inputs)], ("zz", "aa")[: len(outputs)])
        source = context(written(weights_format, model, tmp_path), input_ids=ids[0], output_ids=ids[1])
        order = [0, 1][: len(outputs)]
        if (weights_format, library, network) == ("tensorflow_saved_model_bundle", "keras 2", "two by two"):
            order = [1, 0]  # what Keras 2 saves names outputs by their layers, and keeps them sorted by name
        target = tmp_path / "converted"
        fields = CONVERTERS[weights_format, target_format].load()(converter_context(source, inputs, target))
        for shape in ((1, 32, 16, 1), (3, 48, 64, 1)):
            inputs = [generator.random(shape, dtype=np.float32) for _ in model.inputs]
            wanted = [called(model, *inputs)[n] for n in order]
            found = run(target_format, source, target, inputs)
            assert len(found) == len(wanted)
            for one, other in zip(found, wanted, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
        assert fields == ({"opset_version": 17} if target_format == "onnx" else {"tensorflow_version": tf.__version__})
        if target_format == "onnx":
            graph = onnx.load(str(target)).graph
            assert ([i.name for i in graph.input], [o.name for o in graph.output]) == ([*ids[0]], [*ids[1]])
        frameworks = ("tensorflow-cpu", "tf2onnx", "onnxruntime") if target_format == "onnx" else ("tensorflow-cpu",)
        record_run(f"{weights_format} -> {target_format}", f"{network} ({library})", "converted", *frameworks)


class Conforms(WeightsConverterConformance):
    """What every converter keeps."""

    weights_format: str

    @pytest.fixture
    def example(self, tmp_path: Path) -> WeightsExample:
        """Return the U-Net of Keras 3."""
        folder = tmp_path / "source"
        folder.mkdir()
        model = unet(keras)
        inputs = [np.random.default_rng(0).random((1, 16, 20, 1), dtype=np.float32)]
        return WeightsExample(path=written(self.weights_format, model, folder), inputs=inputs, outputs=called(model, *inputs))


class TestKerasV3ToOnnx(Conforms):
    """The laws of converters."""

    entry: WeightsConverterEntry = CONVERTERS["keras_v3", "onnx"]
    weights_format = "keras_v3"


class TestKerasHdf5ToOnnx(Conforms):
    """The laws of converters."""

    entry: WeightsConverterEntry = CONVERTERS["keras_hdf5", "onnx"]
    weights_format = "keras_hdf5"


class TestKerasV3ToSavedModel(Conforms):
    """The laws of converters."""

    entry: WeightsConverterEntry = CONVERTERS["keras_v3", "tensorflow_saved_model_bundle"]
    weights_format = "keras_v3"


class TestKerasHdf5ToSavedModel(Conforms):
    """The laws of converters."""

    entry: WeightsConverterEntry = CONVERTERS["keras_hdf5", "tensorflow_saved_model_bundle"]
    weights_format = "keras_hdf5"


class TestSavedModelToOnnx(Conforms):
    """The laws of converters."""

    entry: WeightsConverterEntry = CONVERTERS["tensorflow_saved_model_bundle", "onnx"]
    weights_format = "tensorflow_saved_model_bundle"


class TestSharedFiles:
    """Files that other versions wrote."""

    @pytest.mark.parametrize(
        ("weights_format", "name", "output"),
        [
            ("keras_hdf5", "k22_emul.h5", "y"),
            ("keras_v3", "k2_v3.keras", "y"),
            ("tensorflow_saved_model_bundle", "sm_tf1", "y_tf1"),
            ("tensorflow_saved_model_bundle", "keras3/tensorflow_sm", "keras3/tensorflow"),
        ],
    )
    def test_to_onnx(self, fixtures: Path, tmp_path: Path, weights_format: str, name: str, output: str) -> None:
        """The outputs of those who wrote them, from ONNX Runtime."""
        folder, target = fixtures / "keras", tmp_path / "w.onnx"
        source = context(folder / name)
        x = np.load(folder / "x.npy")
        CONVERTERS[weights_format, "onnx"].load()(converter_context(source, [x], target))
        (found,) = run("onnx", source, target, [x])
        np.testing.assert_allclose(found, np.load(folder / f"{output}.npy"), atol=1e-5)
        record_run(f"{weights_format} -> onnx", Path(name).name, "converted", "tensorflow-cpu", "tf2onnx", "onnxruntime")

    def test_numbers_of_another_kind(self, shared: Path, tmp_path: Path) -> None:
        """A graph that takes float32 where the description says uint8 stays one that takes float32."""
        folder, target = shared / "models" / "tiktorch_dummy_tensorflow", tmp_path / "w.onnx"
        x = np.load(folder / "test_input.npy")
        source = context(folder / "dummy-model-weights.zip", input_ids=("input0",), output_ids=("output0",))
        axes = ("batch", "channel", "y", "x")
        CONVERTERS["tensorflow_saved_model_bundle", "onnx"].load()(converter_context(source, [x], target, axes))
        session = onnxruntime.InferenceSession(str(target))
        assert session.get_inputs()[0].type == "tensor(float)"
        (found,) = session.run(None, {"input0": x.astype(np.float32)})
        np.testing.assert_array_equal(found, np.load(folder / "test_output.npy"))
        record_run("tensorflow_saved_model_bundle -> onnx", folder.name, "converted", "tensorflow-cpu", "tf2onnx", "onnxruntime")


class TestFailures:
    """What cannot be converted says so in one line, and leaves nothing."""

    def refused(self, source: AdapterContext, target: Path, match: str, error: type[Exception] = ModelRunError, to: str = "onnx") -> None:
        """Assert that nothing is written."""
        entry = next(e for e in CONVERTERS.values() if e.to_format == to)
        with pytest.raises(error, match=match) as caught:
            entry.load()(converter_context(source, [np.zeros((1, 16, 16, 1), np.float32)], target))
        assert "\n" not in str(caught.value)
        assert not [*target.parent.iterdir()]

    @pytest.fixture
    def target(self, tmp_path: Path) -> Path:
        """A file in an empty folder."""
        (tmp_path / "out").mkdir()
        return tmp_path / "out" / "w.onnx"

    def test_lambda(self, fixtures: Path, target: Path) -> None:
        """Code in the weights."""
        self.refused(context(fixtures / "keras" / "k2_lambda.h5"), target, "holds a Lambda layer")

    def test_parameters_alone(self, fixtures: Path, target: Path) -> None:
        """No network."""
        self.refused(context(fixtures / "keras" / "k2_weights_only.h5"), target, "expected the attribute 'model_config'")

    def test_inputs(self, tmp_path: Path, target: Path) -> None:
        """More inputs than are described."""
        two_by_two(keras).save(tmp_path / "w.keras")
        self.refused(context(tmp_path / "w.keras"), target, "takes 2 inputs", to="tensorflow_saved_model_bundle")

    def test_graph_that_writes(self, tmp_path: Path, target: Path) -> None:
        """An operation that touches files."""

        def run(a: Any) -> Any:
            tf.io.write_file(str(tmp_path / "witness"), "written")
            return {"b": a + 1}

        signature = tf.function(run, input_signature=[tf.TensorSpec([None, None, None, 1], tf.float32, name="a")])
        tf.saved_model.save(tf.Module(), str(tmp_path / "saved"), signatures={"serving_default": signature})
        self.refused(context(tmp_path / "saved"), target, "WriteFile", TrustError)
        assert not (tmp_path / "witness").exists()

    def test_without_an_equal(self, tmp_path: Path, target: Path) -> None:
        """An operation that ONNX lacks is named."""
        way = tf.function(
            lambda a: {"b": tf.math.bessel_i0(a)}, input_signature=[tf.TensorSpec([None, None, None, 1], tf.float32, name="a")]
        )
        tf.saved_model.save(tf.Module(), str(tmp_path / "saved"), signatures={"serving_default": way})
        self.refused(context(tmp_path / "saved"), target, "saved cannot be converted to ONNX, which lacks BesselI0")

    def test_ids_that_are_no_names(self, tmp_path: Path) -> None:
        """Names are made up, and the order is kept; also where an output has the id of an input."""
        model, x = two_by_two(keras), np.random.default_rng(0).random((1, 16, 16, 1), dtype=np.float32)
        model.save(tmp_path / "w.keras")
        for number, ids in enumerate(((("the first", "2nd"), ("b/l", "ü")), (("one", "two"), ("two", "three")))):
            source = context(tmp_path / "w.keras", input_ids=ids[0], output_ids=ids[1])
            for to in ("onnx", "tensorflow_saved_model_bundle"):
                target = tmp_path / f"{to}{number}"
                CONVERTERS["keras_v3", to].load()(converter_context(source, [x, x], target))
                for found, wanted in zip(run(to, source, target, [x, 2 * x]), called(model, x, 2 * x), strict=True):
                    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
