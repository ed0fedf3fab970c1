"""Weights that are broken, or that would do more than compute: one clear error, and nothing of them runs."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from bioimageio_runtime_tensorflow.keras_files import open_keras_file, refuse_functions
from bioimageio_runtime_tensorflow.saved_model import SavedModelAdapter
from bioimageio_runtime_tensorflow.tensorflow_js import TensorflowJsAdapter
from made_keras import unet
from made_tensorflow import context, save_graph_model, save_layers_model, save_saved_model, save_shards, zipped

from bioimageio_core.errors import ModelRunError, TrustError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning:.*keras.*")

X = np.zeros((1, 16, 16, 1), np.float32)


def refused(open_weights: Any, path: Path, match: str, error: type[Exception] = ModelRunError, **more: Any) -> None:
    """Assert that weights are refused in one line, when they are loaded or called."""
    with pytest.raises(error, match=match) as caught:
        open_weights(context(path, **more))([X])
    assert "\n" not in str(caught.value)


class TestSavedModels:
    """What may be wrong with them."""

    @pytest.mark.parametrize("operation", ["write", "read", "python"])
    def test_more_than_computing(self, tmp_path: Path, operation: str) -> None:
        """Graphs that touch files or call Python: the witness does not appear, unless they are trusted."""
        witness = tmp_path / "witness"
        (tmp_path / "secret").write_text("a secret")

        def run(a: Any) -> Any:
            if operation == "write":
                tf.io.write_file(str(witness), "written")
            elif operation == "read":
                return {"b": a + tf.cast(tf.strings.length(tf.io.read_file(str(tmp_path / "secret"))), tf.float32)}
            else:
                a = tf.numpy_function(lambda x: x, [a], tf.float32)
            return {"b": a + 1}

        module = tf.Module()
        signature = tf.function(run, input_signature=[tf.TensorSpec([None, None, None, 1], tf.float32, name="a")])
        tf.saved_model.save(module, str(tmp_path / "saved"), signatures={"serving_default": signature})
        path = zipped(tmp_path / "saved", tmp_path / "w.zip")
        refused(SavedModelAdapter, path, r"w\.zip reads or writes files, or calls Python, by .*trust=True", TrustError)
        assert not witness.exists()
        if operation == "write":
            SavedModelAdapter(context(path, trust=True))([X])
            assert witness.exists()

    def test_tags(self, tmp_path: Path) -> None:
        """Another tag than serve is taken where it is the only one; several are named."""

        def save(*tags: str) -> Path:
            folder = tmp_path / "-".join(tags)
            builder = tf.compat.v1.saved_model.Builder(str(folder))
            with tf.Graph().as_default(), tf.compat.v1.Session() as session:
                a = tf.compat.v1.placeholder(tf.float32, [None, None, None, 1], name="a")
                scale = tf.compat.v1.get_variable("scale", initializer=2.0, use_resource=False)
                session.run(tf.compat.v1.global_variables_initializer())
                served = {"predict": tf.compat.v1.saved_model.predict_signature_def({"a": a}, {"b": a * scale})}
                for number, tag in enumerate(tags):
                    if number:
                        builder.add_meta_graph([tag], served)
                    else:
                        builder.add_meta_graph_and_variables(session, [tag], served)
                builder.save()
            return folder

        (found,) = SavedModelAdapter(context(save("mine")))([X + 3])
        assert np.unique(found).tolist() == [6]
        (found,) = SavedModelAdapter(context(save("train", "serve")))([X + 3])
        assert np.unique(found).tolist() == [6]
        refused(SavedModelAdapter, save("one", "two"), "no graph with the tag serve: .*found graphs with one; two")

    def test_signatures(self, tmp_path: Path) -> None:
        """Several without a usual name are named; so is that there is none."""
        specs = [tf.TensorSpec([None, None, None, 1], tf.float32, name="a")]
        ways = {name: tf.function(lambda a: {"b": a + 1}, input_signature=specs) for name in ("first", "second")}
        tf.saved_model.save(tf.Module(), str(tmp_path / "two"), signatures=ways)
        refused(SavedModelAdapter, tmp_path / "two", "expected serving_default or serve, or a single one, found first, second")
        tf.saved_model.save(tf.Module(), str(tmp_path / "none"))
        refused(SavedModelAdapter, tmp_path / "none", "or a single one, found none")

    def test_fewer_described_inputs(self, tmp_path: Path) -> None:
        """The signature wants more than the description has."""
        specs = [tf.TensorSpec([None], tf.float32, name=name) for name in ("p", "q")]
        way = tf.function(lambda p, q: {"b": p + q}, input_signature=specs)
        tf.saved_model.save(tf.Module(), str(tmp_path / "saved"), signatures={"serving_default": way})
        refused(SavedModelAdapter, tmp_path / "saved", r"takes 2 inputs \(p, q\), the description has 1 \(a\)")

    @pytest.mark.parametrize("part", ["saved_model.pb", "variables/variables.data-00000-of-00001"])
    def test_broken(self, tmp_path: Path, part: str) -> None:
        """A part that was cut short."""
        folder = save_saved_model(unet(keras), tmp_path / "saved")
        (folder / part).write_bytes((folder / part).read_bytes()[:-300])
        refused(SavedModelAdapter, zipped(folder, tmp_path / "w.zip"), r"cannot load the SavedModel in w\.zip")


class TestKerasFiles:
    """Code in them is refused, whichever generation of Keras would read them."""

    @pytest.mark.parametrize("suffix", [".keras", ".h5"])
    def test_lambda_of_keras_2(self, tmp_path: Path, suffix: str) -> None:
        """The witness that its code would write does not appear."""
        witness = tmp_path / "witness"
        raw = tf_keras.Input((4,))
        run = eval(f"lambda x: (__import__('pathlib').Path({str(witness)!r}).write_text('ran'), x)[1]")
        path = tmp_path / f"w{suffix}"
        tf_keras.Model(raw, tf_keras.layers.Lambda(run)(raw)).save(path)
        witness.unlink(missing_ok=True)  # Keras has called it to see what it gives
        refused(open_keras_file, path, "holds a Lambda layer, which is Python code")
        assert not witness.exists()

    def test_shared_lambda(self, fixtures: Path) -> None:
        """That of another maker."""
        refused(open_keras_file, fixtures / "keras" / "k2_lambda.h5", "holds a Lambda layer")

    def test_functions_that_compute(self, tmp_path: Path) -> None:
        """Networks of Keras 2 that call TensorFlow are run."""
        raw = tf_keras.Input((None, None, 1))
        model = tf_keras.Model(raw, tf.nn.relu(raw * 2.0 - 1.0))
        model.save(tmp_path / "w.h5")
        (found,) = open_keras_file(context(tmp_path / "w.h5"))([X + 3])
        assert np.unique(found).tolist() == [5]

    @pytest.mark.parametrize("function", ["io.write_file", "io.read_file", "py_function", "load_op_library", "raw_ops.WriteFile"])
    def test_functions_that_do_more(self, function: str) -> None:
        """They are named."""
        layer = {"class_name": "TFOpLambda", "config": {"function": function}}
        with pytest.raises(ModelRunError, match=f"calls the function {function} of TensorFlow"):
            refuse_functions({"config": {"layers": [layer]}}, "w.h5")

    def test_neither_reads_it(self, tmp_path: Path) -> None:
        """One error for both."""
        path = tmp_path / "w.h5"
        unet(tf_keras).save(path)
        import h5py

        with h5py.File(path, "a") as file:
            file.attrs["model_config"] = str(file.attrs["model_config"]).replace("MaxPooling2D", "MinPooling2D")
        refused(open_keras_file, path, r"neither Keras 3 nor Keras .* can load w\.h5, which Keras .* wrote: .*MinPooling2D")


class TestTensorflowJs:
    """What may be wrong with ``model.json`` and its shards."""

    def changed(self, folder: Path, change: Any) -> Path:
        """Write a model of layers whose ``model.json`` was changed."""
        save_layers_model(unet(tf_keras), folder)
        tree = json.loads((folder / "model.json").read_text())
        change(tree)
        (folder / "model.json").write_text(json.dumps(tree))
        return zipped(folder, folder.with_suffix(".zip"))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (
                lambda tree: tree.pop("weightsManifest"),
                r"model\.json in w\.zip is not what TensorFlow\.js writes \(KeyError: 'weightsManifest'\)",
            ),
            (lambda tree: tree.update(modelTopology=[]), "is not what TensorFlow.js writes|cannot load"),
            (lambda tree: tree.update(format="tensors"), "of format 'tensors': expected layers-model or graph-model"),
            (lambda tree: tree["weightsManifest"][0]["paths"].append("shard3.bin"), r"the shard 'shard3\.bin', which is not there"),
            (lambda tree: tree["weightsManifest"][0]["paths"].append("../../etc/passwd"), "lies outside of its folder"),
            (lambda tree: tree["weightsManifest"][0]["paths"].pop(), "the shards end within the weight"),
            (lambda tree: tree["weightsManifest"][0]["weights"].pop(), r"have \d+ bytes: expected \d+ for their weights"),
            (lambda tree: tree["weightsManifest"][0]["weights"][0].update(dtype="string"), "dtype string: expected one of float32"),
            (lambda tree: tree["weightsManifest"][0]["weights"][0].update(name="other"), "the shards lack conv2d.*, the layers lack other"),
            (lambda tree: tree["weightsManifest"][0]["weights"][0].update(shape=[1, 9, 1, 4]), r"cannot load the layers-model"),
            (lambda tree: tree.update(modelInitializer={"node": []}, initializerSignature={"a": 1}), "fills tables before it runs"),
        ],
    )
    def test_malformed(self, tmp_path: Path, change: Any, message: str) -> None:
        """Each is told."""
        refused(TensorflowJsAdapter, self.changed(tmp_path / "w", change), message)

    def test_no_json(self, tmp_path: Path) -> None:
        """Text that is no JSON."""
        (tmp_path / "w").mkdir()
        (tmp_path / "w" / "model.json").write_text("{")
        refused(TensorflowJsAdapter, tmp_path / "w", "is not what TensorFlow.js writes")

    def test_lambda(self, tmp_path: Path) -> None:
        """Code in the topology."""

        def change(tree: dict[str, Any]) -> None:
            tree["modelTopology"]["model_config"]["config"]["layers"][1]["class_name"] = "Lambda"

        refused(TensorflowJsAdapter, self.changed(tmp_path / "w", change), "holds a Lambda layer")

    def test_graph_that_writes(self, tmp_path: Path) -> None:
        """An operation that writes a file."""
        folder = save_graph_model(unet(tf_keras), ["a"], ["b"], tmp_path / "w")
        tree = json.loads((folder / "model.json").read_text())
        tree["modelTopology"]["node"].append({"name": "write", "op": "WriteFile", "input": ["x", "y"]})
        (folder / "model.json").write_text(json.dumps(tree))
        refused(TensorflowJsAdapter, folder, "by WriteFile", TrustError)

    def test_unknown_operation(self, tmp_path: Path) -> None:
        """One that TensorFlow lacks."""
        tree = {
            "format": "graph-model",
            "modelTopology": {
                "node": [
                    {"name": "x", "op": "Placeholder", "attr": {"dtype": {"type": "DT_FLOAT"}}},
                    {"name": "y", "op": "Nonsense", "input": ["x"]},
                ]
            },
        }
        refused(TensorflowJsAdapter, save_shards(tmp_path / "w", tree, [], b""), "cannot load the graph-model in w: .*Nonsense")

    def test_bomb(self, tmp_path: Path) -> None:
        """A zip of zeros."""
        path = tmp_path / "w.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("model.json", "w", force_zip64=True) as file:
            for _ in range(1100):
                file.write(bytes(1 << 20))
        refused(TensorflowJsAdapter, path, "unlike weights")
