"""What is imported when: nothing heavy before it is needed, seen in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bmz_process import run_process
from made_models import box_model

FRAMEWORKS = {"onnx", "onnxruntime", "torch", "tensorflow", "keras", "jax"}
HEAVY = {"numpy", "dask", "zarr", "fsspec", "aiohttp", "tifffile", "PIL", "xarray", "rich", "distributed", "pandas"}


def imported_by(code: str) -> set[str]:
    """Return the modules that a process has imported after this code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"],
        capture_output=True,
        text=True,
        env=os.environ,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def tops(modules: set[str]) -> set[str]:
    """Return the names of the packages."""
    return {name.partition(".")[0] for name in modules}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with weights of every adapter and an op that wants statistics."""
    folder = tmp_path_factory.mktemp("model")
    return box_model(folder, 16, preprocessing=[{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["y", "x"]}}])


class TestImport:
    """``import bioimageio_core``."""

    def test_is_light(self) -> None:
        """Nothing but itself and the standard library."""
        modules = imported_by("import bioimageio_core")
        own = {name for name in modules if name.startswith("bioimageio_core")}
        assert own == {"bioimageio_core"}
        assert not tops(modules) & (HEAVY | FRAMEWORKS | {"click", "yaml", "attrs", "attr", "cattrs", "pluggy"})

    def test_every_public_name_is_there(self) -> None:
        """And `dir` lists them, sorted."""
        code = (
            "import bioimageio_core as bc\n"
            "assert dir(bc) == sorted(bc.__all__) == bc.__all__, bc.__all__\n"
            "for name in bc.__all__:\n"
            "    getattr(bc, name)\n"
            "from bioimageio_core import *\n"
        )
        assert not tops(imported_by(code)) & FRAMEWORKS

    def test_unknown_name(self) -> None:
        """An AttributeError, as of any module."""
        import bioimageio_core

        with pytest.raises(AttributeError, match="no attribute 'predicct'"):
            _ = bioimageio_core.predicct

    def test_no_threads_and_no_files(self, tmp_path: Path) -> None:
        """Importing starts no thread and writes nothing."""
        code = (
            "import os, threading\n"
            f"os.chdir({str(tmp_path)!r})\n"
            "import bioimageio_core.api\n"
            "assert threading.active_count() == 1\n"
            "assert not os.listdir()\n"
        )
        imported_by(code)

    def test_every_module_can_be_imported_alone(self) -> None:
        """In any order, without a framework."""
        root = Path(__file__).parents[1] / "bioimageio_core"
        names = [".".join(("bioimageio_core", *p.relative_to(root).with_suffix("").parts)) for p in sorted(root.rglob("*.py"))]
        names = [n.removesuffix(".__init__") for n in names if not n.endswith("__main__")]
        assert len(names) > 100
        code = f"from importlib import import_module\nfor name in {names[::-1]!r}:\n    import_module(name)"
        assert not tops(imported_by(code)) & FRAMEWORKS


class TestDescriptions:
    """Reading descriptions and plugins."""

    def test_loading_imports_no_framework(self, model: Path) -> None:
        """Neither frameworks nor the implementation of ops."""
        modules = imported_by(f"import bioimageio_core as bc\nbc.load_description({str(model)!r})\nbc.validate({str(model)!r})")
        assert not tops(modules) & (FRAMEWORKS | {"dask", "zarr", "tifffile"})
        assert not {m for m in modules if m.startswith("bioimageio_core.processing.ops.")}

    def test_opening_and_planning_import_no_framework(self, model: Path) -> None:
        """The network is loaded by the first prediction."""
        code = (
            "import numpy as np, bioimageio_core as bc\n"
            f"with bc.open_predictor({str(model)!r}) as predictor:\n"
            "    predictor.plan(np.zeros((40, 40), np.float32))\n"
        )
        assert not tops(imported_by(code)) & FRAMEWORKS

    def test_listing_plugins(self) -> None:
        """Collecting them imports neither frameworks nor numpy."""
        modules = imported_by("from bioimageio_core.registry import collect\nassert collect().processing_ops")
        assert not tops(modules) & (FRAMEWORKS | HEAVY)


class TestCommandLine:
    """``bmz``."""

    RUN = (
        "import sys\n"
        "sys.argv = ['bmz', *{args!r}]\n"
        "from bioimageio_core.cli import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
    )

    @pytest.mark.parametrize("args", [["--help"], ["--version"]])
    def test_help_imports_no_command(self, args: list[str]) -> None:
        """Nor anything that commands need."""
        modules = imported_by(self.RUN.format(args=args))
        assert not {m for m in modules if m.endswith("_command")}
        assert not tops(modules) & (HEAVY | FRAMEWORKS | {"attrs", "attr", "cattrs", "pluggy", "yaml"})

    @pytest.mark.parametrize("command", ["info", "plan", "plugins", "predict", "test", "validate", "verify"])
    def test_help_of_a_command(self, command: str) -> None:
        """Imports neither frameworks nor arrays."""
        modules = imported_by(self.RUN.format(args=[command, "--help"]))
        assert not tops(modules) & (HEAVY | FRAMEWORKS)

    def test_info_and_plugins(self, model: Path) -> None:
        """Show what can be run without importing it."""
        for args in (["info", str(model)], ["plugins"], ["validate", str(model)]):
            assert not tops(imported_by(self.RUN.format(args=args))) & (FRAMEWORKS | {"dask", "zarr", "rich"})

    def test_as_a_module(self) -> None:
        """``python -m bioimageio_core.cli`` is ``bmz``."""
        ran: Any = run_process("--version")
        assert ran.status == 0
        assert ran.out.startswith("bmz, version ")
