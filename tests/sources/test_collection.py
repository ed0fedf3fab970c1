"""Resources by their ids in a collection: patterns of URLs, indexes, and what is said where there is none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import yaml
from bmz_process import run_process
from hypothesis import given
from hypothesis import strategies as st
from made_models import box_model
from served import Served

import bioimageio_core as bc
from bioimageio_core.errors import HashMismatchError, SourceError
from bioimageio_core.sources import open_package, sha256_of
from bioimageio_core.sources.collection import PUBLIC_COLLECTION, find_in_collection, id_in

IMAGE = np.ones((20, 20), np.float32)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the models ``affable-shark/1.0`` and ``affable-shark/2.0``, which differ in their description."""
    folder = tmp_path_factory.mktemp("shelf")
    for version in ("1.0", "2.0"):
        (folder / "affable-shark" / version).mkdir(parents=True)
        model = box_model(folder / "affable-shark" / version, 16)
        tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
        (model / "rdf.yaml").write_text(yaml.safe_dump({**tree, "description": f"version {version}"}))
        (model / "bioimageio.yaml").unlink()
    return folder


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Returns what names a collection: a pattern or location as it is, anything else as an index in a file."""

    def name(collection: Any, file: str = "index.json") -> Path:
        path = tmp_path / file
        if not isinstance(collection, str):
            path.write_text(json.dumps(collection) if file.endswith("json") else yaml.safe_dump(collection))
        monkeypatch.setenv("BMZ_COLLECTION", collection if isinstance(collection, str) else str(path))
        return path

    return name


class TestIds:
    """What may be an id."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("affable-shark", "affable-shark"),
            (" \U0001f988 affable-shark\n", "affable-shark"),
            ("affable-shark \U0001f988", "affable-shark"),
            ("affable-shark/1.2", "affable-shark/1.2"),
            ("10.5281/zenodo.5764892", "10.5281/zenodo.5764892"),
            ("n2v", "n2v"),
            ("model.zip", None),
            ("affable-shark/rdf.yaml", None),
            ("Affable-Shark", None),
            ("/affable-shark", None),
            ("affable-shark/", None),
            ("../affable-shark", None),
            ("a/../b", None),
            ("./affable-shark", None),
            ("a//b", None),
            ("~/model", None),
            ("C:\\model", None),
            ("affable shark", None),
            ("", None),
        ],
    )
    def test_examples(self, text: str, expected: str | None) -> None:
        """Paths, names of files and anything with other characters are none."""
        assert id_in(text) == expected

    @given(st.text(max_size=20))
    def test_law(self, text: str) -> None:
        """An id leads nowhere but below the collection, and is its own id."""
        id_ = id_in(text)
        if id_ is not None:
            assert id_ in text
            assert id_in(id_) == id_
            assert not {"", ".", ".."} & set(id_.split("/"))
            assert not set(id_) & set(":?#% \\")

    def test_public(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without BMZ_COLLECTION the public collection is meant."""
        for value in (None, "", " "):
            monkeypatch.delenv("BMZ_COLLECTION", raising=False) if value is None else monkeypatch.setenv("BMZ_COLLECTION", value)
            assert find_in_collection("affable-shark").source == PUBLIC_COLLECTION.replace("{id}", "affable-shark")

    def test_public_is_not_asked_offline(self, tmp_path: Path) -> None:
        """The id, the URL and the switch are named."""
        line = run_process("info", "affable-shark", env={"BMZ_COLLECTION": "", "BMZ_OFFLINE": "1", "BMZ_CACHE": str(tmp_path)}).error(2)
        assert line.startswith("bmz: 'affable-shark' is no file or folder here, and cannot be read from its collection: https://")
        assert "BMZ_OFFLINE" in line


class TestPatterns:
    """``{id}`` and ``{version}``."""

    def test_folders(self, shelf: Path, named: Any) -> None:
        """A pattern of paths; the resource is called by its id."""
        named(f"{shelf}/{{id}}/{{version}}")
        with open_package("affable-shark/2.0") as package:
            assert package.name == "affable-shark/2.0"
            assert package.local("weights.onnx").parent == (shelf / "affable-shark" / "2.0").resolve()
        assert bc.load_description("affable-shark/1.0").description == "version 1.0"
        assert bc.validate("affable-shark/2.0").source == "affable-shark/2.0"
        assert np.asarray(bc.predict("affable-shark/2.0", IMAGE)["out"]).shape[-2:] == (20, 20)

    def test_newest(self, shelf: Path, named: Any, tmp_path: Path) -> None:
        """Without a version, ``latest`` stands for it."""
        shutil.copytree(shelf / "affable-shark" / "2.0", tmp_path / "affable-shark" / "latest")
        named(f"{tmp_path}/{{id}}/{{version}}")
        assert bc.load_description("affable-shark").description == "version 2.0"

    def test_version_without_a_place(self, shelf: Path, named: Any) -> None:
        """A pattern without {version} has one of each; ids that hold a slash are not taken for versions."""
        named(f"{shelf}/{{id}}/1.0/rdf.yaml")
        assert bc.load_description("affable-shark").description == "version 1.0"
        with pytest.raises(SourceError, match=r"'affable-shark/1\.0' names version '1\.0', but the collection .* has one version"):
            bc.load_description("affable-shark/1.0")
        assert find_in_collection("10.5281/zenodo.5764892").source == f"{shelf}/10.5281/zenodo.5764892/1.0/rdf.yaml"
        assert find_in_collection("lab/model").source == f"{shelf}/lab/model/1.0/rdf.yaml"

    def test_local_wins(self, shelf: Path, named: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A folder of the same name is taken; a path that is given as such is never an id."""
        named(f"{shelf}/{{id}}/1.0")
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SourceError, match="no such file or folder: affable-shark"):
            bc.load_description(Path("affable-shark"))
        shutil.copytree(shelf / "affable-shark" / "2.0", "affable-shark")
        assert bc.load_description("affable-shark").description == "version 2.0"


class TestHttp:
    """A collection behind a web server."""

    @pytest.fixture
    def shelved(self, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
        """A server of the models, and an empty cache."""
        pytest.importorskip("aiohttp")
        monkeypatch.setenv("BMZ_CACHE", str(tmp_path / "cache"))
        served = Served(shelf)
        yield served
        served.close()

    def test_pattern(self, shelved: Served, named: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Fetched once, with the files beside the description; then it needs no server."""
        named(f"{shelved.url}/{{id}}/2.0/rdf.yaml")
        before = bc.predict("affable-shark", IMAGE)["out"]
        assert shelved.fetched == {"/affable-shark/2.0/rdf.yaml": 1, "/affable-shark/2.0/weights.onnx": 1}
        shelved.close()
        monkeypatch.setenv("BMZ_OFFLINE", "1")
        np.testing.assert_array_equal(bc.predict("affable-shark", IMAGE)["out"], before)

    def test_command(self, shelved: Served, named: Any) -> None:
        """``bmz info`` takes ids, too."""
        named(f"{shelved.url}/{{id}}/{{version}}/rdf.yaml")
        ran = run_process("info", "affable-shark/1.0", "--json")
        assert ran.status == 0
        assert ran.json["name"] == "made model"
        line = run_process("info", "affable-shark/3.0").error(2)
        assert line == (
            f"bmz: 'affable-shark/3.0' is no file or folder here, and cannot be read from its collection: "
            f"{shelved.url}/affable-shark/3.0/rdf.yaml cannot be read: the server answered 404 Not Found"
        )

    def test_version_in_the_query(self, shelved: Served, named: Any) -> None:
        """It is asked for with the files beside the description, too."""
        named(f"{shelved.url}/{{id}}/1.0/rdf.yaml?version={{version}}")
        with open_package("affable-shark/7") as package:
            assert package.local("weights.onnx").name == "weights.onnx"
        assert shelved.fetched == {"/affable-shark/1.0/rdf.yaml?version=7": 1, "/affable-shark/1.0/weights.onnx?version=7": 1}

    def test_index(self, shelved: Served, named: Any, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An index beside the models, which is kept like any other file; its hashes are compared."""
        source = {"source": "affable-shark/2.0/rdf.yaml", "sha256": sha256_of(shelf / "affable-shark" / "2.0" / "rdf.yaml").upper()}
        index = {"affable-shark": source, "wrong-shark": {**source, "sha256": "1" * 64}, "sly-shark": {"source": "file:///etc/passwd"}}
        (shelf / "index.json").write_text(json.dumps(index))
        named(f"{shelved.url}/index.json")
        assert bc.load_description("affable-shark").description == "version 2.0"
        with pytest.raises(HashMismatchError, match=r"2\.0/rdf\.yaml is not the file that the collection lists: expected sha256 1111"):
            bc.load_description("wrong-shark")
        with pytest.raises(SourceError, match=r"'file:///etc/passwd', which lies outside"):
            bc.load_description("sly-shark")
        shelved.close()
        monkeypatch.setenv("BMZ_OFFLINE", "1")
        assert bc.load_description("affable-shark").description == "version 2.0"
        with pytest.raises(SourceError, match=r"'other-bear' is no file or folder here, and the collection .* does not have it"):
            bc.load_description("other-bear")


class TestIndexes:
    """What an index may look like."""

    @pytest.mark.parametrize("file", ["index.json", "index.yaml"])
    @pytest.mark.parametrize("shape", ["mapping", "strings", "list", "collection", "versions", "numbers"])
    def test_shapes(self, shelf: Path, named: Any, shape: str, file: str) -> None:
        """By id or in a list; in JSON or YAML, where version 1.0 stays 1.0."""
        source = str(shelf / "affable-shark" / "2.0" / "rdf.yaml")
        older = source.replace("2.0", "1.0")
        entry = {"id": "10.5281/zenodo.1", "nickname": "affable-shark", "rdf_source": source, "sha256": None}
        index = {
            "mapping": {"affable-shark": {"source": source, "sha256": sha256_of(Path(source))}},
            "strings": {"affable-shark": source},
            "list": [{"name": "no id"}, {"id": "other", "alias": None}, {"id": "affable-shark", "source": source}],
            "collection": {"name": "many", "collection": [entry]},
            "versions": [{**entry, "versions": [{"version": "2.0", "source": source}, {"version": 1.0, "source": older}]}],
            "numbers": [{**entry, "versions": {"2.0": source, "1.0": {"source": older}}}],
        }[shape]
        named(index, file)
        assert bc.load_description("affable-shark").description == "version 2.0"
        if shape in ("versions", "numbers"):
            assert bc.load_description("affable-shark/1.0").description == "version 1.0"
            assert bc.load_description("10.5281/zenodo.1/1.0").description == "version 1.0"
        elif shape == "collection":
            assert bc.load_description("10.5281/zenodo.1").description == "version 2.0"
        else:
            with pytest.raises(SourceError, match=r"has no version '1\.0' of affable-shark: it names none"):
                bc.load_description("affable-shark/1.0")

    def test_relative_sources(self, shelf: Path, named: Any, tmp_path: Path) -> None:
        """Start from the index; folders and zips are as good."""
        shutil.copytree(shelf / "affable-shark" / "1.0", tmp_path / "here")
        archive = shutil.make_archive(str(tmp_path / "zipped"), "zip", tmp_path / "here")
        named({"folder": "here", "file": "here/rdf.yaml", "zip": {"source": "zipped.zip", "sha256": sha256_of(Path(archive))}})
        for name in ("folder", "file", "zip"):
            assert bc.load_description(name).description == "version 1.0"
        named({"zip": {"source": "zipped.zip", "sha256": "0" * 64}})
        with pytest.raises(HashMismatchError, match="is not the file that the collection lists"):
            bc.load_description("zip")

    def test_other_file_systems(self, shelf: Path, named: Any) -> None:
        """An index wherever fsspec can read."""
        files = fsspec.filesystem("memory")
        description = shelf / "affable-shark" / "1.0" / "rdf.yaml"
        files.pipe("/shelf/m/rdf.yaml", description.read_bytes())
        files.pipe("/shelf/index.yaml", f"a-b: {{source: m/rdf.yaml, sha256: {sha256_of(description)}}}\nc-d: m\ne-f: ../m".encode())
        try:
            named("memory://shelf/index.yaml")
            for name in ("a-b", "c-d"):
                assert bc.load_description(name).description == "version 1.0"
            with pytest.raises(SourceError, match="outside"):
                bc.load_description("e-f")
        finally:
            files.rm("/shelf", recursive=True)

    def test_listed_numbers_only(self, shelf: Path, named: Any) -> None:
        """Of versions without a source only the one that the path of the newest names can be had."""
        source = str(shelf / "affable-shark" / "2.0" / "rdf.yaml")
        named([{"id": "affable-shark", "source": source, "versions": ["2.0", "1.0"]}, {"id": "lost-shark"}])
        assert bc.load_description("affable-shark/2.0").description == "version 2.0"
        with pytest.raises(SourceError, match=r"lists affable-shark/1\.0 without its place"):
            bc.load_description("affable-shark/1.0")
        with pytest.raises(SourceError, match=r"has no version '3' of affable-shark: it has 2\.0, 1\.0"):
            bc.load_description("affable-shark/3")
        with pytest.raises(SourceError, match=r"lists lost-shark without its place"):
            bc.load_description("lost-shark")

    def test_unknown_id(self, named: Any) -> None:
        """The collection is named, and ids that are close."""
        path = named({"affable-shark": "a", "affable-bark": "b"})
        with pytest.raises(SourceError) as failure:
            bc.load_description("affable-shrk")
        assert str(failure.value) == (
            f"did you mean affable-shark or affable-bark? 'affable-shrk' is no file or folder here, "
            f"and the collection {path} does not have it"
        )
        with pytest.raises(SourceError, match=r"does not have it: .*BMZ_COLLECTION names another collection"):
            bc.load_description("zzz")

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a: [", "is neither JSON nor YAML"),
            ("3", "is not an index: expected a mapping"),
            ("collection: text", "is not an index: expected a mapping"),
        ],
    )
    def test_no_index(self, named: Any, tmp_path: Path, text: str, message: str) -> None:
        """Anything else is told from an index."""
        (tmp_path / "index.yaml").write_text(text)
        named(str(tmp_path / "index.yaml"))
        with pytest.raises(SourceError, match=message):
            bc.load_description("affable-shark")

    def test_missing_index(self, named: Any, tmp_path: Path) -> None:
        """The variable and the path are named."""
        named(str(tmp_path / "nope.json"))
        with pytest.raises(SourceError, match=r"no id can be looked up in the collection that BMZ_COLLECTION names: .*nope\.json"):
            bc.load_description("affable-shark")
