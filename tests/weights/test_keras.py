"""Keras files on Keras 3; which backend is decided by the variable KERAS_BACKEND, once for all of these tests."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import weakref
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
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
from recorded_runs import record_run

import bioimageio_core as bc
from bioimageio_core.errors import InputError, ModelRunError
from bioimageio_core.registry import AdapterContext, WeightsAdapterEntry
from bioimageio_core.testing import WeightsAdapterConformance, WeightsExample
from bioimageio_core.weights.adapters import adapter_entries

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning:keras.*")

pytest.importorskip("keras")

from bioimageio_core.weights.keras import KerasAdapter  # noqa: E402
from bioimageio_core.weights.keras_backend import import_keras  # noqa: E402
from bioimageio_core.weights.keras_files import read_keras_file  # noqa: E402

keras: Any = import_keras()
BACKEND = keras.config.backend()
FRAMEWORKS = ("keras", {"tensorflow": "tensorflow-cpu"}.get(BACKEND, BACKEND))

ADAPTERS = {entry.weights_format: entry for entry in adapter_entries()}

ENTRIES: dict[str, dict[str, Any]] = {
    "keras_v3": {"source": "weights.keras", "keras_version": "3.12", "backend": [BACKEND, "2.0"]},
    "keras_hdf5": {"source": "weights.h5", "tensorflow_version": "2.16"},
}

NETWORKS = {"U-Net": (unet, UNET), "two by two": (two_by_two, TWO)}


def context(path: Path, **more: Any) -> AdapterContext:
    """Return what an adapter is given."""
    fields: dict[str, Any] = {"weights": None, "files": {}, "input_ids": ("a",), "output_ids": ("b",), "device": "cpu", "threads": 1}
    return AdapterContext(**{**fields, "path": str(path), **more})


def model_of(folder: Path, weights_format: str, network: str) -> tuple[Path, Any, Made]:
    """Write a described model; return its folder, its network, and its ids."""
    make, made = NETWORKS[network]
    native = make(keras)
    native.save(folder / ENTRIES[weights_format]["source"])
    return describe(folder, made, {weights_format: ENTRIES[weights_format]}), native, made


@pytest.mark.parametrize("network", [*NETWORKS])
@pytest.mark.parametrize("weights_format", [*ENTRIES])
class TestEqual:
    """Predictions are what Keras itself says."""

    def test_in_memory(self, tmp_path: Path, weights_format: str, network: str) -> None:
        """Arrays in, arrays out, blocks of two sizes."""
        model, native, made = model_of(tmp_path, weights_format, network)
        given = images(made)
        wanted = expected(lambda *padded: called(native, *padded), made, given)
        options = {"weights_format": weights_format, "axes": "yx"}
        assert_equal(predicted_in_memory(model, given, **options), wanted)
        assert_equal(predicted_in_memory(model, given, block={"y": 64, "x": 48}, workers=2, **options), wanted)
        record_run(weights_format, network, "in memory", *FRAMEWORKS)

    def test_out_of_core(self, tmp_path: Path, weights_format: str, network: str) -> None:
        """Zarr in, zarr out."""
        model, native, made = model_of(tmp_path, weights_format, network)
        given = images(made)
        wanted = expected(lambda *padded: called(native, *padded), made, given)
        assert_equal(predicted_out_of_core(model, given, tmp_path), wanted)
        record_run(weights_format, network, "out of core", *FRAMEWORKS)

    def test_test_tensors(self, tmp_path: Path, weights_format: str, network: str) -> None:
        """The test tensors are met, and those of another network are not."""
        model, native, made = model_of(tmp_path, weights_format, network)
        given = [array[None, ..., None] for array in images(made).values()]
        results = dict(zip(made.outputs, called(native, *given), strict=True))
        with_test_tensors(model, dict(zip(made.inputs, given, strict=True)), results)
        assert bc.test_model(model, weights_format=weights_format).status == "passed"
        with_test_tensors(model, {}, {o: array + 0.1 for o, array in results.items()})
        assert bc.test_model(model, weights_format=weights_format).status == "failed"
        record_run(weights_format, network, "test tensors", *FRAMEWORKS)


class TestPositions:
    """F23: inputs and outputs go by position, whatever their names; in a mapping by key where the keys are the ids."""

    X = np.full((1, 4, 4, 1), 5, np.float32)
    Y = np.full((1, 4, 4, 1), 3, np.float32)

    @pytest.mark.parametrize("ids", [("alpha", "zeta"), ("first", "second")])
    def test_lists(self, tmp_path: Path, ids: tuple[str, str]) -> None:
        """Even where the ids are names of inputs in another order."""
        native = two_by_two(keras)
        native.save(tmp_path / "w.keras")
        adapter = KerasAdapter(context(tmp_path / "w.keras", input_ids=ids, output_ids=("beta", "omega")))
        for found, wanted in zip(adapter([self.X, self.Y]), called(native, self.X, self.Y), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-6)

    def mapping(self, path: Path) -> None:
        """Write a network that takes and gives mappings: difference and sum."""
        left, right = keras.Input((None, None, 1), name="left"), keras.Input((None, None, 1), name="right")
        outputs = {"sum": keras.layers.Add()([left, right]), "difference": keras.layers.Subtract()([left, right])}
        keras.Model({"right": right, "left": left}, outputs).save(path)

    def test_mapping_by_key(self, tmp_path: Path) -> None:
        """Keys that are the ids."""
        self.mapping(tmp_path / "w.keras")
        adapter = KerasAdapter(context(tmp_path / "w.keras", input_ids=("right", "left"), output_ids=("sum", "difference")))
        assert [float(o[0, 0, 0, 0]) for o in adapter([self.X, self.Y])] == [8, -2]

    def test_mapping_by_position(self, tmp_path: Path) -> None:
        """Keys that are not: Keras sorts them."""
        self.mapping(tmp_path / "w.keras")
        adapter = KerasAdapter(context(tmp_path / "w.keras", input_ids=("a", "b"), output_ids=("c", "d")))
        assert [float(o[0, 0, 0, 0]) for o in adapter([self.X, self.Y])] == [2, 8]

    def test_fewer_described_inputs(self, tmp_path: Path) -> None:
        """The network wants more than the description has."""
        two_by_two(keras).save(tmp_path / "w.keras")
        with pytest.raises(ModelRunError, match=r"takes 2 inputs \(zeta, alpha\), the description has 1 \(a\)"):
            KerasAdapter(context(tmp_path / "w.keras"))

    @pytest.mark.filterwarnings("ignore::UserWarning")
    def test_never_built(self, tmp_path: Path) -> None:
        """A network that does not know what it takes."""
        keras.Sequential([keras.layers.Conv2D(1, 3)]).save(tmp_path / "w.keras")
        with pytest.raises(ModelRunError, match=r"w\.keras does not define the inputs of its network"):
            KerasAdapter(context(tmp_path / "w.keras"))


def layers() -> list[Any]:
    """Return the layers of a small network."""
    return [keras.layers.Conv2D(2, 3, padding="same", activation="relu"), keras.layers.Conv2D(1, 1)]


def functional() -> Any:
    """Return a network as a graph of layers."""
    raw = keras.Input((None, None, 1))
    first, second = layers()
    return keras.Model(raw, second(first(raw)))


FORMS: dict[str, Any] = {
    "sequential": lambda: keras.Sequential([keras.Input((None, None, 1)), *layers()]),
    "sequential, built by its first call": lambda: keras.Sequential(layers()),
    "functional": functional,
    "functional in sequential": lambda: keras.Sequential([keras.Input((None, None, 1)), functional()]),
    "sequential in sequential": lambda: keras.Sequential([keras.Input((None, None, 1)), keras.Sequential(layers())]),
}


class TestForms:
    """However a network is made, and whatever it was trained with."""

    X = np.random.default_rng(2).random((1, 8, 12, 1), dtype=np.float32)

    def check(self, native: Any, path: Path) -> None:
        """Assert that the adapter gives what the network gives in memory."""
        wanted = called(native, self.X)
        native.save(path)
        np.testing.assert_allclose(KerasAdapter(context(path))([self.X])[0], wanted[0], rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize("suffix", [".keras", ".h5"])
    @pytest.mark.parametrize("form", [*FORMS])
    def test_networks(self, tmp_path: Path, form: str, suffix: str) -> None:
        """Sequential ones have tensors, but no structure of inputs and outputs."""
        self.check(FORMS[form](), tmp_path / f"w{suffix}")

    @pytest.mark.parametrize("suffix", [".keras", ".h5"])
    @pytest.mark.parametrize("form", ["sequential", "functional"])
    def test_compiled(self, tmp_path: Path, form: str, suffix: str) -> None:
        """Optimizer, loss and metrics are never loaded, so that functions among them do not matter."""
        native = FORMS[form]()
        native.compile("adam", loss=lambda true, found: keras.ops.mean((true - found) ** 2), metrics=[lambda true, found: found])
        self.check(native, tmp_path / f"w{suffix}")


class Conforms(WeightsAdapterConformance):
    """What every adapter keeps."""

    suffix: str

    @pytest.fixture
    def example(self, tmp_path: Path) -> WeightsExample:
        """Return the U-Net."""
        native, path = unet(keras), tmp_path / f"weights{self.suffix}"
        native.save(path)
        given = np.random.default_rng(0).random((2, 16, 20, 1), dtype=np.float32)
        return WeightsExample(path=path, inputs=[given], outputs=called(native, given))


class TestKerasV3(Conforms):
    """The laws of adapters for ``.keras`` files."""

    entry: WeightsAdapterEntry = ADAPTERS["keras_v3"]
    suffix = ".keras"


class TestKerasHdf5(Conforms):
    """The laws of adapters for HDF5 files."""

    entry: WeightsAdapterEntry = ADAPTERS["keras_hdf5"]
    suffix = ".h5"


class TestSharedFiles:
    """Files that other versions and backends wrote."""

    @pytest.mark.parametrize(
        ("name", "output"),
        [
            ("k22_emul.h5", "y.npy"),
            ("k2_legacy.h5", "y.npy"),
            ("k3_fromtorch.h5", "y3.npy"),
            ("k3_fromtorch.keras", "y3.npy"),
            *(
                (f"keras3/{backend}.{suffix}", f"keras3/{backend}.npy")
                for backend in ("jax", "tensorflow", "torch")
                for suffix in ("h5", "keras")
            ),
        ],
    )
    def test_read(self, shared: Path, name: str, output: str) -> None:
        """With the outputs of those who wrote them."""
        folder = shared / "formats" / "fixtures" / "keras"
        adapter = KerasAdapter(context(folder / name))
        (found,) = adapter([np.load(folder / "x.npy")])
        np.testing.assert_allclose(found, np.load(folder / output), atol=1e-5)
        adapter.close()
        record_run("keras_v3" if name.endswith(".keras") else "keras_hdf5", Path(name).name, "in memory", *FRAMEWORKS)

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("k2_v3.keras", r"which Keras 2\.15\.0 wrote \(the plugin bioimageio-runtime-tensorflow reads files of Keras 1 and 2\)"),
            ("k2_weights_only.h5", r"holds parameters without the network .*expected the attribute 'model_config'"),
            ("k2_lambda.h5", r"holds a Lambda layer, which is Python code .* never run"),
            ("x.npy", r"is not a Keras file"),
        ],
    )
    def test_refused(self, shared: Path, name: str, message: str) -> None:
        """In one line that says what is missing, or who reads it."""
        with pytest.raises(ModelRunError, match=message) as caught:
            KerasAdapter(context(shared / "formats" / "fixtures" / "keras" / name))
        assert "\n" not in str(caught.value)

    def test_published_model(self, shared: Path) -> None:
        """A U-Net of TensorFlow 1.15 reproduces its test output; its description names files that are not there."""
        folder = shared / "models" / "keras_tf_unet"
        report = bc.test_model(folder / "rdf.yaml", weights_format="keras_hdf5")
        assert report.status == "passed", report
        record_run("keras_hdf5", "keras_tf_unet", "test tensors", *FRAMEWORKS)


class TestHostile:
    """Files that would run code, or fill the disk: refused before Keras sees them."""

    def changed(self, path: Path, change: Any) -> Path:
        """Write a ``.keras`` file whose configuration was changed."""
        unet(keras).save(path.with_name("good.keras"))
        with zipfile.ZipFile(path.with_name("good.keras")) as good, zipfile.ZipFile(path, "w") as bad:
            for name in good.namelist():
                text = good.read(name)
                if name == "config.json":
                    tree = json.loads(text)
                    change(tree)
                    text = json.dumps(tree).encode()
                bad.writestr(name, text)
        return path

    @pytest.mark.parametrize("suffix", [".keras", ".h5"])
    def test_lambda(self, tmp_path: Path, suffix: str) -> None:
        """The witness that its code would write does not appear."""
        witness = tmp_path / "witness"
        code = f"__import__('pathlib').Path({str(witness)!r}).write_text('ran')"
        raw = keras.Input((4,))
        run = eval(f"lambda x: ({code}, x)[1]")
        path = tmp_path / f"w{suffix}"
        keras.Model(raw, keras.layers.Lambda(run, output_shape=(4,))(raw)).save(path)
        witness.unlink(missing_ok=True)  # Keras has called it to see what it gives
        with pytest.raises(ModelRunError, match="holds a Lambda layer"):
            KerasAdapter(context(path))([np.zeros((1, 4), np.float32)])
        assert not witness.exists()

    @pytest.mark.parametrize(
        ("node", "message"),
        [
            ({"class_name": "function", "config": "system", "module": "os"}, "names function of the module os"),
            ({"class_name": "function", "config": "get_file", "module": "keras.utils"}, r"of the module keras\.utils"),
            ({"class_name": "function", "config": "eval(", "module": "builtins"}, "of the module builtins"),
            ({"class_name": "TFSMLayer", "config": {"filepath": "/"}, "module": "keras.layers"}, "holds a TFSMLayer layer"),
            ({"class_name": "__lambda__", "config": {"value": "4wAA"}}, "holds a __lambda__"),
        ],
    )
    def test_functions(self, tmp_path: Path, node: dict[str, Any], message: str) -> None:
        """Whatever Keras would look up by module and name."""
        path = self.changed(tmp_path / "bad.keras", lambda tree: tree["config"]["layers"][1]["config"].update(activation=node))
        with pytest.raises(ModelRunError, match=message):
            KerasAdapter(context(path))

    def test_bomb(self, tmp_path: Path) -> None:
        """A zip that unpacks to a thousand times its size."""
        path = tmp_path / "bomb.keras"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("metadata.json", "{}")
            archive.writestr("config.json", "{}")
            with archive.open("model.weights.h5", "w", force_zip64=True) as file:
                for _ in range(1100):
                    file.write(bytes(1 << 20))
        with pytest.raises(ModelRunError, match=r"would unpack to \d+, unlike weights"):
            KerasAdapter(context(path))

    @pytest.mark.parametrize("suffix", [".keras", ".h5"])
    def test_truncated(self, tmp_path: Path, suffix: str) -> None:
        """In one line."""
        path = tmp_path / f"w{suffix}"
        unet(keras).save(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        with pytest.raises(ModelRunError, match=r"w\.(keras|h5)") as caught:
            KerasAdapter(context(path))
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("groups", [1, 2])
    def test_groups(self, tmp_path: Path, groups: int) -> None:
        """Keras 2 writes groups for transposed convolutions; Keras 3 lacks them, so that more than one is not taken for one."""
        import h5py

        path, native = tmp_path / "w.h5", unet(keras)
        native.save(path)
        with h5py.File(path, "a") as file:
            tree = json.loads(file.attrs["model_config"])
            (layer,) = (node for node in tree["config"]["layers"] if node["class_name"] == "Conv2DTranspose")
            layer["config"]["groups"] = groups
            file.attrs["model_config"] = json.dumps(tree)
        if groups == 1:
            x = np.random.default_rng(0).random((1, 16, 16, 1), dtype=np.float32)
            np.testing.assert_allclose(KerasAdapter(context(path))([x])[0], called(native, x)[0], atol=1e-5)
        else:
            with pytest.raises(ModelRunError, match="2 groups is not known to Keras 3"):
                KerasAdapter(context(path))


class TestLife:
    """The network in memory, and its device."""

    def test_native(self, tmp_path: Path) -> None:
        """The `keras.Model`, whose layers are Keras's own: it can be saved and read without this library."""
        unet(keras).save(tmp_path / "w.keras")
        adapter = KerasAdapter(context(tmp_path / "w.keras"))
        assert isinstance(adapter.native, keras.Model)
        adapter.native.save(tmp_path / "again.keras")
        assert all(type(layer).__module__.startswith("keras.") for layer in adapter.native.layers)
        assert len(keras.models.load_model(tmp_path / "again.keras").layers) == len(adapter.native.layers)

    def test_freed(self, tmp_path: Path) -> None:
        """After it is closed, nothing holds the network."""
        unet(keras).save(tmp_path / "w.keras")
        adapter = KerasAdapter(context(tmp_path / "w.keras"))
        adapter([np.zeros((1, 16, 16, 1), np.float32)])
        network = weakref.ref(adapter.native)
        adapter.close()
        gc.collect()
        assert network() is None

    @pytest.mark.parametrize("device", ["cuda:77", "mps", "cpu:3", "cuda:x"])
    def test_device_that_is_not_there(self, tmp_path: Path, device: str) -> None:
        """Named, with what there is."""
        unet(keras).save(tmp_path / "w.keras")
        with pytest.raises(InputError, match=rf"'{device}' is not usable by Keras on {BACKEND}"):
            KerasAdapter(context(tmp_path / "w.keras", device=device))

    def test_other_name(self, tmp_path: Path) -> None:
        """What a file is, is in the file; Keras itself goes by the name."""
        for suffix in (".h5", ".keras"):
            unet(keras).save(tmp_path / f"w{suffix}")
            path = (tmp_path / f"w{suffix}").rename(tmp_path / f"{suffix[1:]}.weights")
            assert read_keras_file(path).kind == {".h5": "hdf5", ".keras": "keras"}[suffix]
            KerasAdapter(context(path)).close()


CHOICE = """
import os, sys
before = os.environ.get("KERAS_BACKEND")
{first}
from bioimageio_core.weights.keras_backend import import_keras
keras = import_keras()
print(keras.config.backend(), "tensorflow" in sys.modules, os.environ.get("KERAS_BACKEND") == before)
"""


class TestBackend:
    """Which backend Keras gets, in processes of their own."""

    def answers(self, first: str = "", **variables: str) -> list[str]:
        """Run a process."""
        environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"} | variables
        done = subprocess.run(
            [sys.executable, "-c", CHOICE.format(first=first)], capture_output=True, text=True, env=environment, check=True
        )
        return done.stdout.split()

    def test_preferred(self) -> None:
        """PyTorch where it is installed, and then no TensorFlow; the environment is as before."""
        pytest.importorskip("torch")
        assert self.answers() == ["torch", "False", "True"]

    def test_named(self) -> None:
        """The variable decides."""
        assert self.answers(KERAS_BACKEND=BACKEND)[0] == BACKEND

    def test_imported(self) -> None:
        """So does an import before."""
        first = f"os.environ['KERAS_BACKEND'] = before = {BACKEND!r}; import keras; del os.environ['KERAS_BACKEND']; before = None"
        assert self.answers(first)[0] == BACKEND

    def test_unknown(self) -> None:
        """One error, no traceback of Keras."""
        code = (
            "from bioimageio_core.weights.keras_backend import import_keras\n"
            "from bioimageio_core.errors import MissingRequirementError\n"
            "try:\n    import_keras()\nexcept MissingRequirementError as error:\n    print(error)"
        )
        environment = {**os.environ, "KERAS_BACKEND": "theano"}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
        assert done.stdout.startswith("Keras cannot be imported on the backend 'theano'")
