"""Weights that are broken, or that would do more than compute: one clear error, and nothing of them runs."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
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
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.trackable.resource import CapturableResource

from bioimageio_core.errors import ModelRunError, TrustError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning:.*keras.*")

X = np.zeros((1, 16, 16, 1), np.float32)


def refused(open_weights: Any, path: Path, match: str, error: type[Exception] = ModelRunError, **more: Any) -> None:
    """Assert that weights are refused in one line, when they are loaded or called."""
    with pytest.raises(error, match=match) as caught:
        open_weights(context(path, **more))([X])
    assert "\n" not in str(caught.value)


def _table(secret: str) -> Any:
    table = tf.raw_ops.HashTableV2(key_dtype=tf.int64, value_dtype=tf.string, shared_name="table")
    return tf.raw_ops.InitializeTableFromTextFileV2(table_handle=table, filename=secret, key_index=-1, value_index=-2)


def _csv(secret: str) -> Any:
    return tf.raw_ops.CSVDatasetV2(
        filenames=[secret],
        compression_type="",
        buffer_size=1000,
        header=False,
        field_delim=":",
        use_quote_delim=False,
        na_value="",
        select_cols=tf.constant([0], tf.int64),
        record_defaults=[tf.constant([""])],
        exclude_cols=tf.constant([], tf.int64),
        output_shapes=[[]],
    )


R = tf.raw_ops
OPERATIONS: dict[str, Callable[[str], Any]] = {
    "WriteFile": lambda path: R.WriteFile(filename=path, contents="written"),
    "Save": lambda path: R.Save(filename=tf.constant(path), tensor_names=tf.constant(["a"]), data=[tf.constant([1.0])]),
    "SaveV2": lambda path: R.SaveV2(
        prefix=tf.constant(path), tensor_names=tf.constant(["a"]), shape_and_slices=tf.constant([""]), tensors=[tf.constant([1.0])]
    ),
    "ReadFile": lambda path: R.ReadFile(filename=path),
    "MatchingFiles": lambda path: R.MatchingFiles(pattern=path),
    "ImmutableConst": lambda path: R.ImmutableConst(dtype=tf.uint8, shape=[1], memory_region_name=path),
    "InitializeTableFromTextFile": _table,
    "CSVDataset": _csv,
    "TextLineDataset": lambda path: R.TextLineDataset(filenames=path, compression_type="", buffer_size=0),
    "RestoreV2": lambda path: R.RestoreV2(prefix=path, tensor_names=["a"], shape_and_slices=[""], dtypes=[tf.float32])[0],
    "Print": lambda path: R.PrintV2(input=path),
    "PyFunc": lambda path: tf.numpy_function(lambda x: x, [path], tf.string),
}
"""What does more than compute, with the path of a file; each value is an operation or a tensor."""


class Wakes(CapturableResource):
    """A table with a function that TensorFlow runs when it loads the SavedModel."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self._act = act

    def _create_resource(self) -> Any:
        return R.HashTableV2(key_dtype=tf.int64, value_dtype=tf.float32, shared_name="wakes")

    def _initialize(self) -> None:
        self._act()

    def size(self) -> Any:
        """Use the table."""
        return tf.cast(R.LookupTableSizeV2(table_handle=self.resource_handle), tf.float32)


PLACES: dict[str, Callable[[Callable[[], None]], Any]] = {
    "signature": lambda act: act(),
    "branch": lambda act: tf.cond(tf.random.uniform([]) >= 0, lambda: (act(), 1)[1], lambda: 2),
    "loop": lambda act: tf.while_loop(lambda n: n < 1, lambda n: (act(), n + 1)[1], [tf.constant(0)]),
    "function of a function": lambda act: tf.function(lambda: (tf.function(act)(), 1)[1])(),
}


def save_graph(folder: Path, operation: str, where: str) -> Path:
    """Write a zipped SavedModel that runs an operation: in its signature, in a function called there, or while it is loaded."""

    def act() -> None:
        OPERATIONS[operation](str(folder / "witness"))

    module = tf.Module()
    module.wakes = Wakes(act if where == "loading" else lambda: None)

    def run(a: Any) -> Any:
        if where in PLACES:
            PLACES[where](act)
        return {"b": a + 1 + module.wakes.size()}

    signature = tf.function(run, input_signature=[tf.TensorSpec([None, None, None, 1], tf.float32, name="a")])
    tf.saved_model.save(module, str(folder / "saved"), signatures={"serving_default": signature})
    for made in folder.glob("witness*"):
        made.unlink()
    return zipped(folder / "saved", folder / "w.zip")


class TestSavedModels:
    """What may be wrong with them."""

    @pytest.mark.parametrize(
        ("operation", "where"),
        [*((operation, "signature") for operation in OPERATIONS), *((o, p) for o in ("WriteFile", "SaveV2") for p in (*PLACES, "loading"))],
    )
    def test_more_than_computing(self, tmp_path: Path, operation: str, where: str) -> None:
        """Operations that touch files, call Python or print, wherever the graph calls them, want trust and are named."""
        path, does_more = save_graph(tmp_path, operation, where), f"uses (.*, )?{operation}(V2)?[, ].*trust=True"
        refused(SavedModelAdapter, path, rf"the graph in w\.zip {does_more}", TrustError)
        assert not [*tmp_path.glob("witness*")]
        if operation in ("WriteFile", "Save"):
            SavedModelAdapter(context(path, trust=True))([X])
            assert [*tmp_path.glob("witness*")]

    def test_function_with_the_name_of_an_operation(self, tmp_path: Path) -> None:
        """It does not hide the operation."""
        path = tmp_path / "saved" / "saved_model.pb"
        save_graph(tmp_path, "WriteFile", "signature")
        saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
        saved.meta_graphs[0].graph_def.library.function.add().signature.name = "WriteFile"
        path.write_bytes(saved.SerializeToString())
        refused(SavedModelAdapter, zipped(tmp_path / "saved", tmp_path / "w.zip"), "uses WriteFile", TrustError)

    def test_function_that_may_be_chosen(self, tmp_path: Path) -> None:
        """TensorFlow replaces functions by others of the same interface, such as those for a GPU: saving is no excuse for them."""
        path = tmp_path / "saved" / "saved_model.pb"
        save_saved_model(unet(keras), tmp_path / "saved")
        SavedModelAdapter(context(tmp_path / "saved"))
        saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
        for function in saved.meta_graphs[0].graph_def.library.function:
            if "traced_save" in function.signature.name:
                function.attr["api_implements"].s = b"lstm"
        path.write_bytes(saved.SerializeToString())
        refused(SavedModelAdapter, tmp_path / "saved", "uses .*SaveV2", TrustError)

    @pytest.mark.parametrize("part", ["restores", "initializes"])
    def test_graphs_of_tensorflow_1(self, tmp_path: Path, part: str) -> None:
        """What such a graph runs when it is loaded, beside the signature."""
        builder = tf.compat.v1.saved_model.Builder(str(tmp_path / "saved"))
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            a = tf.compat.v1.placeholder(tf.float32, [None, None, None, 1], name="a")
            scale = tf.compat.v1.get_variable("scale", initializer=2.0, use_resource=False)
            write = tf.raw_ops.WriteFile(filename=str(tmp_path / "witness"), contents="written")
            session.run(tf.compat.v1.global_variables_initializer())
            served = {"predict": tf.compat.v1.saved_model.predict_signature_def({"a": a}, {"b": a * scale})}
            builder.add_meta_graph_and_variables(session, ["serve"], served, main_op=write if part == "initializes" else None)
            builder.save()
        path = tmp_path / "saved" / "saved_model.pb"
        if part == "restores":
            SavedModelAdapter(context(tmp_path / "saved"))  # nothing leads to the operation
            saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
            saved.meta_graphs[0].saver_def.restore_op_name = "WriteFile"
            path.write_bytes(saved.SerializeToString())
        refused(SavedModelAdapter, tmp_path / "saved", "uses WriteFile", TrustError)
        assert not (tmp_path / "witness").exists()

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
        refused(TensorflowJsAdapter, folder, "uses WriteFile", TrustError)

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
        refused(TensorflowJsAdapter, save_shards(tmp_path / "w", tree, [], b""), "cannot load the graph-model in w: .*Nonsense", trust=True)

    def test_bomb(self, tmp_path: Path) -> None:
        """A zip of zeros."""
        path = tmp_path / "w.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("model.json", "w", force_zip64=True) as file:
            for _ in range(1100):
                file.write(bytes(1 << 20))
        refused(TensorflowJsAdapter, path, "unlike weights")
