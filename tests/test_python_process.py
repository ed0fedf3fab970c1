"""Processes that the library starts, in a folder whose files have the names of modules."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from bmz_process import run_process
from made_models import box_model

WITNESS = """
import os, sys
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "ran.txt"), "a") as file:
    file.write(f"{__name__} in {sys.argv}\\n")
raise SystemExit(9)
"""

CONSOLE = "import sys; sys.path.remove(''); from bioimageio_core.cli import main; sys.exit(main())"
"""What the script ``bmz`` does: the current folder is not among the places of modules."""

NAMES = ("argparse", "json", "multiprocessing", "numpy", "pickle", "pip", "pytest", "venv", "zarr")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a model and an image, and of files with the names of modules."""
    box_model(tmp_path, {"min": 16, "step": 4})
    np.save(tmp_path / "image.npy", np.zeros((40, 40), np.float32))
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(WITNESS)
    return tmp_path


def test_the_files_would_run(folder: Path) -> None:
    """Where the current folder is among the places of modules, they do."""
    run_process(code="import argparse", cwd=folder)
    assert (folder / "ran.txt").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("predict", ".", "image.npy", "-o", "out.zarr", "--axes", "yx", "--processes", "1"),
        ("plan", ".", "image.npy", "--axes", "yx", "--probe"),
        ("test", ".", "--isolated", "--quick"),
        ("plugins", "check", "onnxruntime"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_files_of_the_current_folder_do_not_run(folder: Path, command: tuple[str, ...]) -> None:
    """They take the place of no module."""
    ran = run_process(*command, code=CONSOLE, cwd=folder, env={"PIP_NO_INDEX": "1"})
    assert not (folder / "ran.txt").exists(), (folder / "ran.txt").read_text()
    assert "Traceback" not in ran.err
    assert ran.status in (0, 1 if "--isolated" in command else 0)


def test_python_command() -> None:
    """The interpreter of this process by default."""
    from bioimageio_core.python_process import python_command

    assert python_command("-m", "venv", "x") == [sys.executable, "-P", "-m", "venv", "x"]
    assert python_command("-c", "1", python=Path("/a/python"))[0] == str(Path("/a/python"))
