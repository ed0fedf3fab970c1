"""``bmz view``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from bmz_process import run_process

pytest.importorskip("neuroglancer")
ERROR = "bmz: "


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    np.save(tmp_path / "cells.npy", np.random.default_rng(0).random((40, 30)))
    np.save(tmp_path / "nuclei.npy", np.random.default_rng(0).integers(0, 5, (40, 30)))
    (tmp_path / "nuclei.csv").write_text("id,pixels\n1,7\n")
    return tmp_path


@contextmanager
def viewing(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run ``bmz view``, and end it if it does not end of itself."""
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [sys.executable, "-m", "bioimageio_core.cli", "view", *arguments]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=60)


def lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline() for _ in range(count)]


def test_until_ended(cells: Path) -> None:
    """Prints what is shown and where, and serves it until Ctrl-C, which is its normal end."""
    with viewing(cells, "cells.npy", "--axes", "yx", "--labels", "nuclei.npy", "--table", "nuclei.csv") as process:
        image, labels, url, how = lines(process, 4)
        assert image == "cells: image, float64, y 40, x 30\n"
        assert labels == "nuclei: labels, int64, y 40, x 30\n"
        assert how == "Ctrl-C ends it.\n"
        with urllib.request.urlopen(url.strip(), timeout=20) as page:
            assert b"neuroglancer" in page.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_json(cells: Path) -> None:
    """The address for other programs."""
    with viewing(cells, "cells.npy", "--axes", "yx", "--labels", "nuclei.npy", "--json") as process:
        text = ""
        while "\n}\n" not in text:
            text += "".join(lines(process, 1))
        printed = json.loads(text)
    assert printed["url"].startswith("http://127.0.0.1:")
    assert printed["layers"] == [{"name": "cells", "kind": "image"}, {"name": "nuclei", "kind": "labels"}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.zarr"], "none.zarr does not exist"),
        (["cells.npy", "--axes", "yx", "--labels", "nuclei.npy", "--table", "none.csv"], "none.csv does not exist"),
        (["cells.npy", "--axes", "yx", "--table", "nuclei.csv"], "a table is of one of several labels: found none"),
        (["cells.npy", "--axes", "yx", "--table", "a=nuclei.csv"], "a table is given for 'a'"),
        (["cells.npy", "--axes", "yx", "--table", "nuclei.csv", "--table", "b.csv"], "expected NAME=FILE"),
        (["cells.npy", "--axes", "ty"], "found no x"),
        ([], "Missing argument"),
    ],
)
def test_wrong_usage(cells: Path, arguments: list[str], message: str) -> None:
    """One sentence, and status 2."""
    done = run_process("view", *arguments, cwd=cells)
    assert done.status == 2
    assert message in done.err
