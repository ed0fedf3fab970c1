"""Ops that open a file of the model: wherever the model is, wherever the op runs, and in every copy of the model."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from bmz_process import run_process
from made_models import pointwise_model, with_test_tensors
from made_sites import Site
from served import Served

FIELD = np.linspace(1, 3, 40 * 40, dtype=np.float32).reshape(40, 40)
TABLES = np.float32([[5, 6, 7], [70, 50, 30]])
IMAGE = np.random.default_rng(0).integers(0, 3, (40, 40)).astype(np.float32)

LOOKUP = '''
"""The op ``lookup``: each pixel by the sum of what some tables say of it; tables are opened where the first block is."""
import dataclasses

import attrs

from bioimageio_core.registry import Needs, ProcessingOpEntry, hookimpl
from bioimageio_core.spec.files import FileDescr
from bioimageio_core.spec.node import Node, node


@dataclasses.dataclass(frozen=True)
class LookupKwargs:
    tables: tuple[FileDescr, ...]


@node
class LookupDescr(Node):
    id: str = "lookup"
    kwargs: LookupKwargs


@node
class OldLookupDescr(Node):
    name: str = "lookup"
    kwargs: LookupKwargs


@attrs.define
class Lookup:
    files: dict

    def __call__(self, tensor, measured):
        import numpy as np

        table = sum(np.load(path) for path in self.files.values())
        return table[tensor.astype(int)]


def make(kwargs, axes, context):
    return Lookup(context.files)


@hookimpl
def bioimageio_processing_ops():
    descr = {"0.5": LookupDescr, "0.4": OldLookupDescr}
    yield ProcessingOpEntry(name="lookup", descr=descr, load=lambda: make, requirements=lambda kwargs, axes: Needs(dtype="float32"))
'''

PREDICT = """
import json
import os
import sys
import numpy as np
import bioimageio_core as bc

def save(name, outputs):
    np.save(os.path.join(folder, name + ".npy"), np.asarray(outputs["out"]))

folder, sources = {folder!r}, {sources!r}
image, blocks = np.load(os.path.join(folder, "image.npy")), {{"y": 16, "x": 16}}
for name, source in sources.items():
    save(name, bc.predict(source, image, axes="yx", block=blocks))

def save_lazy(name, **options):
    with bc.open_predictor({lookup!r}, block=blocks, **options) as predictor:
        save(name, predictor.lazy(image, axes="yx"))

save_lazy("lazy")
with bc.worker_processes(2) as client, client.as_current():
    for name, source in sources.items():
        save("workers of " + name, bc.predict(source, image, axes="yx", block=blocks, client=client))
    save_lazy("lazy on workers")
print(json.dumps("done"))
"""


FAULTS = """
import json
import os
import numpy as np
import bioimageio_core as bc

folder, told = {folder!r}, {{}}

def predict(name, **options):
    model = os.path.join(folder, name)
    try:
        bc.predict(model, os.path.join(model, "image.npy"), os.path.join(model, "out.zarr"), axes="yx", **options)
    except bc.errors.BioimageioError as error:
        told[name] = [str(error), os.path.exists(os.path.join(model, "out.zarr"))]

for name in ("missing", "changed", "unreadable"):
    predict(name)
with bc.worker_processes(1) as client:
    predict("missing on workers", client=client)
for _ in range(2):
    predict("resumed", resume=True)
assert "resumed" not in told
np.save(os.path.join(folder, "resumed", "data", "green.npy"), np.zeros(3))
predict("resumed", resume=True)
print(json.dumps(told))
"""


def corrected(image: Any) -> np.ndarray[Any, Any]:
    """Return the image after both ops: the table, then the field."""
    return np.asarray(TABLES.sum(axis=0)[image.astype(int)] * (FIELD.mean() / FIELD))


def sha256(path: Path) -> str:
    """Return the hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_model(folder: Path, *, only_tables: bool = False, size: Any = 40) -> Path:
    """Write a model whose input is looked up in two tables, and then corrected by a field; the network returns its input."""
    (folder / "data").mkdir(parents=True)
    for name, array in (("red", TABLES[0]), ("green", TABLES[1]), ("field", FIELD)):
        np.save(folder / "data" / f"{name}.npy", array)
    tables = [{"source": "data/red.npy", "sha256": sha256(folder / "data" / "red.npy")}, {"source": "data/green.npy"}]
    field = {"source": "data/field.npy", "sha256": sha256(folder / "data" / "field.npy")}
    steps = [{"id": "lookup", "kwargs": {"tables": tables}}, {"id": "flat_field", "kwargs": {"field": field}}]
    pointwise_model(folder, pre=steps[:1] if only_tables else steps, size=size)
    return with_test_tensors(folder, {"raw": IMAGE[None, None]}, {"out": corrected(IMAGE)[None, None].astype(np.float32)})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Distributions with both ops."""
    made = Site(tmp_path_factory.mktemp("site"))
    made.install_example("flat_field_op")
    made.install("lookup", LOOKUP)
    return made


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The model, to be changed."""
    return write_model(tmp_path / "model")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[Path]:
    """The outputs of predictions in blocks of a folder, a zip and URLs of both, in threads and in two other processes."""
    folder = tmp_path_factory.mktemp("places")
    model, lookup = (write_model(folder / name, only_tables=name == "lookup", size={"min": 8, "step": 1}) for name in ("model", "lookup"))
    zipped = shutil.make_archive(str(folder / "zipped"), "zip", model)
    np.save(folder / "image.npy", IMAGE)
    served = Served(folder)
    try:
        sources = {
            "folder": str(model),
            "zip": zipped,
            "url": f"{served.url}/model/bioimageio.yaml",
            "url of a zip": f"{served.url}/zipped.zip",
        }
        assert site.python(PREDICT.format(folder=str(folder), sources=sources, lookup=str(lookup))) == "done"
        yield folder
    finally:
        served.close()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Any:
    """What is said of each fault, and whether there is an output, by name."""
    folder = tmp_path_factory.mktemp("faults")
    for name in ("missing", "missing on workers", "changed", "unreadable", "resumed"):
        write_model(folder / name)
        np.save(folder / name / "image.npy", IMAGE)
    (folder / "missing" / "data" / "field.npy").unlink()
    (folder / "missing on workers" / "data" / "field.npy").unlink()
    np.save(folder / "changed" / "data" / "field.npy", FIELD * 2)
    (folder / "unreadable" / "data" / "field.npy").write_text("no array")
    tree = yaml.safe_load((folder / "unreadable" / "bioimageio.yaml").read_text())
    del tree["inputs"][0]["preprocessing"][1]["kwargs"]["field"]["sha256"]
    (folder / "unreadable" / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
    return site.python(FAULTS.format(folder=str(folder)))


class TestPlaces:
    """The same numbers wherever the files are and wherever ops run."""

    @pytest.mark.parametrize("where", ["", "workers of "])
    @pytest.mark.parametrize("source", ["folder", "zip", "url", "url of a zip"])
    def test_predict(self, folder: Path, source: str, where: str) -> None:
        """In threads, and in other processes, which find the files themselves."""
        np.testing.assert_allclose(np.load(folder / f"{where}{source}.npy")[0, 0], corrected(IMAGE), rtol=1e-6)

    @pytest.mark.parametrize("name", ["lazy", "lazy on workers"])
    def test_lazy(self, folder: Path, name: str) -> None:
        """In tasks of a graph of dask."""
        np.testing.assert_array_equal(np.load(folder / f"{name}.npy")[0, 0], TABLES.sum(axis=0)[IMAGE.astype(int)])


class TestFaults:
    """Files that are missing, or are others."""

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("missing", "names the file 'data/field.npy', which does not exist: expected it at"),
            ("missing on workers", "names the file 'data/field.npy', which does not exist: expected it at"),
            ("changed", "data/field.npy of .* is not the file that the description names: expected sha256 .*, found"),
            ("unreadable", "data/field.npy cannot be read as an image along y and x: "),
            ("resumed", "different files of ops"),
        ],
    )
    def test_sentence(self, told: dict[str, Any], name: str, expected: str) -> None:
        """One sentence, and no output is begun."""
        message, output_exists = told[name]
        assert re.search(expected, message)
        assert "\n" not in message
        assert output_exists is (name == "resumed")

    @pytest.mark.parametrize(
        ("file", "path", "message"),
        [
            ("field", "inputs.0.preprocessing.1.kwargs.field.sha256", "expected the SHA-256 of the file"),
            ("green", "inputs.0.preprocessing.0.kwargs.tables.1.source", "expected a file with content, found 'data/green.npy' empty"),
        ],
    )
    def test_validate(self, site: Site, model: Path, file: str, path: str, message: str) -> None:
        """`bmz validate --check-files` finds them with their path."""
        assert run_process("validate", model, "--check-files", env=site.environment()).status == 0
        (model / "data" / f"{file}.npy").write_bytes(b"" if file == "green" else b"other")
        ran = run_process("validate", model, "--check-files", "--json", env=site.environment())
        errors = {i["path"]: i["message"] for i in ran.json[0]["issues"] if i["severity"] == "error"}
        assert list(errors) == [path]
        assert message in errors[path]


class TestCopies:
    """Packages have the files, and name them as they are there."""

    def steps(self, package: Path) -> Any:
        """Return the steps of the input of a package that is a folder."""
        return yaml.safe_load((package / "bioimageio.yaml").read_text())["inputs"][0]["preprocessing"]

    @pytest.mark.parametrize("has_plugins", [True, False])
    def test_package(self, site: Site, model: Path, tmp_path: Path, has_plugins: bool) -> None:
        """Beside the description, with their hashes; also where no plugin knows what the arguments mean."""
        env = site.environment() if has_plugins else {}
        ran = run_process("package", model, "-o", tmp_path / "package", env=env)
        assert ran.status == 0, ran.err
        lookup, flat_field = self.steps(tmp_path / "package")
        named = [*lookup["kwargs"]["tables"], flat_field["kwargs"]["field"]]
        assert [file["source"] for file in named] == ["red.npy", "green.npy", "field.npy"]
        assert [file["sha256"] for file in named] == [sha256(tmp_path / "package" / file["source"]) for file in named]
        shutil.rmtree(model)
        tested = run_process("test", tmp_path / "package", env=site.environment())
        assert tested.status == 0, tested.out + tested.err

    def test_update(self, site: Site, model: Path) -> None:
        """The description of an older version keeps the names."""
        from made_models import pointwise_model_0_4

        (model / "bioimageio.yaml").unlink()
        tables = [{"source": "data/red.npy"}, {"source": "data/green.npy", "sha256": sha256(model / "data" / "green.npy")}]
        pointwise_model_0_4(model, pre=[{"name": "lookup", "kwargs": {"tables": tables}}])
        ran = run_process("update", model / "rdf.yaml", "-o", model / "bioimageio.yaml", env=site.environment())
        assert ran.status == 0, ran.err
        assert next(s for s in self.steps(model) if s["id"] == "lookup") == {"id": "lookup", "kwargs": {"tables": tables}}
        ran = run_process("package", model / "rdf.yaml", "-o", model / "old.zip", "--json", env=site.environment())
        assert {"red.npy", "green.npy"} <= set(ran.json["files"])

    def test_convert(self, site: Site, model: Path, tmp_path: Path) -> None:
        """Converted weights come with all files of the model."""
        torch = pytest.importorskip("torch")
        torch.jit.script(torch.nn.Identity()).save(str(model / "weights.pt"))
        tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
        tree["weights"] = {"torchscript": {"source": "weights.pt", "pytorch_version": torch.__version__.partition("+")[0]}}
        (model / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
        ran = run_process("convert", model, "--to", "onnx", "-o", tmp_path / "converted", "--trust", env=site.environment())
        assert ran.status == 0, ran.err
        assert [step["id"] for step in self.steps(tmp_path / "converted")] == ["lookup", "flat_field"]
        shutil.rmtree(model)
        assert run_process("test", tmp_path / "converted", env=site.environment()).status == 0

    def test_info(self, site: Site, model: Path) -> None:
        """The card shows which files an op takes."""
        assert "data/field.npy" in run_process("info", model, env=site.environment()).out
