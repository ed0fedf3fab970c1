"""Models in records of Zenodo, by their DOIs and addresses."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from bmz_process import run_process
from made_models import box_model
from zenodo_server import Zenodo

import bioimageio_core as bc
from bioimageio_core.errors import HashMismatchError, SourceError
from bioimageio_core.sources import open_package
from bioimageio_core.sources.zenodo import RecordFile, record_in
from bioimageio_core.sources.zenodo_files import _check

IMAGE = np.random.default_rng(0).random((20, 20), dtype=np.float32)

needs_http = pytest.mark.skipif(importlib.util.find_spec("aiohttp") is None, reason="aiohttp, which reads HTTP, is not installed")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mean filter of 16 pixels."""
    return box_model(tmp_path_factory.mktemp("model"), 16)


@pytest.fixture(scope="module")
def expected(model: Path) -> np.ndarray[Any, Any]:
    """What it makes of `IMAGE`."""
    return np.asarray(bc.predict(model, IMAGE)["out"])


@pytest.fixture
def zenodo(tmp_path: Path, model: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Zenodo]:
    """Record 1 is a model, 2 its zip, 3 two zips, 4 neither."""
    folder = tmp_path / "records"
    for number in ("1", "2", "3", "4", "5"):
        (folder / number).mkdir(parents=True)
    for path in model.iterdir():
        (folder / "1" / path.name.replace("bioimageio.yaml", "rdf.yaml")).write_bytes(path.read_bytes())
    bc.save_package(model, folder / "2" / "model.zip")
    for name in ("3/a.zip", "3/b.zip", "5/changed.zip"):
        (folder / name).write_bytes((folder / "2" / "model.zip").read_bytes())
    (folder / "4" / "notes.txt").write_text("notes")
    served = Zenodo(folder)
    monkeypatch.setenv("BMZ_ZENODO", served.url)
    monkeypatch.delenv("BMZ_COLLECTION", raising=False)
    yield served
    served.close()


def check(source: Any, expected: np.ndarray[Any, Any]) -> None:
    """Predict, and compare."""
    np.testing.assert_array_equal(np.asarray(bc.predict(source, IMAGE)["out"]), expected)


class TestSpellings:
    """What names a record."""

    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("10.5281/zenodo.5764892", "5764892"),
            ("doi:10.5281/zenodo.5764892", "5764892"),
            ("DOI: 10.5281/ZENODO.5764892", "5764892"),
            ("https://doi.org/10.5281/zenodo.5764892", "5764892"),
            ("http://dx.doi.org/10.5281/zenodo.5764892", "5764892"),
            ("https://zenodo.org/records/5764892", "5764892"),
            ("https://zenodo.org/record/5764892/", "5764892"),
            ("https://zenodo.org/records/5764892?preview=1", "5764892"),
            ("https://zenodo.org/records/5764892#files", "5764892"),
            ("zenodo://5764892", "5764892"),
            ("https://zenodo.org/records/5764892/files/rdf.yaml", None),
            ("https://zenodo.org/api/records/5764892/files/rdf.yaml/content", None),
            ("zenodo://5764892/rdf.yaml", None),
            ("10.5281/zenodo.5764892/1.0", None),
            ("10.1234/zenodo.1", None),
            ("https://example.com/records/1", None),
            ("zenodo.1", None),
            ("", None),
        ],
    )
    def test_examples(self, text: str, number: str | None) -> None:
        """DOIs and pages of records, and no files of them."""
        assert record_in(text) == number


@needs_http
class TestModels:
    """Records with models."""

    def test_each_kind(self, zenodo: Zenodo, expected: np.ndarray[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """Descriptions and zips by all spellings; all are there without the server, too."""
        sources = (
            "10.5281/zenodo.1",
            "doi:10.5281/zenodo.1",
            "https://doi.org/10.5281/zenodo.1",
            "https://zenodo.org/records/1",
            "10.5281/zenodo.2",
            "zenodo://1/rdf.yaml",
            "zenodo://3/b.zip",
        )
        for source in sources:
            check(source, expected)
        zenodo.close()
        monkeypatch.setenv("BMZ_OFFLINE", "1")
        for source in sources:
            check(source, expected)

    def test_named_by_its_doi(self, zenodo: Zenodo) -> None:
        """In reports and messages; what is read lies in the record."""
        with open_package("doi:10.5281/zenodo.1") as package:
            assert package.name == "doi:10.5281/zenodo.1"
            assert package.location == "zenodo://1/rdf.yaml"
        assert bc.validate("10.5281/zenodo.1").source == "10.5281/zenodo.1"

    def test_fetched_once(self, zenodo: Zenodo, expected: np.ndarray[Any, Any]) -> None:
        """A file whose checksum did not change is not fetched again."""
        for _ in range(2):
            check("10.5281/zenodo.1", expected)
        assert zenodo.asked["api/records/1/files/weights.onnx/content"] == 1

    def test_file_or_folder_first(self, zenodo: Zenodo, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A folder of that name here comes first, then the collection that BMZ_COLLECTION names, if it has the DOI."""
        tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
        for name, description in (("10.5281/zenodo.1", "folder"), ("listed", "listed")):
            (tmp_path / name).mkdir(parents=True)
            (tmp_path / name / "rdf.yaml").write_text(yaml.safe_dump({**tree, "description": description}))
        index = tmp_path / "index.yaml"
        index.write_text("10.5281/zenodo.1: listed\n")
        monkeypatch.setenv("BMZ_COLLECTION", str(index))
        assert bc.load_description("10.5281/zenodo.1").description == "listed"
        assert bc.load_description("10.5281/zenodo.2").description == tree["description"]
        monkeypatch.chdir(tmp_path)
        assert bc.load_description("10.5281/zenodo.1").description == "folder"


@needs_http
class TestFailures:
    """What is said where nothing can be read."""

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("10.5281/zenodo.404", r"^10\.5281/zenodo\.404 cannot be read from Zenodo: http\S+/api/records/404 .*answered 404"),
            ("10.5281/zenodo.500", r"the server answered 500"),
            ("10.5281/zenodo.700", r"is no record of Zenodo: expected JSON"),
            ("10.5281/zenodo.4", r"the record holds no description: expected a file named rdf\.yaml"),
            ("10.5281/zenodo.3", r"give one of its zips: zenodo://3/a\.zip, zenodo://3/b\.zip"),
            ("zenodo://1/nope.yaml", r"the record has no file 'nope\.yaml', but .*rdf\.yaml"),
            ("doi:10.1234/abc", r"^doi:10\.1234/abc is no DOI of Zenodo: expected 10\.5281/zenodo\.NUMBER"),
            ("https://doi.org/10.1234/abc", r"is no DOI of Zenodo"),
        ],
    )
    def test_missing(self, zenodo: Zenodo, source: str, message: str) -> None:
        """Each in one sentence."""
        with pytest.raises(SourceError, match=message):
            bc.load_description(source)

    def test_checksum(self, zenodo: Zenodo, kept: Path) -> None:
        """A file that differs from the record is not used, and not kept."""
        with pytest.raises(HashMismatchError, match=r"expected md5:[0-9a-f]{32}, found md5:[0-9a-f]{32}"):
            bc.load_description("10.5281/zenodo.5")
        assert not [path for path in (kept / "content").rglob("*") if path.is_file() and path.read_bytes().startswith(b"PK")]

    @pytest.mark.parametrize("algorithm", ["shake_128", "shake_256", "none"])
    def test_checksums_without_a_length(self, tmp_path: Path, algorithm: str) -> None:
        """Are not compared, as those of algorithms that Python lacks."""
        (tmp_path / "a").write_bytes(b"a")
        _check(tmp_path / "a", RecordFile(name="a", size=1, url="", checksum=f"{algorithm}:00"), "a")

    def test_silence(self, zenodo: Zenodo, monkeypatch: pytest.MonkeyPatch) -> None:
        """A server that sends nothing is given up after the time that BMZ_TIMEOUT names."""
        monkeypatch.setenv("BMZ_TIMEOUT", "0.3")
        with pytest.raises(SourceError, match=r"sent nothing for 0\.3 s.*BMZ_TIMEOUT"):
            bc.load_description("10.5281/zenodo.600")

    def test_internal_addresses(self, zenodo: Zenodo) -> None:
        """A record leads to no other address of an internal network."""
        zenodo.elsewhere = "http://127.0.0.2:9"
        with pytest.raises(SourceError, match="an address of an internal network"):
            bc.load_description("10.5281/zenodo.1")

    def test_offline(self, zenodo: Zenodo, kept: Path) -> None:
        """The DOI and the switch are named."""
        line = run_process("info", "10.5281/zenodo.1", env={"BMZ_OFFLINE": "1", "BMZ_CACHE": str(kept)}).error(2)
        assert line.startswith("bmz: 10.5281/zenodo.1 cannot be read from Zenodo: ")
        assert "BMZ_OFFLINE" in line
