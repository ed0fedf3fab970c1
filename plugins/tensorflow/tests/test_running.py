"""Weights of all four formats predict what the framework itself says."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from bioimageio_runtime_tensorflow import bioimageio_weights_adapters
from bioimageio_runtime_tensorflow.keras_files import LegacyKerasAdapter, open_keras_file
from bioimageio_runtime_tensorflow.saved_model import SavedModelAdapter
from bioimageio_runtime_tensorflow.tensorflow_js import TensorflowJsAdapter
from made_keras import (
    TWO,
    UNET,
    Made,
    assert_equal,
    called,
    describe,
    expected,
    images,
    predicted_in_memory,
    predicted_out_of_core,
    two_by_two,
    unet,
)
from made_models import with_test_tensors
from made_tensorflow import ENTRIES, context, save_graph_model, save_layers_model, save_saved_model, zipped
from recorded_runs import record_run

import bioimageio_core as bc
from bioimageio_core.errors import InputError
from bioimageio_core.registry import WeightsAdapterEntry, collect
from bioimageio_core.testing import WeightsAdapterConformance, WeightsExample

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning:.*keras.*")

ADAPTERS = {entry.weights_format: entry for entry in bioimageio_weights_adapters()}
NETWORKS = {"U-Net": (unet, UNET), "two by two": (two_by_two, TWO)}


def write(kind: str, network: str, folder: Path) -> tuple[str, Any, Made]:
    """Write weights into a folder; return their format, the network, and the ids of its tensors."""
    make, made = NETWORKS[network]
    library = keras if kind in ("keras 3", "saved by keras 3") else tf_keras
    model, parts = make(library), folder / "parts"
    if kind in ("keras 3", "keras 2"):
        model.save(folder / "weights.keras")
        return "keras_v3", model, made
    if kind == "hdf5 of keras 2":
        model.save(folder / "weights.h5")
        return "keras_hdf5", model, made
    if kind.startswith("saved"):
        zipped(save_saved_model(model, parts), folder / "weights.zip", inside="network/" if network == "U-Net" else "")
        if kind == "saved by keras 2":  # it names outputs by their layers, and keeps them sorted by name
            made = made._replace(outputs={"product": 1, "blurred": 1}) if made is TWO else made
        return "tensorflow_saved_model_bundle", model, made
    if kind == "layers":
        save_layers_model(model, parts)
    else:
        save_graph_model(model, list(made.inputs), list(made.outputs), parts)
    zipped(parts, folder / "weights.zip")
    return "tensorflow_js", model, made


KINDS = ["keras 3", "keras 2", "hdf5 of keras 2", "saved by keras 3", "saved by keras 2", "layers", "graph"]
FRAMEWORKS = {"keras 3": ("keras", "tensorflow-cpu"), "keras 2": ("tf_keras", "tensorflow-cpu"), "layers": ("tf_keras", "tensorflow-cpu")}


@pytest.mark.parametrize("network", [*NETWORKS])
@pytest.mark.parametrize("kind", KINDS)
class TestEqual:
    """In memory and out of core, in blocks and as a whole, and the test tensors."""

    def wanted(self, model: Any, made: Made, outputs: list[str], given: dict[str, Any]) -> dict[str, Any]:
        """Return what the framework says for the whole, in described order."""
        network = TWO if len(made.inputs) > 1 else UNET
        results = expected(lambda *padded: called(model, *padded), network, given)
        return {o: results[o] for o in outputs}

    def test_predictions(self, tmp_path: Path, kind: str, network: str) -> None:
        """The same to 1e-5."""
        weights_format, model, made = write(kind, network, tmp_path)
        folder = describe(tmp_path, made, {weights_format: ENTRIES[weights_format]})
        given = images(made)
        wanted = self.wanted(model, made, list(made.outputs), given)
        frameworks = FRAMEWORKS.get(kind, ("tensorflow-cpu",))
        assert_equal(predicted_in_memory(folder, given, axes="yx"), wanted)
        assert_equal(predicted_in_memory(folder, given, axes="yx", block={"y": 64, "x": 48}, workers=2), wanted)
        record_run(weights_format, f"{network} ({kind})", "in memory", *frameworks)
        assert_equal(predicted_out_of_core(folder, given, tmp_path), wanted)
        record_run(weights_format, f"{network} ({kind})", "out of core", *frameworks)

    def test_test_tensors(self, tmp_path: Path, kind: str, network: str) -> None:
        """They are met."""
        weights_format, model, made = write(kind, network, tmp_path)
        folder = describe(tmp_path, made, {weights_format: ENTRIES[weights_format]})
        given = [array[None, ..., None] for array in images(made).values()]
        results = dict(zip((TWO if len(given) > 1 else UNET).outputs, called(model, *given), strict=True))
        with_test_tensors(folder, dict(zip(made.inputs, given, strict=True)), results)
        assert bc.test_model(folder, weights_format=weights_format).status == "passed"
        record_run(weights_format, f"{network} ({kind})", "test tensors", *FRAMEWORKS.get(kind, ("tensorflow-cpu",)))


class Conforms(WeightsAdapterConformance):
    """What every adapter keeps."""

    kind_of_weights: str

    @pytest.fixture
    def example(self, tmp_path: Path) -> WeightsExample:
        """Return the U-Net."""
        weights_format, model, _ = write(self.kind_of_weights, "U-Net", tmp_path)
        given = np.random.default_rng(0).random((2, 16, 20, 1), dtype=np.float32)
        return WeightsExample(path=tmp_path / ENTRIES[weights_format]["source"], inputs=[given], outputs=called(model, given))


class TestKerasV3(Conforms):
    """The laws of adapters, for a file of Keras 3."""

    entry: WeightsAdapterEntry = ADAPTERS["keras_v3"]
    kind_of_weights = "keras 3"


class TestKerasV2(Conforms):
    """The same for a ``.keras`` file of Keras 2."""

    entry: WeightsAdapterEntry = ADAPTERS["keras_v3"]
    kind_of_weights = "keras 2"


class TestKerasHdf5(Conforms):
    """The same for an HDF5 file of Keras 2."""

    entry: WeightsAdapterEntry = ADAPTERS["keras_hdf5"]
    kind_of_weights = "hdf5 of keras 2"


class TestSavedModel(Conforms):
    """The same for a zipped SavedModel."""

    entry: WeightsAdapterEntry = ADAPTERS["tensorflow_saved_model_bundle"]
    kind_of_weights = "saved by keras 3"


class TestLayersModel(Conforms):
    """The same for a TensorFlow.js model of layers."""

    entry: WeightsAdapterEntry = ADAPTERS["tensorflow_js"]
    kind_of_weights = "layers"


class TestGraphModel(Conforms):
    """The same for a TensorFlow.js model of a graph."""

    entry: WeightsAdapterEntry = ADAPTERS["tensorflow_js"]
    kind_of_weights = "graph"


class TestSharedFiles:
    """Files that other versions wrote, with the outputs of those who wrote them."""

    def check(self, adapter: Any, inputs: Path, outputs: Path) -> None:
        """Compare to 1e-5."""
        (found,) = adapter([np.load(inputs)])
        np.testing.assert_allclose(found, np.load(outputs), atol=1e-5)
        adapter.close()

    @pytest.mark.parametrize(("name", "output"), [("sm_tf1", "y_tf1"), ("sm_keras2", "y"), ("keras3/tensorflow_sm", "keras3/tensorflow")])
    def test_saved_models(self, fixtures: Path, tmp_path: Path, name: str, output: str) -> None:
        """As folders, and as zips."""
        folder = fixtures / "keras"
        for path in (folder / name, zipped(folder / name, tmp_path / "weights.zip")):
            self.check(SavedModelAdapter(context(path)), folder / "x.npy", folder / f"{output}.npy")
        record_run("tensorflow_saved_model_bundle", Path(name).name, "in memory", "tensorflow-cpu")

    @pytest.mark.parametrize("name", ["unet_savedmodel_tf2", "unet_export"])
    def test_saved_models_beside_tensorflow_js(self, fixtures: Path, name: str) -> None:
        """What TensorFlow.js models were made from."""
        self.check(SavedModelAdapter(context(fixtures / "tfjs" / name)), fixtures / "tfjs" / "x.npy", fixtures / "tfjs" / "y.npy")
        record_run("tensorflow_saved_model_bundle", name, "in memory", "tensorflow-cpu")

    @pytest.mark.parametrize("name", ["graph", "layers"])
    def test_tensorflow_js(self, fixtures: Path, tmp_path: Path, name: str) -> None:
        """As folders, and as zips."""
        folder = fixtures / "tfjs"
        for path in (folder / name, zipped(folder / name, tmp_path / "weights.zip")):
            self.check(TensorflowJsAdapter(context(path)), folder / "x.npy", folder / "y.npy")
        record_run("tensorflow_js", f"shared {name}", "in memory", "tensorflow-cpu")

    @pytest.mark.parametrize("name", ["care_plain", "care_prob", "sd2d"])
    def test_csbdeep(self, fixtures: Path, name: str) -> None:
        """CARE and StarDist: as TensorFlow says when it is asked directly."""
        import zipfile
        from tempfile import TemporaryDirectory

        path, x = fixtures / "csbdeep" / f"{name}.zip", np.random.default_rng(0).random((1, 32, 48, 1), dtype=np.float32)
        with TemporaryDirectory() as folder:
            zipfile.ZipFile(path).extractall(folder)
            signature = tf.saved_model.load(folder).signatures["serving_default"]
            wanted = signature(input=tf.constant(x))["output"].numpy()
        (found,) = SavedModelAdapter(context(path))([x])
        np.testing.assert_allclose(found, wanted, atol=1e-5)
        record_run("tensorflow_saved_model_bundle", name, "in memory", "tensorflow-cpu")

    @pytest.mark.parametrize(
        ("name", "output", "legacy"),
        [
            ("k22_emul.h5", "y", False),
            ("k2_legacy.h5", "y", False),
            ("k2_v3.keras", "y", True),
            ("k3_fromtorch.keras", "y3", False),
            ("k3_fromtorch.h5", "y3", False),
        ],
    )
    def test_keras(self, fixtures: Path, name: str, output: str, legacy: bool) -> None:
        """Keras 3 first, then Keras 2."""
        folder = fixtures / "keras"
        adapter = open_keras_file(context(folder / name))
        assert isinstance(adapter, LegacyKerasAdapter) == legacy
        self.check(adapter, folder / "x.npy", folder / f"{output}.npy")
        record_run("keras_v3" if name.endswith(".keras") else "keras_hdf5", name, "in memory", "tf_keras" if legacy else "keras")

    def test_keras_2_reads_all_of_its_files(self, fixtures: Path) -> None:
        """Also those that Keras 3 reads before it."""
        from bioimageio_core.weights.keras_files import read_keras_file

        folder = fixtures / "keras"
        for name in ("k22_emul.h5", "k2_legacy.h5", "k2_v3.keras"):
            self.check(LegacyKerasAdapter(context(folder / name), read_keras_file(folder / name)), folder / "x.npy", folder / "y.npy")

    @pytest.mark.parametrize(
        ("model", "weights_format"),
        [("tiktorch_dummy_tensorflow", "tensorflow_saved_model_bundle"), ("keras_tf_unet", "keras_hdf5")],
    )
    def test_published_models(self, shared: Path, model: str, weights_format: str) -> None:
        """Their test tensors are met; one wants float32 where uint8 is described."""
        report = bc.test_model(shared / "models" / model / "rdf.yaml", weights_format=weights_format)
        assert report.status == "passed", report
        record_run(weights_format, model, "test tensors", "tensorflow-cpu")


class TestQuantized:
    """Weights of TensorFlow.js in fewer bits."""

    @pytest.mark.parametrize("dtype", ["uint8", "uint16"])
    def test_layers(self, tmp_path: Path, dtype: str) -> None:
        """Near to those in full, and exactly ``scale * stored + minimum``."""
        model = unet(tf_keras)
        folder = save_layers_model(model, tmp_path / "parts", quantized=dtype)
        x = np.random.default_rng(0).random((1, 16, 16, 1), dtype=np.float32)
        for weight in model.weights:
            array, levels = weight.numpy(), np.iinfo(dtype).max
            low = float(array.min())
            scale = (float(array.max()) - low) / levels or 1.0
            weight.assign(np.round((array - low) / scale).astype(dtype) * np.float32(scale) + np.float32(low))
        (found,) = TensorflowJsAdapter(context(folder))([x])
        np.testing.assert_allclose(found, called(model, x)[0], atol=1e-5)


class TestChoice:
    """Which adapter takes Keras files."""

    def test_before_the_library(self) -> None:
        """This plugin's, which leaves to the library's what that can read."""
        registry = collect()
        for weights_format in ("keras_v3", "keras_hdf5"):
            assert max(registry.adapters_for(weights_format), key=lambda a: a.preference).name == f"tensorflow_{weights_format}"


class TestLife:
    """Networks in memory, and devices."""

    @pytest.mark.parametrize("kind", ["keras 2", "saved by keras 3", "layers", "graph"])
    def test_freed(self, tmp_path: Path, kind: str) -> None:
        """After it is closed, nothing holds the network, and nothing of it is left on disk."""
        weights_format, _, made = write(kind, "U-Net", tmp_path)
        path = tmp_path / ENTRIES[weights_format]["source"]
        adapter: Any = ADAPTERS[weights_format].load()(context(path, input_ids=tuple(made.inputs), output_ids=tuple(made.outputs)))
        adapter([np.zeros((1, 16, 16, 1), np.float32)])
        network = weakref.ref(adapter.native)
        adapter.close()
        gc.collect()
        assert network() is None

    @pytest.mark.parametrize("device", ["cuda:77", "mps", "cpu:3"])
    def test_device_that_is_not_there(self, tmp_path: Path, device: str) -> None:
        """Named, with what there is."""
        write("saved by keras 3", "U-Net", tmp_path)
        with pytest.raises(InputError, match=rf"'{device}' is not usable by the installed TensorFlow"):
            SavedModelAdapter(context(tmp_path / "weights.zip", device=device))

    def test_folders_of_equal_names(self, tmp_path: Path) -> None:
        """Two zips of one name never share a folder."""
        adapters = []
        for number, network in enumerate(NETWORKS):
            (tmp_path / str(number)).mkdir()
            _, model, made = write("saved by keras 3", network, tmp_path / str(number))
            ids = {"input_ids": tuple(made.inputs), "output_ids": tuple(made.outputs)}
            adapters.append((SavedModelAdapter(context(tmp_path / str(number) / "weights.zip", **ids)), model, len(made.inputs)))
        x = np.random.default_rng(0).random((1, 16, 16, 1), dtype=np.float32)
        for adapter, model, count in adapters:
            for found, wanted in zip(adapter([x] * count), called(model, *[x] * count), strict=True):
                np.testing.assert_allclose(found, wanted, atol=1e-5)
