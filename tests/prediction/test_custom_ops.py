"""Ops whose code comes with the model."""

from __future__ import annotations

import pickle
import sys
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
import yaml
from bmz_process import run_process
from made_models import pointwise_model, with_test_tensors

import bioimageio_core as bc
from bioimageio_core.api import default_registry
from bioimageio_core.errors import HashMismatchError, ModelRunError, OutputError, TrustError
from bioimageio_core.prediction.data.checked_op import CheckedOp
from bioimageio_core.prediction.model.loaded_model import LoadedModel
from bioimageio_core.prediction.model.processing_steps import plan_steps
from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.prediction.predictor import Predictor
from bioimageio_core.prediction.whole_tensor import WholeTensorCall
from bioimageio_core.registry import Registry
from bioimageio_core.sources import open_package
from bioimageio_core.spec.validation import read_tree
from bioimageio_core.spec.yaml import load_yaml
from bioimageio_core.typing import FrozenMapping

ABOVE_MEAN = """
class AboveMean:
    def __init__(self, times=1.0):
        self.times = times

    def __call__(self, *arrays):
        return (arrays[0] > self.times * arrays[0].mean()).astype("uint8")
"""
"""A result that any block but the complete sample would spoil."""

BLOCKS: dict[str, Any] = {"block": {"y": 16, "x": 16}, "axes": "yx"}


def image(*shape: int) -> np.ndarray[Any, Any]:
    """Return noise on a ramp, so that the mean of every block differs."""
    ramp = np.linspace(0, 5, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    return ramp + np.random.default_rng(0).random(shape, dtype=np.float32)


def step(name: str, source: str = "post.py", **more: Any) -> dict[str, Any]:
    """Return the step."""
    return {"id": "custom", "source": source, "callable": name, **more}


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """Write a model with code in ``post.py`` and one custom step."""

    def write(code: str, name: str, out_dtype: str = "uint8", source: str = "post.py", more: Any = None, **fields: Any) -> Path:
        folder = tmp_path / "model"
        (folder / source).parent.mkdir(parents=True, exist_ok=True)
        (folder / source).write_text(code)
        newest = {"format_version": "0.5.14", "documentation": {"source": "README.md"}}
        return pointwise_model(folder, post=[step(name, source, **fields)], out_dtype=out_dtype, **newest, **(more or {}))

    return write


def loaded(folder: Path, registry: Registry | None = None) -> LoadedModel:
    """Return the loaded model of a folder."""
    package, registry = open_package(folder), registry or default_registry()
    assert isinstance(package.content, bytes)
    return LoadedModel.of(read_tree(load_yaml(package.content), registry)[0], package, registry)


def predicted(model: Any, array: Any, **options: Any) -> np.ndarray[Any, Any]:
    """Return the prediction as numpy, without batch and channel."""
    result = bc.predict(model, array, trust=True, **{**BLOCKS, **options})
    assert result.plan.regions.block_count > 4
    return np.asarray(result["out"]).squeeze()


class TestValues:
    """Right values, worked out by numpy."""

    def test_complete_sample(self, made: Callable[..., Path]) -> None:
        """The code sees the complete output at once, though the network runs on blocks."""
        x = image(60, 50)
        found = predicted(made(ABOVE_MEAN, "AboveMean", kwargs={"times": 1.25}), x)
        np.testing.assert_array_equal(found, (x > 1.25 * x.mean()).astype(np.uint8))

    def test_factory(self, made: Callable[..., Path]) -> None:
        """A function that returns a function; it is called once, and what it returns for each sample."""
        code = "calls = []\ndef make(power):\n    calls.append(1)\n    return lambda array: array ** power + len(calls)\n"
        x = image(3, 40, 40)
        found = predicted(made(code, "make", out_dtype="float32", kwargs={"power": 2}), x, axes="tyx")
        np.testing.assert_allclose(found, x**2 + 1, rtol=1e-6)

    def test_samples_apart(self, made: Callable[..., Path]) -> None:
        """Each position along an axis that the model lacks is a sample of its own."""
        x = image(3, 40, 40)
        means = x.mean(axis=(1, 2), keepdims=True)
        np.testing.assert_array_equal(predicted(made(ABOVE_MEAN, "AboveMean"), x, axes="tyx"), (x > means).astype(np.uint8))

    @pytest.mark.parametrize("dtype", ["int64", "uint64"])
    def test_any_dtype(self, made: Callable[..., Path], dtype: str) -> None:
        """Labels that no float can hold arrive as they are."""
        large = 2**60 + 1
        code = f"import numpy as np\ndef make():\n    return lambda array: np.full(array.shape, {large}, {dtype!r})\n"
        assert set(predicted(made(code, "make", out_dtype=dtype), image(40, 40)).ravel().tolist()) == {large}

    def test_code_may_change_its_copy(self, made: Callable[..., Path]) -> None:
        """The network's output and the user's image stay as they are."""
        code = "def make():\n    def double(array):\n        array *= 2\n        return array\n    return double\n"
        x = image(40, 40)
        given = x.copy()
        np.testing.assert_allclose(predicted(made(code, "make", out_dtype="float32"), given), 2 * x, rtol=1e-6)
        np.testing.assert_array_equal(given, x)

    def test_other_steps_around(self, tmp_path: Path) -> None:
        """Steps before and after run in the written order."""
        (tmp_path / "post.py").write_text(ABOVE_MEAN)
        before = {"id": "scale_linear", "kwargs": {"gain": -1.0}}
        after = {"id": "scale_linear", "kwargs": {"gain": 3.0}}
        x = image(40, 40)
        found = predicted(pointwise_model(tmp_path, post=[before, step("AboveMean"), after]), x)
        np.testing.assert_array_equal(found, 3.0 * (-x > (-x).mean()))

    def test_on_inputs(self, made: Callable[..., Path]) -> None:
        """The format has the op for outputs; a registry that allows it on inputs runs it there, on the complete image."""
        folder = made(ABOVE_MEAN, "AboveMean")
        tree = yaml.safe_load((folder / "bioimageio.yaml").read_text())
        tree["inputs"][0]["preprocessing"] = tree["outputs"][0].pop("postprocessing")
        (folder / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
        report = bc.validate(folder)
        assert "expected an op for preprocessing, found 'custom', which is for postprocessing" in str([i.message for i in report.issues])
        registry = default_registry()
        anywhere = attrs.evolve(registry.processing_ops["custom"], where=("preprocessing", "postprocessing"))
        registry = attrs.evolve(registry, processing_ops=FrozenMapping({**registry.processing_ops, "custom": anywhere}))
        x = image(40, 40)
        with Predictor(loaded(folder, registry), PredictOptions(trust=True, **BLOCKS)) as predictor:
            np.testing.assert_array_equal(np.asarray(predictor.predict(x)["out"]).squeeze(), (x > x.mean()).astype(np.uint8))


class TestFiles:
    """The code lies as in the package, and finds what is attached."""

    CODE = (
        "from pathlib import Path\nimport helper\nHERE = Path(__file__).parent\n"
        "def make():\n    def run(array):\n        from later import shift\n"
        "        return array * helper.GAIN + shift + float((HERE / 'offset.txt').read_text())\n    return run\n"
    )

    @pytest.mark.parametrize("way", ["folder", "zip", "packaged"])
    def test_beside_it(self, made: Callable[..., Path], tmp_path: Path, way: str) -> None:
        """Modules and files, also those that are asked for while it runs, in a folder, a zip, and a package of either."""
        attached = [{"source": f"code/{name}"} for name in ("helper.py", "later.py", "offset.txt")]
        model = made(self.CODE, "make", out_dtype="float32", source="code/post.py", more={"attachments": attached})
        for name, text in {"helper.py": "GAIN = 3.0\n", "later.py": "shift = 0.5\n", "offset.txt": "100"}.items():
            (model / "code" / name).write_text(text)
        if way == "zip":
            with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
                for file in model.rglob("*.*"):
                    archive.write(file, file.relative_to(model))
            model = tmp_path / "model.zip"
        if way == "packaged":
            bc.save_package(model, tmp_path / "package.zip")
            model = tmp_path / "package.zip"
        x = image(40, 40)
        np.testing.assert_allclose(predicted(model, x), 3 * x + 100.5, rtol=1e-6)

    def test_hash(self, made: Callable[..., Path]) -> None:
        """A file with other content is refused, and a package gets the hash of one without."""
        model = made(ABOVE_MEAN, "AboveMean", sha256="0" * 64)
        with pytest.raises(HashMismatchError, match=r"post\.py"):
            predicted(model, image(40, 40))

    def test_hash_in_packages(self, made: Callable[..., Path], tmp_path: Path) -> None:
        """A package has the hash of the file, whether it was described or not."""
        bc.save_package(made(ABOVE_MEAN, "AboveMean"), tmp_path / "package")
        tree = yaml.safe_load((tmp_path / "package" / "bioimageio.yaml").read_text())
        assert tree["outputs"][0]["postprocessing"][0]["sha256"] == sha256(ABOVE_MEAN.encode()).hexdigest()

    def test_leaves_nothing(self, made: Callable[..., Path]) -> None:
        """Modules of the code are forgotten with the op."""
        predicted(made(ABOVE_MEAN, "AboveMean"), image(40, 40))
        assert not [name for name in sys.modules if name.startswith("_model_code")]

    def test_resume_with_other_code(self, made: Callable[..., Path], tmp_path: Path) -> None:
        """Results of different code are not mixed."""
        model = made(ABOVE_MEAN, "AboveMean")
        output = str(tmp_path / "out.zarr")
        bc.predict(model, image(40, 40), output, trust=True, **BLOCKS)
        (model / "post.py").write_text(ABOVE_MEAN.replace("uint8", "uint16"))
        with pytest.raises(OutputError, match="different model"):
            bc.predict(model, image(40, 40), output, trust=True, resume=True, **BLOCKS)


class TestTrust:
    """Nothing of the model runs unless it is trusted."""

    CODE = "from pathlib import Path\n(Path({mark!r})).write_text('ran')\n" + ABOVE_MEAN

    def test_refused_before_anything_is_written(self, made: Callable[..., Path], tmp_path: Path) -> None:
        """Predicting raises one sentence with the remedy; planning, validating, packaging and cards run nothing."""
        mark = tmp_path / "mark"
        model = made(self.CODE.format(mark=str(mark)), "AboveMean")
        with bc.open_predictor(model, **BLOCKS) as predictor:
            predictor.plan(image(40, 40))
            with pytest.raises(TrustError, match=r"custom op AboveMean of post\.py, .* trust=True"):
                predictor.predict(image(40, 40), str(tmp_path / "out.zarr"))
        assert bc.validate(model, check_files=True).status == "valid"
        bc.save_package(model, tmp_path / "package.zip")
        bc.card(model)
        assert not mark.exists()
        assert not (tmp_path / "out.zarr").exists()
        bc.predict(model, image(40, 40), trust=True, **BLOCKS)
        assert mark.exists()

    def test_models_are_tested_with_trust(self, made: Callable[..., Path]) -> None:
        """`bmz test` fails with the remedy, and passes with it."""
        x = image(16, 16)[None, None]
        model = with_test_tensors(made(ABOVE_MEAN, "AboveMean"), {"raw": x}, {"out": (x > x.mean()).astype(np.uint8)})
        untrusted = run_process("test", model)
        assert untrusted.status == 1
        assert "--trust" in untrusted.out
        assert run_process("test", model, "--trust").status == 0


WRONG = {
    "raises": ("raise KeyError('lost')", r"custom op make of post\.py fails: KeyError"),
    "leaves": ("import sys; sys.exit(3)", r"custom op make of post\.py fails: SystemExit"),
    "type": ("return list(array)", r"custom op make of post\.py returns list: expected a numpy array of shape \(1, 1, 40, 40\)"),
    "mask": ("import numpy; return numpy.ma.masked_greater(array, 0)", r"make of post\.py returns MaskedArray: expected a numpy array"),
    "shape": ("return array[0]", r"returns shape \(1, 40, 40\): expected that of its input, \(1, 1, 40, 40\)"),
    "dtype": ("return array.astype(complex)", r"returns complex128: expected one of bool, int8"),
}


class TestMistakes:
    """One sentence that names the callable and its file."""

    @pytest.mark.parametrize("mistake", WRONG)
    def test_results(self, made: Callable[..., Path], mistake: str) -> None:
        """What the code returns is checked."""
        line, message = WRONG[mistake]
        model = made(f"def make():\n    def run(array):\n        {line}\n    return run\n", "make")
        with pytest.raises(ModelRunError, match=message):
            predicted(model, image(40, 40))

    @pytest.mark.parametrize(
        ("code", "message"),
        [
            ("import nowhere", r"custom op file post\.py cannot be imported: ModuleNotFoundError.*attachments of the model"),
            ("x = 1", r"custom op file post\.py has no 'make', which the description names as its callable"),
            ("def make(needed): pass", r"custom op make of post\.py fails with the arguments \{\}: TypeError"),
            ("def make(): return 3", r"custom op make of post\.py returns int: expected a callable"),
        ],
    )
    def test_making(self, made: Callable[..., Path], tmp_path: Path, code: str, message: str) -> None:
        """Found before anything is written."""
        with pytest.raises(ModelRunError, match=message):
            bc.predict(made(code, "make"), image(40, 40), str(tmp_path / "out.zarr"), trust=True, **BLOCKS)
        assert not (tmp_path / "out.zarr").exists()


class TestProcesses:
    """The same in other processes."""

    def test_cluster(self, made: Callable[..., Path], tmp_path: Path) -> None:
        """Workers run the network, and the result is that of threads."""
        distributed = pytest.importorskip("distributed", reason="distributed is not installed")
        model, x = made(ABOVE_MEAN, "AboveMean"), image(70, 50)
        with (
            distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
            distributed.Client(cluster) as client,
        ):
            result = bc.predict(model, x, str(tmp_path / "out.zarr"), trust=True, client=client, **BLOCKS)
            np.testing.assert_array_equal(np.asarray(result["out"]).squeeze(), (x > x.mean()).astype(np.uint8))

    def test_pickled(self, made: Callable[..., Path]) -> None:
        """An op that is sent elsewhere makes itself from the files of the model there."""
        model = loaded(made(ABOVE_MEAN, "AboveMean"))
        custom = plan_steps(model.io.outputs[0], model.registry)[0]
        sent = pickle.loads(pickle.dumps(custom.make(model, trust=True)))
        checked = CheckedOp(op=sent, needs=custom.needs, what="custom", axes=custom.axes)
        np.testing.assert_array_equal(checked(np.arange(4.0), {}), [0, 0, 1, 1])

    def test_whole_tensors(self, made: Callable[..., Path]) -> None:
        """A single call of the network, as tests of models make it; without trust it is refused."""
        model = loaded(made(ABOVE_MEAN, "AboveMean"))
        x = image(8, 8)[None, None]
        found = WholeTensorCall(model, {"raw": x}, trust=True).postprocessed([x])["out"]
        np.testing.assert_array_equal(found, (x > x.mean()).astype(np.uint8))
        with pytest.raises(TrustError):
            WholeTensorCall(model, {"raw": x}).postprocessed([x])
