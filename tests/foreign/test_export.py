"""Models in formats of other systems: written whole, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from bmz_process import run_process
from made_models import box_model, pointwise_model
from made_sites import Site

from bioimageio_core.errors import InputError, MissingRequirementError, OutputError, PluginError, UnknownExtensionError
from bioimageio_core.foreign import ExportedModel, export_foreign
from bioimageio_core.registry import Registry, collect
from bioimageio_core.sources import open_package
from bioimageio_core.spec.updating import package_tree
from bioimageio_core.spec.validation import read_tree

NUMBER = count()

WRITER = """
import json
import shutil
from bioimageio_core.registry import ForeignFormatEntry, hookimpl


class Note:
    def sniff(self, path):
        return path.read_bytes()[:6] == b'{"note'

    def read(self, path, folder):
        raise ValueError("it is only written")


def write(descr, folder, path, *, colour="red"):
    if len(descr.outputs) != 1 or descr.description == "impossible":
        raise ValueError("expected a possible model")
    weights = folder / descr.weights["onnx"].source
    path.write_text(json.dumps({"note": descr.name, "colour": colour, "bytes": weights.stat().st_size}))
    return ("The license is not said.",)


@hookimpl
def bioimageio_foreign_formats():
    yield ForeignFormatEntry(
        name="note", patterns=("*.note",), load=Note, load_writer=lambda: write, writer_options={"colour": "of the note"}
    )
"""


@pytest.fixture
def collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Registry]:
    """Collects the library's plugins and one more, from the text of its module."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))

    def collected(module: str) -> Registry:
        name = f"exporting_{next(NUMBER)}"
        (folder / f"{name}.py").write_text(module)
        own = entry_points(group="bioimageio_core")
        return collect([*own, EntryPoint(name=name, value=name, group="bioimageio_core")])

    return collected


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model."""
    (tmp_path / "model").mkdir()
    return box_model(tmp_path / "model", {"min": 8, "step": 4})


def export(model: Path, registry: Registry, path: Path, *, overwrite: bool = False, **options: Any) -> ExportedModel:
    """Export with the plugins of a registry."""
    with open_package(str(model)) as package:
        descr, _ = read_tree(package_tree(package), registry, package.name)
        return export_foreign(descr, package, registry, "note", path, options=options, overwrite=overwrite)


class TestGood:
    """What is written."""

    def test_file(self, model: Path, tmp_path: Path, collected: Any) -> None:
        """It has its name, nothing is beside it, and what is lost is told."""
        done = export(model, collected(WRITER), tmp_path / "out" / "model.note", colour="blue")
        assert done.lost == ("The license is not said.",)
        said = json.loads((tmp_path / "out" / "model.note").read_text())
        assert said == {"note": "made model", "colour": "blue", "bytes": (model / "weights.onnx").stat().st_size}
        assert [p.name for p in (tmp_path / "out").iterdir()] == ["model.note"]

    def test_from_a_zip(self, model: Path, tmp_path: Path, collected: Any) -> None:
        """The writer finds the files of the model in a folder, wherever they come from."""
        import bioimageio_core as bc

        package = bc.save_package(model, tmp_path / "model.zip")
        assert export(package, collected(WRITER), tmp_path / "model.note").path == tmp_path / "model.note"

    def test_overwrite(self, model: Path, tmp_path: Path, collected: Any) -> None:
        """Only where it is allowed."""
        registry, path = collected(WRITER), tmp_path / "model.note"
        path.write_text("mine")
        with pytest.raises(OutputError, match="exists already"):
            export(model, registry, path)
        assert path.read_text() == "mine"
        export(model, registry, path, overwrite=True)
        assert path.read_text().startswith('{"note')


class TestBad:
    """One sentence, and nothing on disk."""

    @pytest.mark.parametrize(
        ("change", "kind", "words"),
        [
            (("path.write_text(", "path.write_text(missing, "), PluginError, r"cannot be written: format .* of .* fails: NameError"),
            (('return ("The', 'path.unlink(); return ("The'), PluginError, "breaks its contract: it wrote nothing"),
            (("weights = ", "import nonesuch; weights = "), MissingRequirementError, "needs nonesuch, which is not installed"),
            (('"impossible"', '"made for a test"'), InputError, "cannot be written as note: expected a possible model"),
        ],
    )
    def test_fails(self, model: Path, tmp_path: Path, collected: Any, change: tuple[str, str], kind: type[Exception], words: str) -> None:
        """Whatever the writer does."""
        with pytest.raises(kind, match=words):
            export(model, collected(WRITER.replace(*change)), tmp_path / "out" / "model.note")
        assert list((tmp_path / "out").iterdir()) == []

    def test_files_from_elsewhere(self, model: Path, tmp_path: Path, collected: Any) -> None:
        """A file of the user that the description names is not given away with the export."""
        (tmp_path / "id_rsa.txt").write_text("key")
        text = (model / "bioimageio.yaml").read_text()
        (model / "bioimageio.yaml").write_text(f"{text}\nattachments: [{{source: ../id_rsa.txt}}]\n")
        with pytest.raises(InputError, match=r"outside of its folder: '\.\./id_rsa\.txt'"):
            export(model, collected(WRITER), tmp_path / "out" / "model.note")
        assert list((tmp_path / "out").iterdir()) == []

    def test_options(self, model: Path, tmp_path: Path, collected: Any) -> None:
        """Those that there are, are named."""
        with pytest.raises(InputError, match="has no option 'size': expected one of colour"):
            export(model, collected(WRITER), tmp_path / "model.note", size=3)

    def test_unknown_format(self, model: Path, tmp_path: Path) -> None:
        """So are the formats."""
        with pytest.raises(UnknownExtensionError, match="no installed plugin writes models in the format 'note'"):
            export(model, collect(), tmp_path / "model.note")


class TestCommand:
    """``bmz export``."""

    def test_export(self, tmp_path: Path, site: Site) -> None:
        """By a plugin that is installed; its options are listed."""
        site.install("note-plugin", WRITER)
        (tmp_path / "model").mkdir()
        model = pointwise_model(tmp_path / "model")
        ran = run_process("export", model, "--to", "note", "-o", tmp_path / "a.note", "--option", "colour=green", env=site.environment())
        assert (ran.status, ran.out.strip()) == (0, f"{tmp_path / 'a.note'}: note")
        assert "lost: The license is not said." in ran.err
        assert json.loads((tmp_path / "a.note").read_text())["colour"] == "green"
        listed = run_process("export", "--json", env=site.environment()).json
        assert listed["note"]["options"] == {"colour": "of the note"}

    def test_usage(self, tmp_path: Path) -> None:
        """What is missing is said."""
        assert run_process("export", "model", "--to", "note").status == 2
        assert "expected NAME=VALUE" in run_process("export", "m", "--to", "note", "-o", "x", "--option", "colour").err
