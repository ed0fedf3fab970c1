"""``bmz plugins check``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from bmz_process import run_process

OPS = """
from bioimageio_core.registry import Needs, ProcessingOpEntry, hookimpl
from bioimageio_core.spec.node import Node, node


@node
class Doubled(Node):
    id: str = "doubled"


@node
class Shifted(Node):
    id: str = "shifted"


def double(tensor, measured):
    return tensor.astype("float32") * 2


def shift(tensor, measured):
    import numpy as np

    return np.roll(tensor, 1, -1).astype("float32")


def entry(name, cls, op):
    def load():
        return lambda kwargs, axes: op

    return ProcessingOpEntry(name=name, descr={"0.5": cls}, load=load, requirements=lambda kwargs, axes: Needs(dtype="float32"))


@hookimpl
def bioimageio_processing_ops():
    yield entry("doubled", Doubled, double)
    yield entry("shifted", Shifted, shift)
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment in which a plugin with a good and a bad op is installed."""

    (tmp_path / "checked_ops.py").write_text(OPS)
    info = tmp_path / "checked_ops-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: checked-ops\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[bioimageio_core]\nmain_of_ops = checked_ops\n")
    return {"PYTHONPATH": os.pathsep.join([str(tmp_path), *(p or os.curdir for p in sys.path)])}


def outcomes(ran: Any) -> dict[str, set[str]]:
    """Return the outcomes of the checks of each entry."""
    return {entry["name"]: {check["outcome"] for check in entry["checks"]} for entry in ran.json["entries"]}


class TestCheck:
    """An op that keeps its contract, and one that looks at neighbours without saying so."""

    def test_good(self, env: dict[str, str]) -> None:
        """Status 0; what was left out is said with the reason."""
        ran = run_process("plugins", "check", "doubled", env=env)
        assert ran.status == 0, ran.out + ran.err
        lines = ran.out.splitlines()
        assert lines[-1].endswith("passed, 0 failed, 4 skipped")
        assert any("the entry names no reference_implementation" in line for line in lines)

    def test_bad(self, env: dict[str, str]) -> None:
        """Status 1; what failed, and why."""
        ran = run_process("plugins", "check", "shifted", "--json", env=env)
        assert ran.status == 1
        (entry,) = ran.json["entries"]
        (failed,) = [check for check in entry["checks"] if check["outcome"] == "failed"]
        assert failed["what"].startswith("Cut anywhere along the axes that the needs allow to be cut")
        assert failed["why"].startswith("blocks beside the whole")
        assert "dtype=" in failed["example"]

    def test_where_and_once(self, env: dict[str, str], tmp_path: Path) -> None:
        """An op that raises is one failure, with the file and line, and what was made up; how many more checks fail is counted."""
        (tmp_path / "checked_ops.py").write_text(OPS.replace('return tensor.astype("float32") * 2', "return tensor.no_such_method()"))
        ran = run_process("plugins", "check", "doubled", env=env)
        assert ran.status == 1
        (line,) = [line for line in ran.out.splitlines() if " failed " in line and line.startswith("processing_ops")]
        assert "AttributeError: 'numpy.ndarray' object has no attribute 'no_such_method'" in line
        number = next(n for n, text in enumerate((tmp_path / "checked_ops.py").read_text().splitlines(), start=1) if "no_such" in text)
        assert f"checked_ops.py, line {number})" in line
        assert "more checks fail for this reason" in line
        assert "dtype='float32'" in line

    def test_slow_import(self, env: dict[str, str], tmp_path: Path) -> None:
        """Every command would wait for it."""
        (tmp_path / "checked_ops.py").write_text(f"import time\ntime.sleep(1.2)\n{OPS}")
        ran = run_process("plugins", "check", "doubled", "--json", env=env)
        assert ran.status == 1
        (why,) = [check["why"] for check in ran.json["entries"][0]["checks"] if check["outcome"] == "failed"]
        assert why.startswith("importing checked_ops takes 1.")
        assert "expected at most 1 s" in why
        (plugin,) = [p for p in run_process("plugins", "--json", env=env).json["plugins"] if p["distribution"] == "checked-ops"]
        assert plugin["import_seconds"] >= 1.2
        first = run_process("plugins", "--times", env=env).out.splitlines()[2]
        assert first.split()[2:] == ["main_of_ops", "checked-ops", "1.0"]

    @pytest.mark.parametrize("name", ["checked-ops", "main_of_ops"])
    def test_by_plugin(self, env: dict[str, str], name: str) -> None:
        """Both ops are checked by the name of the distribution, or of the entry point."""
        found = outcomes(run_process("plugins", "check", name, "--json", env=env))
        assert found == {"doubled": {"passed", "skipped"}, "shifted": {"passed", "skipped", "failed"}}

    def test_built_in(self) -> None:
        """Adapters without an example are checked as far as that goes."""
        ran = run_process("plugins", "check", "onnxruntime", "--json")
        assert ran.status == 0
        assert outcomes(ran) == {"onnxruntime": {"passed", "skipped"}}

    def test_plugin_that_cannot_be_imported(self, env: dict[str, str], tmp_path: Path) -> None:
        """Its failure is the result."""
        (tmp_path / "checked_ops.py").write_text("import no_such_module\n")
        ran = run_process("plugins", "check", "checked-ops", env=env)
        assert ran.status == 1
        assert "failed: main_of_ops of checked-ops: import failed: ModuleNotFoundError" in ran.out

    def test_crash(self, env: dict[str, str], tmp_path: Path) -> None:
        """An op that ends its process ends no other: one line that says what was being checked."""
        (tmp_path / "checked_ops.py").write_text(OPS.replace('return tensor.astype("float32") * 2', "import os; os._exit(9)"))
        message = run_process("plugins", "check", "doubled", env=env).error(2)
        assert "ended early, with status 9" in message

    def test_unknown_name(self, env: dict[str, str]) -> None:
        """Wrong usage, with the nearest name that there is."""
        assert "did you mean 'doubled'?" in run_process("plugins", "check", "doubeld", env=env).error(2)

    def test_without_the_extra(self, tmp_path: Path) -> None:
        """One line that says what to install."""
        code = (
            "import sys\n"
            "from importlib.abc import MetaPathFinder\n"
            "class Hides(MetaPathFinder):\n"
            "    def find_spec(self, name, path=None, target=None):\n"
            "        if name == 'hypothesis':\n"
            "            raise ModuleNotFoundError(name)\n"
            "sys.meta_path.insert(0, Hides())\n"
            "sys.argv = ['bmz', 'plugins', 'check', 'sigmoid']\n"
            "from bioimageio_core.cli import main\n"
            "main()\n"
        )
        assert "pip install 'bioimageio-runtime[testing]'" in run_process(code=code).error(2)
