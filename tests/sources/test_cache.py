"""Files from URLs, kept between processes: fetched once, whole or not there, and nothing without a network if so wished."""

from __future__ import annotations

import hashlib
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from bmz_process import run_process
from made_models import box_model

import bioimageio_core as bc
from bioimageio_core.errors import HashMismatchError, SourceError
from bioimageio_core.sources import open_package, sha256_of
from bioimageio_core.sources.cache import Cache

pytest.importorskip("aiohttp")


class Served:
    """A server on this machine that counts what it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fetched: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.go_on = threading.Event()
        served = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args: Any) -> None:
                super().__init__(*args, directory=str(folder))

            def do_GET(self) -> None:
                served.fetched[self.path] += 1
                if self.path == "/slow.bin" and not served.go_on.is_set():
                    self.send_response(200)
                    self.send_header("Content-Length", "2000000")
                    self.end_headers()
                    self.wfile.write(b"x" * 1_000_000)
                    self.wfile.flush()
                    served.go_on.wait(60)
                    return
                super().do_GET()

            def do_HEAD(self) -> None:
                served.asked[self.path] += 1
                super().do_HEAD()

            def end_headers(self) -> None:
                file = folder / self.path.strip("/")
                if file.is_file():
                    self.send_header("ETag", f'"{sha256_of(file)}"')
                super().end_headers()

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self) -> None:
        """Stop serving."""
        self.go_on.set()
        if self.thread.is_alive():
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A served folder with a model whose description names no hashes."""
    folder = tmp_path / "served"
    folder.mkdir()
    box_model(folder, 16)
    (folder / "abc.bin").write_bytes(b"abc")
    served = Served(folder)
    yield served
    served.close()


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an empty cache."""
    monkeypatch.setenv("BMZ_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


ABC = hashlib.sha256(b"abc").hexdigest()
IMAGE = np.ones((20, 20), np.float32)


class TestFetching:
    """What is asked of a server."""

    def test_once(self, served: Served, kept: Path) -> None:
        """The second time the server is only asked whether files have changed."""
        for _ in range(2):
            bc.predict(f"{served.url}/bioimageio.yaml", IMAGE)
        assert served.fetched == {"/bioimageio.yaml": 1, "/weights.onnx": 1}
        assert {p.name for p in kept.glob("content/??/*")} == {sha256_of(served.folder / n) for n in ("bioimageio.yaml", "weights.onnx")}
        assert list(kept.glob("parts/*")) == []

    def test_known_hash(self, served: Served, kept: Path) -> None:
        """What a hash names is taken from anywhere without asking; the hash may be written in any case."""
        with open_package({"type": "model"}) as package:
            package.local(f"{served.url}/abc.bin")
        served.asked.clear()
        with open_package({"type": "model"}) as package:
            path = package.local(f"{served.url}/elsewhere/other.bin", sha256=ABC.upper())
            assert (path.name, path.read_bytes()) == ("other.bin", b"abc")
        assert served.fetched == {"/abc.bin": 1}
        assert not served.asked

    def test_changed_file(self, served: Served, kept: Path) -> None:
        """It is fetched anew, with a hash and without."""
        cache = Cache(folder=kept)
        url = f"{served.url}/abc.bin"
        assert cache.fetch(url).read_bytes() == b"abc"
        (served.folder / "abc.bin").write_bytes(b"abcd")
        assert cache.fetch(url).read_bytes() == b"abcd"
        (served.folder / "abc.bin").write_bytes(b"abcde")
        assert cache.fetch(url, sha256=hashlib.sha256(b"abcde").hexdigest()).read_bytes() == b"abcde"
        assert cache.fetch(url, sha256=ABC).read_bytes() == b"abc"
        assert served.fetched["/abc.bin"] == 3

    def test_wrong_hash(self, served: Served, kept: Path) -> None:
        """Is told, and spoils nothing."""
        with open_package({"type": "model"}) as package:
            with pytest.raises(HashMismatchError, match=f"expected sha256 {'1' * 64}, found {ABC}"):
                package.local(f"{served.url}/abc.bin", sha256="1" * 64)
            assert package.local(f"{served.url}/abc.bin").read_bytes() == b"abc"

    def test_damaged(self, served: Served, kept: Path) -> None:
        """What is kept is compared with its hash, and fetched again where a disk erred."""
        cache = Cache(folder=kept)
        path = cache.fetch(f"{served.url}/abc.bin")
        path.write_bytes(b"abd")
        assert cache.fetch(f"{served.url}/abc.bin").read_bytes() == b"abc"
        assert served.fetched["/abc.bin"] == 2

    def test_missing(self, served: Served, kept: Path) -> None:
        """404 names the URL and leaves nothing."""
        with pytest.raises(SourceError, match=r"nope\.bin cannot be read"):
            Cache(folder=kept).fetch(f"{served.url}/nope.bin")
        assert [p for p in kept.rglob("*") if p.is_file() and p.suffix != ".lock"] == []

    def test_no_folder(self, served: Served, tmp_path: Path) -> None:
        """Where nothing can be kept, BMZ_CACHE is named."""
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(SourceError, match="BMZ_CACHE"):
            Cache(folder=tmp_path / "file").fetch(f"{served.url}/abc.bin")

    def test_package(self, served: Served, kept: Path, tmp_path: Path) -> None:
        """A model behind a URL is packaged with files from elsewhere, whose queries are no part of their names."""
        tree = yaml.safe_load((served.folder / "bioimageio.yaml").read_text())
        tree["attachments"] = [{"source": f"{served.url}/abc.bin?download=1"}]
        (served.folder / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
        out = bc.save_package(f"{served.url}/bioimageio.yaml", tmp_path / "out")
        served.close()
        assert {p.name for p in out.iterdir()} == {"bioimageio.yaml", "weights.onnx", "README.md", "abc.bin"}
        assert bc.load_description(out).attachments[0].source == "abc.bin"


class TestOffline:
    """BMZ_OFFLINE."""

    def test_all_is_there(self, served: Served, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A model that was used once runs when its server is gone."""
        url = f"{served.url}/bioimageio.yaml"
        before = bc.predict(url, IMAGE)["out"]
        served.close()
        monkeypatch.setenv("BMZ_OFFLINE", "1")
        np.testing.assert_array_equal(bc.predict(url, IMAGE)["out"], before)

    def test_nothing_is_there(self, served: Served, kept: Path) -> None:
        """The switch and the folder are named, and no server is asked."""
        line = run_process("info", f"{served.url}/bioimageio.yaml", env={"BMZ_OFFLINE": "1"}).error(2)
        assert "BMZ_OFFLINE" in line
        assert str(kept) in line
        assert not served.fetched + served.asked
        assert not kept.exists()

    def test_other_hash(self, served: Served, kept: Path) -> None:
        """What the URL held is not taken for a file with another hash."""
        Cache(folder=kept).fetch(f"{served.url}/abc.bin")
        offline = Cache(folder=kept, offline=True)
        assert offline.fetch(f"{served.url}/abc.bin", sha256=ABC).read_bytes() == b"abc"
        with pytest.raises(SourceError, match="BMZ_OFFLINE"):
            offline.fetch(f"{served.url}/abc.bin", sha256="1" * 64)

    def test_zero_is_online(self, served: Served, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """BMZ_OFFLINE=0 means what it says."""
        monkeypatch.setenv("BMZ_OFFLINE", "0")
        assert bc.load_description(f"{served.url}/bioimageio.yaml").name == "made model"


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
print(Cache(folder=Path(sys.argv[1])).fetch(sys.argv[2]).stat().st_size)
"""


class TestProcesses:
    """Many at once, and some that are killed."""

    def test_eight_fetch_once(self, served: Served, kept: Path) -> None:
        """Eight processes that load the same descriptions at once ask for each file once."""
        tree = yaml.safe_load((served.folder / "bioimageio.yaml").read_text())
        urls = []
        for number in range(3):
            (served.folder / f"{number}.bioimageio.yaml").write_text(yaml.safe_dump({**tree, "description": f"number {number}"}))
            urls.append(f"{served.url}/{number}.bioimageio.yaml")
        processes = [
            subprocess.Popen([sys.executable, "-c", LOAD, *urls], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(8)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        outputs = []
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        for process in processes:
            outputs.append(process.communicate(timeout=120)[0])
            assert process.returncode == 0
        size = (served.folder / "weights.onnx").stat().st_size
        assert outputs == [f"{size}\n" * 3] * 8
        assert served.fetched == {"/weights.onnx": 1, **{f"/{n}.bioimageio.yaml": 1 for n in range(3)}}

    @pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
    def test_killed_download(self, served: Served, kept: Path) -> None:
        """A download that was killed is not taken for whole; the next one starts anew and removes what it left."""
        (served.folder / "slow.bin").write_bytes(b"y" * 2_000_000)
        url = f"{served.url}/slow.bin"
        process = subprocess.Popen([sys.executable, "-c", FETCH, str(kept), url], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not any(p.stat().st_size for p in kept.glob("parts/*")):
            assert time.monotonic() < deadline, "the download never started"
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert list(kept.glob("content/??/*")) == []
        assert len(list(kept.glob("parts/*"))) == 1
        served.go_on.set()
        assert Cache(folder=kept).fetch(url).read_bytes() == b"y" * 2_000_000
        assert list(kept.glob("parts/*")) == []

    def test_cut_download(self, served: Served, kept: Path) -> None:
        """A server that ends before the length that it announced is an error, and nothing is kept."""
        (served.folder / "slow.bin").write_bytes(b"y" * 2_000_000)
        timer = threading.Timer(0.3, served.go_on.set)
        timer.start()
        with pytest.raises(SourceError, match=r"slow\.bin cannot be read"):
            Cache(folder=kept).fetch(f"{served.url}/slow.bin")
        timer.join()
        assert [p for p in kept.rglob("*") if p.is_file() and p.suffix != ".lock"] == []

    def test_threads(self, served: Served, kept: Path) -> None:
        """Of one process, too."""
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(8) as pool:
            contents = list(pool.map(lambda _: Cache(folder=kept).fetch(f"{served.url}/abc.bin").read_bytes(), range(16)))
        assert contents == [b"abc"] * 16
        assert served.fetched["/abc.bin"] == 1


class TestSize:
    """How much is kept."""

    def test_size_and_clear(self, served: Served, kept: Path) -> None:
        """Nothing at first, then two files of three and four bytes, then nothing again."""
        cache = Cache(folder=kept)
        assert (cache.size().files, cache.size().bytes) == (0, 0)
        (served.folder / "four.bin").write_bytes(b"four")
        for name in ("abc.bin", "four.bin"):
            cache.fetch(f"{served.url}/{name}")
        assert (cache.size().files, cache.size().bytes) == (2, 7)
        assert cache.clear().bytes == 7
        assert (cache.size().files, cache.size().bytes) == (0, 0)
        assert cache.fetch(f"{served.url}/abc.bin").read_bytes() == b"abc"
