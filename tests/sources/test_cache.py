"""Files from URLs, kept between processes: fetched once, whole or not there, and nothing without a network if so wished."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import yaml
from bmz_process import run_process
from served import Served

import bioimageio_core as bc
from bioimageio_core.errors import HashMismatchError, SourceError
from bioimageio_core.sources import open_package, sha256_of
from bioimageio_core.sources.cache import Cache

pytest.importorskip("aiohttp")


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
