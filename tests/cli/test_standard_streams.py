"""Standard streams that the caller closed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import zarr

PREDICT = "{model} {image} -o {out}/o.zarr"


class TestClosed:
    """``2>&-`` and ``1>&-``, in a shell."""

    @pytest.mark.parametrize(
        ("command", "arguments", "closed"),
        [
            ("predict", PREDICT, "2>&-"),
            ("predict", PREDICT, "0<&- 1>&- 2>&-"),
            ("stats", "{image} --model {model} -o {out}/s.json", "2>&-"),
            ("validate", "{model}", "2>&-"),
        ],
    )
    def test_same_status(self, made: Path, image: Path, tmp_path: Path, command: str, arguments: str, closed: str) -> None:
        """The command succeeds, and files that it writes are complete."""
        args = arguments.format(model=made, image=image, out=tmp_path)
        line = f"{sys.executable} -m bioimageio_core.cli {command} {args} {closed}"
        done = subprocess.run(line, shell=True, stdout=subprocess.PIPE, check=False)
        assert done.returncode == 0
        if command == "predict":
            assert zarr.open_group(str(tmp_path / "o.zarr"), mode="r")["0"].shape == (1, 40, 50)

    def test_errors(self, made: Path, tmp_path: Path) -> None:
        """An error has its status, though nothing can show its message."""
        line = f"{sys.executable} -m bioimageio_core.cli predict {made} {tmp_path}/none.npy -o {tmp_path}/o.zarr 2>&-"
        assert subprocess.run(line, shell=True, check=False).returncode == 2
