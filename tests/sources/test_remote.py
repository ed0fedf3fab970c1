"""Models behind web servers, good ones and bad ones, and in object stores."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import yaml
from bmz_process import run_process
from made_models import box_model
from served import Served

import bioimageio_core as bc
from bioimageio_core.errors import SourceError
from bioimageio_core.sources import downloads, open_package
from bioimageio_core.sources.internal_addresses import check_named_url
from bioimageio_core.text import without_secrets

IMAGE = np.random.default_rng(0).random((20, 20), dtype=np.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mean filter of 16 pixels."""
    return box_model(tmp_path_factory.mktemp("model"), 16)


@pytest.fixture(scope="module")
def archive(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in a zip."""
    return bc.save_package(model, tmp_path_factory.mktemp("zip") / "model.zip")


@pytest.fixture(scope="module")
def expected(model: Path) -> np.ndarray[Any, Any]:
    """What it makes of `IMAGE`."""
    return np.asarray(bc.predict(model, IMAGE)["out"])


def check(source: Any, expected: np.ndarray[Any, Any]) -> None:
    """Predict, and compare."""
    np.testing.assert_array_equal(np.asarray(bc.predict(source, IMAGE)["out"]), expected)


@pytest.mark.skipif(importlib.util.find_spec("aiohttp") is None, reason="aiohttp, which reads HTTP, is not installed")
class TestHttp:
    """A server on this machine."""

    @pytest.fixture
    def url(self, served: Served, kept: Path, archive: Path) -> str:
        """Where the model and its zip are served; nothing is kept."""
        (served.folder / "model.zip").write_bytes(archive.read_bytes())
        return served.url

    @pytest.mark.parametrize("name", ["bioimageio.yaml", "model.zip", "model.zip?download=1", "model.zip/content"])
    @pytest.mark.parametrize("way", ["", "redirect/", "no-head/", "no-length/", "redirect/no-length/"])
    def test_good_servers(self, url: str, expected: np.ndarray[Any, Any], way: str, name: str) -> None:
        """A description with its files and a zip: with redirects, without HEAD, and without a word on length or version."""
        check(f"{url}/{way}{name}", expected)

    def test_queries_of_files(self, url: str, expected: np.ndarray[Any, Any], model: Path) -> None:
        """Queries and ``/content`` are no part of names."""
        tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
        for weights in ("weights.onnx?version=2", "weights.onnx/content"):
            tree["weights"]["onnx"]["source"] = f"{url}/{weights}"
            check(tree, expected)
            with open_package(tree) as package:
                assert package.local(f"{url}/{weights}").name == "weights.onnx"

    def test_beside_the_url_that_was_given(self, url: str, served: Served) -> None:
        """Relative paths start from the URL that was given, since servers redirect to places where nothing lies beside the file."""
        with open_package(f"{url}/redirect/bioimageio.yaml") as package:
            package.local("weights.onnx")
        assert served.fetched["/redirect/weights.onnx"] == 1

    @pytest.mark.parametrize(
        ("way", "reason"),
        [
            ("status/404", "the server answered 404 Not Found"),
            ("status/500", "the server answered 500 Internal Server Error"),
            ("status/403", "the server answered 403 Forbidden"),
            ("redirect/nowhere", "the server answered 404 Not Found"),
            ("redirect/status/503", "the server answered 503 Service Unavailable"),
            ("cut", "ClientPayloadError"),
        ],
    )
    def test_bad_servers(self, url: str, way: str, reason: str, kept: Path) -> None:
        """What the server said, with the URL; nothing is kept."""
        for name in ("bioimageio.yaml", "model.zip"):
            with pytest.raises(SourceError) as failure:
                bc.load_description(f"{url}/{way}/{name}")
            assert str(failure.value).startswith(f"{url}/{way}/{name} cannot be read: {reason}")
        assert not [p for p in kept.rglob("*") if p.is_file() and p.suffix != ".lock"]

    def test_nobody_there(self, url: str, served: Served) -> None:
        """A server that is gone is told from a file that is missing."""
        served.close()
        with pytest.raises(SourceError, match=r"bioimageio\.yaml cannot be read: the server 127\.0\.0\.1:\d+ cannot be reached"):
            bc.load_description(f"{url}/bioimageio.yaml")

    @pytest.mark.parametrize("way", ["hang", "stall"])
    def test_silence(self, url: str, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
        """A server that says nothing any more is given up after the time that BMZ_TIMEOUT names, before the file and within it."""
        monkeypatch.setenv("BMZ_TIMEOUT", "0.3")
        with pytest.raises(SourceError, match=r"sent nothing for 0\.3 s.*BMZ_TIMEOUT"):
            bc.load_description(f"{url}/{way}/bioimageio.yaml")

    def test_a_few_bytes_at_a_time(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """A server that sends something now and then would hold a download forever."""
        monkeypatch.setenv("BMZ_TIMEOUT", "0.3")
        with pytest.raises(SourceError, match=r"sent \d bytes in 0\.3 s, expected at least 1024; .*BMZ_TIMEOUT"):
            bc.load_description(f"{url}/drip/bioimageio.yaml")

    def test_without_end(self, url: str, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A server that announces no size cannot fill the disk."""
        monkeypatch.setattr(downloads, "LARGEST_UNANNOUNCED", 1 << 20)
        with pytest.raises(SourceError, match=r"endless/bioimageio\.yaml has more than 1048576 bytes"):
            bc.load_description(f"{url}/endless/bioimageio.yaml")
        assert not [p for p in kept.rglob("*") if p.is_file() and p.suffix != ".lock"]

    def test_passwords_and_tokens(self, url: str, kept: Path) -> None:
        """They are in no message, no name of a package and no file of the cache."""
        for name in ("nowhere.yaml", "bioimageio.yaml"):
            secret = f"{url.replace('://', '://user:PASS@')}/{name}?token=TOKEN&a=b"
            try:
                with open_package(secret) as package:
                    said = package.name
                    assert "PASS" not in str(package.local(secret))
            except SourceError as error:
                said = str(error)
            assert said.startswith(f"{url}/{name}?token=...&a=...")
        content = b"".join(p.read_bytes() for p in (kept / "urls").iterdir())
        assert b"/bioimageio.yaml" in content
        assert b"PASS" not in content
        assert b"TOKEN" not in content

    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ("http://h/a?TOKEN", "http://h/a?..."),
            ("http://h/a#sig=TOKEN", "http://h/a#..."),
            ("http://h/a?sig=a'TOKEN&b=TOKEN, which", "http://h/a?sig=...&b=..., which"),
            ("http://u:a'TOKEN@h/a", "http://h/a"),
            ("http://u:a/TOKEN@h/a", "http://h/a"),
            ("read 'http://h/a?x=TOKEN'.", "read 'http://h/a?x=...'."),
            ("http://h/a/b.zarr", "http://h/a/b.zarr"),
            pytest.param("://" + "a" * 300_000, "://" + "a" * 300_000, id="long text, in time that grows with its length"),
        ],
    )
    def test_secrets_are_left_out(self, written: str, shown: str) -> None:
        """Of queries, fragments and users, whatever characters they have."""
        assert without_secrets(written) == shown

    @pytest.mark.parametrize("written", ["soon", "0", "-1", "inf", "nan"])
    def test_no_time(self, url: str, monkeypatch: pytest.MonkeyPatch, written: str) -> None:
        """A time that is none is told, with an example."""
        monkeypatch.setenv("BMZ_TIMEOUT", written)
        with pytest.raises(SourceError, match=f"BMZ_TIMEOUT is '{written}': expected a number of seconds above 0, such as 60"):
            bc.load_description(f"{url}/bioimageio.yaml")

    def test_folder(self, url: str) -> None:
        """Servers do not list folders."""
        with pytest.raises(
            SourceError, match=r"/ is a folder, which servers do not list: expected the URL of a description in it, or of a zip"
        ):
            bc.load_description(f"{url}/")

    def test_without_the_package(self, url: str) -> None:
        """What HTTP needs is named where it is missing."""
        code = "import sys\nsys.modules['aiohttp'] = None\nfrom bioimageio_core.cli import main; main()"
        line = run_process("info", f"{url}/bioimageio.yaml", code=code).error(2)
        assert "aiohttp" in line
        assert "not installed" in line


@pytest.mark.skipif(importlib.util.find_spec("aiohttp") is None, reason="aiohttp, which reads HTTP, is not installed")
class TestInternalAddresses:
    """What remote content names on this machine or in its network, where another server answers."""

    @pytest.fixture
    def inner(self, model: Path) -> Iterator[str]:
        """``127.0.0.1:PORT`` of a server that is meant for this machine alone."""
        server = Served(model)
        yield server.url.removeprefix("http://")
        server.close()

    def test_named_by_a_description(self, served: Served, kept: Path, inner: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Refused, unless it is allowed."""
        tree = yaml.safe_load((served.folder / "bioimageio.yaml").read_text())
        (served.folder / "naming.yaml").write_text(yaml.safe_dump(tree))
        with open_package(f"{served.url}/naming.yaml") as package:
            for host in (inner, inner.replace("127.0.0.1", "localhost")):
                with pytest.raises(SourceError, match=r"leads to http://\S+, an address of an internal network: .*BMZ_ALLOW_INTERNAL=1"):
                    package.local(f"http://{host}/weights.onnx")
            monkeypatch.setenv("BMZ_ALLOW_INTERNAL", "1")
            assert package.local(f"http://{inner}/weights.onnx").stat().st_size > 0

    def test_named_by_a_redirect(self, served: Served, kept: Path, inner: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Also where the user named the first URL, who cannot know the second."""
        url = f"{served.url}/other/{inner.partition(':')[2]}/bioimageio.yaml"
        with pytest.raises(SourceError, match=r"other/\d+/bioimageio\.yaml leads to http://127\.0\.0\.1:\d+/bioimageio\.yaml, an address"):
            bc.load_description(url)
        monkeypatch.setenv("BMZ_ALLOW_INTERNAL", "1")
        assert bc.load_description(url).type == "model"

    def test_named_by_the_user(self, served: Served, kept: Path, model: Path, inner: str) -> None:
        """Local descriptions are the user's own."""
        with open_package(model) as package:
            assert package.local(f"http://{inner}/weights.onnx").stat().st_size > 0

    @pytest.mark.parametrize(
        "host", ["10.1.2.3", "169.254.169.254", "192.168.0.1", "127.1", "2130706433", "[::1]", "[::ffff:10.0.0.1]", "100.64.0.1", "0.0.0.0"]
    )
    def test_spellings(self, host: str) -> None:
        """Every way to write an address of an internal network."""
        with pytest.raises(SourceError, match="internal network"):
            check_named_url(f"http://{host}/x", "https://example.com/rdf.yaml")

    def test_public_address(self) -> None:
        """Other addresses are read, as is what lies on the same server."""
        check_named_url("https://93.184.216.34/x", "https://example.com/rdf.yaml")
        check_named_url("http://10.0.0.1/x", "http://10.0.0.1/rdf.yaml")


class TestFolders:
    """Folders of file systems that list them."""

    def test_memory(self, model: Path, expected: np.ndarray[Any, Any]) -> None:
        """With and without a slash at the end; without a description in it, the names that are looked for are listed."""
        files = fsspec.filesystem("memory")
        for path in model.iterdir():
            files.pipe(f"/models/one/{path.name}", path.read_bytes())
        try:
            check("memory://models/one", expected)
            check("memory://models/one/", expected)
            with pytest.raises(
                SourceError, match=r"memory://models holds no description: expected a file named rdf\.yaml, bioimageio\.yaml"
            ):
                bc.load_description("memory://models")
            with pytest.raises(SourceError, match=r"memory://models/two cannot be read"):
                bc.load_description("memory://models/two")
        finally:
            files.rm("/models", recursive=True)

    def test_local(self, model: Path, expected: np.ndarray[Any, Any]) -> None:
        """By URL."""
        check(model.as_uri(), expected)


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("s3fs", "moto", "flask", "flask_cors")),
    reason="s3fs, or moto with its server, is not installed",
)
class TestS3:
    """An object store on this machine."""

    @pytest.fixture
    def bucket(self, model: Path, archive: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
        """The URL of a bucket with the model and its zip."""
        import s3fs
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        for name, value in (
            ("AWS_ENDPOINT_URL", f"http://{host}:{port}"),
            ("AWS_ACCESS_KEY_ID", "testing"),
            ("AWS_SECRET_ACCESS_KEY", "testing"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
        ):
            monkeypatch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        files = s3fs.S3FileSystem()
        files.mkdir("bucket")
        for path in (*model.iterdir(), archive):
            files.pipe(f"bucket/model/{path.name}", path.read_bytes())
        yield "s3://bucket"
        files.rm("bucket", recursive=True)  # buckets outlive the server
        s3fs.S3FileSystem.clear_instance_cache()
        server.stop()

    def test_model(self, bucket: str, expected: np.ndarray[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """A folder, a description and a zip; all are kept, so that they are there without the store, too."""
        sources = [f"{bucket}/model/", f"{bucket}/model", f"{bucket}/model/bioimageio.yaml", f"{bucket}/model/model.zip"]
        for source in sources:
            check(source, expected)
        monkeypatch.setenv("BMZ_OFFLINE", "1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        for source in sources:
            check(source, expected)

    def test_changed(self, bucket: str, model: Path) -> None:
        """A file that was replaced is fetched anew."""
        assert bc.load_description(f"{bucket}/model").description != "changed"
        tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
        fsspec.filesystem("s3").pipe("bucket/model/bioimageio.yaml", yaml.safe_dump({**tree, "description": "changed"}).encode())
        assert bc.load_description(f"{bucket}/model").description == "changed"

    def test_missing(self, bucket: str) -> None:
        """The URL is named."""
        for name in ("nope.yaml", "nope/", "nope"):
            with pytest.raises(SourceError, match=rf"^{bucket}/{name} (cannot be read|holds no description)"):
                bc.load_description(f"{bucket}/{name}")

    def test_offline_folder(self, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of a folder that was never read nothing is there."""
        monkeypatch.setenv("BMZ_OFFLINE", "1")
        with pytest.raises(SourceError, match="BMZ_OFFLINE"):
            bc.load_description(f"{bucket}/model/")

    def test_without_the_package(self, kept: Path) -> None:
        """What S3 needs is named where it is missing."""
        code = "import sys\nsys.modules['s3fs'] = None\nfrom bioimageio_core.cli import main; main()"
        assert run_process("info", "s3://bucket/model.zip", code=code).error(2).endswith("pip install 'bioimageio-runtime[s3]'")
