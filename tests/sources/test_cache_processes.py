"""The cache under load: many processes at once, and some that are killed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from served import Served

from bioimageio_core.errors import SourceError
from bioimageio_core.sources import sha256_of
from bioimageio_core.sources.cache import Cache

pytest.importorskip("aiohttp")


LOAD = """
import sys
import bioimageio_core as bc
from bioimageio_core.sources import open_package
print("ready", flush=True)
sys.stdin.readline()
for url in sys.argv[1:]:
    descr = bc.load_description(url)
    with open_package(url) as package:
        print(package.local(descr.weights["onnx"].source).stat().st_size, flush=True)
"""

FETCH = """
import sys
from pathlib import Path
from bioimageio_core.sources.cache import Cache
print("ready", flush=True)
print(Cache(folder=Path(sys.argv[1])).fetch(sys.argv[2]).stat().st_size)
"""


class TestManyProcesses:
    """All at once."""

    def test_eight_fetch_once(self, served: Served, kept: Path) -> None:
        """Eight processes that load the same 50 descriptions and their weights at once ask for each file once."""
        tree = yaml.safe_load((served.folder / "bioimageio.yaml").read_text())
        names = [f"{number}.bioimageio.yaml" for number in range(50)]
        for name in names:
            (served.folder / name).write_text(yaml.safe_dump({**tree, "description": name}))
        processes = [start(LOAD, *(f"{served.url}/{name}" for name in names)) for _ in range(8)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        size = (served.folder / "weights.onnx").stat().st_size
        for process in processes:
            assert process.communicate(timeout=120)[0] == f"{size}\n" * 50
            assert process.returncode == 0
        assert served.fetched == {"/weights.onnx": 1, **{f"/{name}": 1 for name in names}}
        assert {p.name for p in kept.glob("content/??/*")} == {sha256_of(served.folder / name) for name in (*names, "weights.onnx")}
        assert list(kept.glob("parts/*")) == []

    def test_threads(self, served: Served, kept: Path) -> None:
        """Of one process, too."""
        with ThreadPoolExecutor(8) as pool:
            contents = list(pool.map(lambda _: Cache(folder=kept).fetch(f"{served.url}/abc.bin").read_bytes(), range(16)))
        assert contents == [b"abc"] * 16
        assert served.fetched["/abc.bin"] == 1


class TestUnfinishedDownloads:
    """What ends in the middle is not taken for whole."""

    @pytest.fixture
    def url(self, served: Served) -> str:
        """Two megabytes, of which the first who asks gets one."""
        (served.folder / "slow.bin").write_bytes(b"y" * 2_000_000)
        return f"{served.url}/stall/slow.bin"

    @pytest.fixture
    def stalled(self, kept: Path, url: str) -> Iterator[subprocess.Popen[str]]:
        """A process that has fetched a part."""
        process = start(FETCH, str(kept), url)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        deadline = time.monotonic() + 60
        while not any(p.stat().st_size for p in kept.glob("parts/*")):
            assert time.monotonic() < deadline, "the download never started"
            time.sleep(0.01)
        yield process
        process.kill()
        process.communicate()

    def test_killed(self, served: Served, kept: Path, url: str, stalled: subprocess.Popen[str]) -> None:
        """A process that was killed leaves a part under another name; the next one starts anew and removes it."""
        stalled.kill()
        stalled.wait()
        assert list(kept.glob("content/??/*")) == []
        assert len(list(kept.glob("parts/*"))) == 1
        with pytest.raises(SourceError, match="BMZ_OFFLINE"):
            Cache(folder=kept, offline=True).fetch(url)
        assert Cache(folder=kept).fetch(url).read_bytes() == b"y" * 2_000_000
        assert list(kept.glob("parts/*")) == []
        assert served.fetched == {"/stall/slow.bin": 2}

    def test_killed_while_others_wait(self, served: Served, kept: Path, url: str, stalled: subprocess.Popen[str]) -> None:
        """Of those who wait for a process that is killed one fetches the file, and all have it."""
        waiting = [start(FETCH, str(kept), url) for _ in range(3)]
        for process in waiting:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        stalled.kill()
        for process in waiting:
            assert process.communicate(timeout=60)[0] == "2000000\n"
        assert served.fetched == {"/stall/slow.bin": 2}
        assert list(kept.glob("parts/*")) == []

    def test_cut(self, served: Served, kept: Path) -> None:
        """A server that ends before the length that it announced is an error, and nothing is kept."""
        with pytest.raises(SourceError, match=r"abc\.bin cannot be read"):
            Cache(folder=kept).fetch(f"{served.url}/cut/abc.bin")
        assert [p for p in kept.rglob("*") if p.is_file() and p.suffix != ".lock"] == []


def start(code: str, *args: str) -> subprocess.Popen[str]:
    """Start a process of Python."""
    return subprocess.Popen([sys.executable, "-c", code, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
