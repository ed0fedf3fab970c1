"""Plugins as ``bmz plugins new`` writes them: they work, pass their own tests, and are well formed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bmz_process import run_process

import bioimageio_core
from bioimageio_core.errors import InputError, OutputError
from bioimageio_core.scaffold import KINDS, plugin_names, write_plugin

ROOT = Path(bioimageio_core.__file__).parents[1]
LONGEST = "a-name-of-as-many-letters-as-o"


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of plugin."""
    return str(request.param)


@pytest.fixture
def plugin(kind: str, tmp_path: Path) -> Path:
    """A plugin as it is generated."""
    write_plugin(plugin_names("top-hat"), kind, tmp_path / "plugin")
    return tmp_path / "plugin"


def environment(*folders: Path) -> dict[str, str]:
    """Return environment variables in which folders can be imported from, beside the library."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*map(str, folders), *(p or os.curdir for p in sys.path)])}


def run(*args: object, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Run a module of Python in a folder; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", *map(str, args)], cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def install(plugin: Path) -> Path:
    """Write the metadata that installing the plugin would, into the folder that is imported from."""
    info = plugin / "bioimageio_runtime_top_hat-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bioimageio-runtime-top-hat\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[bioimageio_core]\ntop_hat = bioimageio_runtime_top_hat.plugin\n")
    return plugin


class TestGenerated:
    """What is written."""

    def test_own_tests_pass(self, plugin: Path) -> None:
        """Without a change."""
        printed = run("pytest", "-q", "-p", "no:cacheprovider", cwd=plugin, env=environment(install(plugin)))
        assert " passed" in printed

    def test_is_registered_and_checked(self, plugin: Path, kind: str) -> None:
        """The entry point is found, and the checks that need no example pass."""
        env = environment(install(plugin))
        listed = run_process("plugins", "--json", env=env).json
        assert {e["plugin"] for e in listed["entries"] if e["name"] == "top_hat"} == {"bioimageio-runtime-top-hat 0.1.0"}
        checked = run_process("plugins", "check", "bioimageio-runtime-top-hat", "--json", env=env)
        assert checked.status == 0, checked.out
        checks = [check for entry in checked.json["entries"] for check in entry["checks"]]
        assert sum(check["outcome"] == "passed" for check in checks) >= 2
        assert all(check["why"] for check in checks if check["outcome"] == "skipped")

    def test_modules_are_short(self, plugin: Path) -> None:
        """Fewer than 40 lines each."""
        for path in (plugin / "bioimageio_runtime_top_hat").glob("*.py"):
            assert len(path.read_text().splitlines()) < 40, path

    def test_files(self, plugin: Path) -> None:
        """All that a repository needs but a licence, which is the author's to choose; nothing is left to fill in."""
        for name in ("pyproject.toml", "README.md", ".gitignore", ".github/workflows/test.yml", "tests/test_top_hat.py"):
            assert "top_hat" in (text := (plugin / name).read_text()) or name.startswith(".git"), name
            assert "$cls" not in text
            assert "$entry" not in text
        assert not (plugin / "LICENSE").exists()
        assert "Choose a licence" in (plugin / "README.md").read_text()

    @pytest.mark.parametrize("name", ["a", LONGEST])
    def test_style(self, kind: str, tmp_path: Path, name: str) -> None:
        """ruff has nothing to say, however long the name is."""
        pytest.importorskip("ruff")
        write_plugin(plugin_names(name), kind, tmp_path / "plugin")
        run("ruff", "check", ".", "--no-cache", cwd=tmp_path / "plugin")
        run("ruff", "format", "--check", ".", "--no-cache", cwd=tmp_path / "plugin")

    def test_types(self, plugin: Path) -> None:
        """mypy has nothing to say, strict."""
        pytest.importorskip("mypy")
        env = {**os.environ, "MYPYPATH": str(ROOT)} if "site-packages" not in ROOT.parts else None
        cache = Path(os.environ.get("PYTEST_CACHE", plugin.parent)) / "mypy"
        run("mypy", "--follow-imports=silent", "--cache-dir", cache, ".", cwd=plugin, env=env)


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
        assert "'sigmoid' already exists in bioimageio-runtime" in ran.error(2)
        assert run_process("plugins", "new", "sigmoid", "--kind", "weights", "-o", tmp_path / "mine").status == 0

    def test_wrong_usage(self, tmp_path: Path) -> None:
        """An unknown kind, or a name that is none."""
        assert "'op', 'weights', 'run-mode', 'format'" in run_process("plugins", "new", "x", "--kind", "reader").error(2)
        assert "expected a name" in run_process("plugins", "new", "1x", "--kind", "op", cwd=tmp_path, env=environment()).error(2)

    def test_kinds_are_those_of_the_templates(self) -> None:
        """The command lists them without importing them."""
        from bioimageio_core.cli import plugins_new_command

        assert tuple(KINDS) == plugins_new_command.KINDS
