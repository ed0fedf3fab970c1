"""Plugins as ``bmz plugins new`` writes them: they work, pass their own tests, and are well formed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import zarr
from bmz_process import run_process
from made_models import pointwise_model, with_test_tensors

import bioimageio_core
from bioimageio_core.errors import InputError, OutputError
from bioimageio_core.scaffold import KINDS, plugin_names, write_plugin

ROOT = Path(bioimageio_core.__file__).parents[1]
LONGEST = "a-name-of-as-many-letters-as-o"


CHECK = """
import json
from bioimageio_core.registry import collect
from bioimageio_core.testing.check import check_entries
registry = collect()
brought = {key: plugin.distribution for key, plugin in registry.provenance.items()}
entries = {key: name for key, name in brought.items() if name.startswith("bioimageio-runtime-top-hat-")}
found = {}
for check in check_entries(list(entries)):
    found.setdefault(entries[check.kind, check.name], []).append((check.outcome, check.what, check.why))
print(json.dumps({"found": found, "failures": [f.message for f in registry.failures]}))
"""
"""Prints what `bmz plugins check` finds of each plugin."""


def environment(*folders: Path) -> dict[str, str]:
    """Return environment variables in which folders can be imported from, beside the library."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, folders), *(p or os.curdir for p in sys.path)])}


def run(*args: object, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run Python in a folder; return what it printed."""
    done = subprocess.run([sys.executable, *map(str, args)], cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def install(plugin: Path) -> None:
    """Write the metadata that installing a plugin would, into the folder that is imported from."""
    project = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]
    points = project["entry-points"]["bioimageio_core"]
    info = plugin / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    (info / "entry_points.txt").write_text("\n".join(["[bioimageio_core]", *(f"{name} = {value}" for name, value in points.items()), ""]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a plugin of each kind as it is generated, all in one environment."""
    folder = tmp_path_factory.mktemp("plugins")
    for kind in KINDS:
        write_plugin(plugin_names(f"top-hat-{kind}"), kind, folder / kind)
        install(folder / kind)
    return folder


class TestGenerated:
    """What is written; the plugins of all kinds share each process."""

    def test_own_tests_pass(self, folder: Path) -> None:
        """Without a change."""
        env = environment(*(folder / kind for kind in KINDS))
        (folder / "pytest.ini").write_text("[pytest]\n")
        tests = [f"{kind}/tests" for kind in KINDS]
        printed = run("-m", "pytest", "-v", "-p", "no:cacheprovider", "--import-mode=importlib", *tests, cwd=folder, env=env)
        for kind in KINDS:
            assert re.search(rf"^{kind}/tests/test_top_hat_\w+\.py::.* PASSED", printed, re.MULTILINE), printed

    def test_is_registered_and_checked(self, folder: Path) -> None:
        """The entry points are found, and the checks that need no example pass."""
        found = json.loads(run("-c", CHECK, cwd=folder, env=environment(*(folder / kind for kind in KINDS))))
        assert found["failures"] == []
        assert set(found["found"]) == {f"bioimageio-runtime-top-hat-{kind}" for kind in KINDS}
        for checks in found["found"].values():
            assert [check for check in checks if check[0] == "failed"] == []
            assert sum(outcome == "passed" for outcome, _, _ in checks) >= 2
            assert all(why for outcome, _, why in checks if outcome == "skipped")

    def test_command_runs(self, folder: Path) -> None:
        """`bmz` lists it, and runs it."""
        env = environment(folder / "command")
        assert "top_hat_command" in run_process("--help", env=env).out
        assert "no-such-model" in run_process("top_hat_command", "no-such-model", env=env).error(2)

    def test_rules_are_asked(self, folder: Path, tmp_path: Path) -> None:
        """By `bmz compat`."""
        ran = run_process("compat", pointwise_model(tmp_path), "--json", env=environment(folder / "consumer"))
        assert "has weights in a format that top_hat_consumer runs" in ran.out

    def test_image_is_read(self, folder: Path, tmp_path: Path) -> None:
        """By `bmz predict`, from a file with the ending of the format."""
        head = {"format": "top_hat_image_reader", "axes": "yx", "dtype": "<f4", "shape": [8, 8], "micrometers": {}}
        pixels = np.arange(64, dtype="<f4").reshape(8, 8)
        (tmp_path / "cells.top_hat_image_reader").write_bytes(json.dumps(head).encode() + b"\n" + pixels.tobytes())
        command = ["predict", pointwise_model(tmp_path, gain=2), tmp_path / "cells.top_hat_image_reader", "-o", tmp_path / "out.zarr"]
        ran = run_process(*command, env=environment(folder / "image-reader"))
        assert ran.status == 0, ran.err
        np.testing.assert_array_equal(np.squeeze(zarr.open_array(tmp_path / "out.zarr" / "0", mode="r")[:]), 2 * pixels)

    def test_weights_are_converted(self, folder: Path, tmp_path: Path) -> None:
        """By `bmz convert`, which runs what it writes."""
        pytest.importorskip("onnxruntime")
        pointwise_model(tmp_path, weights={"top_hat_converter": {"source": "weights.npy"}})
        np.save(tmp_path / "weights.npy", 3.0)
        ones = np.ones((1, 1, 8, 8), np.float32)
        with_test_tensors(tmp_path, {"raw": ones}, {"out": ones * 3})
        command = ["convert", tmp_path, "--to", "onnx", "-o", tmp_path / "converted"]
        ran = run_process(*command, env=environment(folder / "converter"))
        assert ran.status == 0, ran.err
        assert (tmp_path / "converted" / "weights_onnx.onnx").is_file()

    @pytest.mark.parametrize("kind", KINDS)
    def test_modules_are_short(self, folder: Path, kind: str) -> None:
        """Fewer than 40 lines each."""
        for path in folder.glob(f"{kind}/bioimageio_runtime_top_hat_*/*.py"):
            assert len(path.read_text().splitlines()) < 40, path

    @pytest.mark.parametrize("kind", KINDS)
    def test_files(self, folder: Path, kind: str) -> None:
        """All that a repository needs but a licence, which is the author's to choose; nothing is left to fill in."""
        plugin, entry = folder / kind, plugin_names(f"top-hat-{kind}").entry
        for name in ("pyproject.toml", "README.md", ".gitignore", ".github/workflows/test.yml", f"tests/test_{entry}.py"):
            assert entry in (text := (plugin / name).read_text()) or name.startswith(".git"), name
            assert not re.search(r"\$\{?\w", text), name
        assert not (plugin / "LICENSE").exists()
        assert "Choose a licence" in (plugin / "README.md").read_text()

    @pytest.mark.parametrize("name", ["a", LONGEST])
    def test_style(self, tmp_path: Path, name: str) -> None:
        """ruff has nothing to say, however long the name is."""
        pytest.importorskip("ruff")
        for kind in KINDS:
            write_plugin(plugin_names(name), kind, tmp_path / kind)
        run("-m", "ruff", "check", ".", "--no-cache", cwd=tmp_path)
        run("-m", "ruff", "format", "--check", ".", "--no-cache", cwd=tmp_path)

    def test_types(self, folder: Path) -> None:
        """mypy has nothing to say, strict."""
        pytest.importorskip("mypy")
        env = {**os.environ, "MYPYPATH": str(ROOT)} if "site-packages" not in ROOT.parts else None
        cache = Path(os.environ.get("PYTEST_CACHE", folder.parent)) / "mypy"
        config = folder / "op" / "pyproject.toml"
        run("-m", "mypy", "--follow-imports=silent", "--config-file", config, "--cache-dir", cache, *KINDS, cwd=folder, env=env)


class TestNames:
    """What a plugin is called."""

    @pytest.mark.parametrize("name", ["top-hat", "Top_Hat", " top hat ", "bioimageio-runtime-top-hat", "bioimageio_runtime_top_hat"])
    def test_normalised(self, name: str) -> None:
        """Spelling does not matter, nor whether the prefix is written."""
        names = plugin_names(name)
        assert (names.distribution, names.module) == ("bioimageio-runtime-top-hat", "bioimageio_runtime_top_hat")
        assert (names.entry, names.cls) == ("top_hat", "TopHat")

    @pytest.mark.parametrize("name", ["", "1st", "a/b", "../x", "größe", "bioimageio-runtime-", "-", LONGEST + "x", "a\nb;"])
    def test_refused(self, name: str) -> None:
        """With what is expected."""
        with pytest.raises(InputError, match="letters, digits and hyphens"):
            plugin_names(name)


class TestCommand:
    """``bmz plugins new``."""

    def test_writes_into_the_current_folder(self, tmp_path: Path) -> None:
        """A folder with the name of the distribution; the files are listed."""
        ran = run_process("plugins", "new", "Top Hat", "--kind", "op", cwd=tmp_path, env=environment())
        assert ran.status == 0, ran.err
        listed = ran.out.splitlines()
        assert "bioimageio-runtime-top-hat/pyproject.toml" in [line.replace("\\", "/") for line in listed]
        assert all((tmp_path / line).is_file() for line in listed)
        assert [p.name for p in tmp_path.iterdir()] == ["bioimageio-runtime-top-hat"]
        assert "licence" in ran.err

    def test_overwrites_nothing(self, tmp_path: Path) -> None:
        """Status 2 and one line; what was there is still there."""
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "README.md").write_text("mine")
        ran = run_process("plugins", "new", "top-hat", "--kind", "op", "-o", tmp_path / "mine")
        assert "exists already" in ran.error(2)
        assert [p.name for p in (tmp_path / "mine").iterdir()] == ["README.md"]
        with pytest.raises(OutputError, match="exists already"):
            write_plugin(plugin_names("top-hat"), "op", tmp_path / "mine" / "README.md")

    def test_into_an_empty_folder(self, tmp_path: Path) -> None:
        """As it is made by hand."""
        (tmp_path / "mine").mkdir()
        assert run_process("plugins", "new", "top-hat", "--kind", "op", "-o", tmp_path / "mine").status == 0
        assert (tmp_path / "mine" / "pyproject.toml").is_file()
        assert [p.name for p in tmp_path.iterdir()] == ["mine"]

    def test_name_that_is_taken(self, tmp_path: Path) -> None:
        """By an entry of the same kind: two of them could not be installed together."""
        ran = run_process("plugins", "new", "sigmoid", "--kind", "op", "-o", tmp_path / "mine")
        assert "op 'sigmoid' of bioimageio-runtime" in ran.error(2)
        assert run_process("plugins", "new", "sigmoid", "--kind", "weights", "-o", tmp_path / "mine").status == 0

    @pytest.mark.parametrize(
        ("name", "kind", "why"),
        [
            ("predict", "command", "bmz has a command 'predict' of its own, which the plugin's would never replace: choose another name"),
            ("onnx", "converter", "weights format 'onnx' of bioimageio-runtime"),
            ("onnx", "weights", "weights format 'onnx' of bioimageio-runtime"),
        ],
    )
    def test_name_of_the_library(self, tmp_path: Path, name: str, kind: str, why: str) -> None:
        """By anything that the new plugin would have, too."""
        assert why in run_process("plugins", "new", name, "--kind", kind, "-o", tmp_path / "mine").error(2)
        assert not (tmp_path / "mine").exists()

    def test_wrong_usage(self, tmp_path: Path) -> None:
        """An unknown kind, or a name that is none."""
        refused = run_process("plugins", "new", "x", "--kind", "reader").error(2)
        assert "'op', 'weights', 'run-mode', 'format', 'image-reader', 'image-writer', 'converter', 'consumer', 'command'" in refused
        assert "expected a name" in run_process("plugins", "new", "1x", "--kind", "op", cwd=tmp_path, env=environment()).error(2)

    def test_kinds_are_those_of_the_templates(self) -> None:
        """The command lists them without importing them."""
        from bioimageio_core.cli import plugins_new_command

        assert tuple(KINDS) == plugins_new_command.KINDS
