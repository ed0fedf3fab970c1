"""Memory of a process that shows a large image."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from large_image import SIZE, SQUARE, write_large

pytest.importorskip("neuroglancer")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory of a process is read as Linux has it")

SERVE = """
import sys
import numpy as np
import bioimageio_core as bc
from bioimageio_core.viewing.layers import layers_of
bc.view(np.zeros((64, 64)), axes="yx", open_browser=False)  # imports what any image takes
print(flush=True)
sys.stdin.readline()
view = bc.view(sys.argv[1], open_browser=False)
print(view.url, flush=True)
sys.stdin.readline()
"""

CHUNK = 512
"""Pixels along x and y of the chunks that the client asks for."""


def peak(process: subprocess.Popen[str]) -> int:
    """Return the greatest memory of a process so far, in MB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) // 1000


@pytest.mark.parametrize("levels", [5, 1])
def test_large_image(tmp_path: Path, levels: int) -> None:
    """All of an image of 800 MB and its labels of 1.6 GB are shown in 400 MB, also without coarser levels: what the client asks for
    when the image fills the screen, and a part of it at full resolution.
    """
    path = write_large(tmp_path / "large.zarr", levels=levels)
    command = [sys.executable, "-c", SERVE, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        before = peak(process)
        print(file=process.stdin, flush=True)
        look(process.stdout.readline().strip(), factor=16 if levels > 1 else 8)
        grown = peak(process) - before
        assert grown < 400, f"{grown} MB"
    finally:
        process.kill()
        process.communicate(timeout=60)


def look(url: str, factor: int) -> None:
    """Ask for chunks as the client does, and check them."""
    base, token = url.partition("/v/")[0], url.rstrip("/").rpartition("/")[2]
    with urllib.request.urlopen(f"{base}/events/{token}?c=test&gc=none&gs=none", timeout=60) as answer:
        lines = (answer.readline().decode() for _ in range(20))
        state = next(found for line in lines if line.startswith("data: ") and (found := json.loads(line[6:]))["k"] == "s")
    for layer, dtype, gain in zip(state["s"]["layers"], ("<u2", "<u4"), (100, 1), strict=True):
        key = layer["source"][0]["url"].rpartition("/")[2]
        cells = -(-SIZE // factor)
        for y, x in product(range(0, cells, CHUNK), repeat=2):
            size = [min(CHUNK, cells - y), min(CHUNK, cells - x)]
            chunk = fetch(f"{base}/neuroglancer/raw/{key}/{factor},{factor},1/{x},{y},0/{x + size[1]},{y + size[0]},1", dtype, size)
            rows, columns = ((np.arange(a, a + n) * factor) // SQUARE for a, n in zip((y, x), size, strict=True))
            np.testing.assert_array_equal(chunk, np.where(rows[:, None] == columns, (rows[:, None] + 1) * gain, 0))
        for x in range(9_216, 9_216 + 2 * CHUNK, CHUNK):
            chunk = fetch(f"{base}/neuroglancer/raw/{key}/1,1,1/{x},9216,0/{x + CHUNK},{9216 + CHUNK},1", dtype, [CHUNK] * 2)
            assert (chunk == 10 * gain).all()


def fetch(url: str, dtype: str, size: list[int]) -> np.ndarray:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return np.frombuffer(answer.read(), dtype).reshape(size)
