"""Where descriptions and their files come from: folders, files, zips, bytes, mappings and URLs."""

from __future__ import annotations

import hashlib
import os
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import yaml
from made_models import box_model

import bioimageio_core as bc
from bioimageio_core.errors import HashMismatchError, InvalidDescriptionError, SourceError, YamlError
from bioimageio_core.sources import open_package, sha256_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mean filter of 16 pixels in a folder."""
    return box_model(tmp_path_factory.mktemp("model"), 16)


@pytest.fixture(scope="module")
def archive(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in a zip."""
    return zipped(folder, tmp_path_factory.mktemp("zip") / "model.zip")


@pytest.fixture(scope="module")
def expected(folder: Path) -> np.ndarray[Any, Any]:
    """What the model makes of `image`."""
    return np.asarray(bc.predict(folder, image())["out"])


def image() -> np.ndarray[Any, Any]:
    """Return 20 x 20 pixels."""
    return np.random.default_rng(0).random((20, 20), dtype=np.float32)


def zipped(folder: Path, path: Path) -> Path:
    """Write a zip with the files of a folder at its top."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            opened.write(file, file.relative_to(folder))
    return path


def tree_of(folder: Path) -> dict[str, Any]:
    """Return the description in a folder."""
    tree: dict[str, Any] = yaml.safe_load((folder / "bioimageio.yaml").read_text())
    return tree


class TestLocal:
    """Sources on this machine: all give the same prediction."""

    def check(self, source: Any, expected: np.ndarray[Any, Any]) -> None:
        np.testing.assert_array_equal(np.asarray(bc.predict(source, image())["out"]), expected)
        assert bc.validate(source).status == "valid"
        assert bc.load_description(source).name == "made model"

    def test_folder(self, folder: Path, expected: np.ndarray[Any, Any]) -> None:
        """As a path and as text."""
        self.check(folder, expected)
        self.check(str(folder), expected)

    def test_file(self, folder: Path, expected: np.ndarray[Any, Any]) -> None:
        """Relative paths start from its folder."""
        self.check(folder / "bioimageio.yaml", expected)

    def test_relative_path(self, folder: Path, expected: np.ndarray[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """Stays the same when the working directory changes after opening."""
        monkeypatch.chdir(folder.parent)
        with bc.open_predictor(folder.name) as predictor:
            monkeypatch.chdir("/")
            np.testing.assert_array_equal(np.asarray(predictor.predict(image())["out"]), expected)

    def test_zip(self, archive: Path, expected: np.ndarray[Any, Any]) -> None:
        """As a path and as bytes."""
        self.check(archive, expected)
        self.check(archive.read_bytes(), expected)

    def test_zip_with_folders(self, folder: Path, tmp_path: Path, expected: np.ndarray[Any, Any]) -> None:
        """Weights deeper in the zip."""
        inner = tmp_path / "model"
        (inner / "deep" / "er").mkdir(parents=True)
        (inner / "deep" / "er" / "weights.onnx").write_bytes((folder / "weights.onnx").read_bytes())
        tree = tree_of(folder)
        tree["weights"]["onnx"]["source"] = "./deep/other/../er/weights.onnx"
        (inner / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
        self.check(zipped(inner, tmp_path / "model.zip"), expected)

    def test_bytes_and_mapping(self, folder: Path, expected: np.ndarray[Any, Any]) -> None:
        """They have no folder: absolute paths work, relative ones are an error that says so."""
        tree = tree_of(folder)
        text = yaml.safe_dump(tree).encode()
        for source in (text, tree):
            assert bc.load_description(source).name == "made model"
            with pytest.raises(SourceError, match=r"'weights\.onnx' cannot be found: give a path"):
                bc.predict(source, image())
        tree["weights"]["onnx"]["source"] = str(folder / "weights.onnx")
        self.check(tree, expected)
        self.check(yaml.safe_dump(tree).encode(), expected)

    def test_no_such_thing(self, tmp_path: Path) -> None:
        """The path as it was given."""
        with pytest.raises(SourceError, match=r"no such file or folder: .*nope"):
            bc.load_description(tmp_path / "nope")
        with pytest.raises(SourceError):
            bc.validate(tmp_path / "nope")

    def test_not_a_text(self) -> None:
        """Bytes that are neither YAML nor a zip."""
        with pytest.raises((SourceError, YamlError)):
            bc.load_description(b"\xff\xfe\xfd")

    def test_something_else_than_a_model(self) -> None:
        """The type is told."""
        with pytest.raises(InvalidDescriptionError, match="dataset"):
            bc.load_model_description({"type": "dataset", "format_version": "0.3.0", "name": "data"})


class TestNames:
    """Which file of a folder or zip is the description."""

    NAMES = ("rdf.yaml", "x.rdf.yaml", "bioimageio.yaml", "a.bioimageio.yaml", "model.yaml", "z.model.yaml")

    @pytest.mark.parametrize("first", range(len(NAMES)))
    def test_preference(self, folder: Path, tmp_path: Path, first: int) -> None:
        """rdf.yaml before bioimageio.yaml before model.yaml, each before names that end in it."""
        names = self.NAMES[first:]
        for name in (*names, "environment.yaml", "aaa.yaml"):
            (tmp_path / name).write_text(yaml.safe_dump({**tree_of(folder), "description": name}))
        assert bc.load_description(tmp_path).description == names[0]
        assert bc.load_description(zipped(tmp_path, tmp_path / "all.zip")).description == names[0]

    def test_names_that_only_look_alike(self, folder: Path, tmp_path: Path) -> None:
        """notbioimageio.yaml is none; a description in a folder of a zip is none."""
        (tmp_path / "notbioimageio.yaml").write_text(yaml.safe_dump(tree_of(folder)))
        (tmp_path / "deep").mkdir()
        (tmp_path / "deep" / "rdf.yaml").write_text(yaml.safe_dump(tree_of(folder)))
        for source in (tmp_path, zipped(tmp_path, tmp_path / "all.zip")):
            with pytest.raises(SourceError, match="holds no description"):
                bc.load_description(source)


class TestHashes:
    """SHA-256 of files."""

    def test_known_value(self, tmp_path: Path) -> None:
        """That of ``abc``, from FIPS 180-2."""
        (tmp_path / "abc").write_bytes(b"abc")
        assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    def test_verified(self, folder: Path, archive: Path) -> None:
        """In any case, with spaces around; a difference names the file, expected and found."""
        right = hashlib.sha256((folder / "weights.onnx").read_bytes()).hexdigest()
        for source in (folder, archive):
            with open_package(source) as package:
                assert package.local("weights.onnx", sha256=f" {right.upper()} ").read_bytes() == (folder / "weights.onnx").read_bytes()
                with pytest.raises(HashMismatchError, match=f"weights.onnx .*expected sha256 {'1' * 64}, found {right}"):
                    package.local("weights.onnx", sha256="1" * 64)


class TestPackage:
    """Files of a package."""

    def test_unpacks_only_what_is_asked_for(self, archive: Path) -> None:
        """Once, and removes it at the end."""
        with open_package(archive) as package:
            path = package.local("weights.onnx")
            assert [p.name for p in path.parent.iterdir()] == ["weights.onnx"]
            assert package.local("./weights.onnx") == path
        assert not path.exists()

    def test_makes_no_folder_without_need(self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A model in a folder is read where it lies, so a full temporary folder does no harm."""
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
        with open_package(folder) as package:
            assert package.local("weights.onnx") == folder.resolve() / "weights.onnx"

    def test_says_that_nothing_can_be_unpacked(self, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The remedy is named."""
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
        with open_package(archive) as package, pytest.raises(SourceError, match="TMPDIR"):
            package.local("weights.onnx")

    def test_can_be_pickled(self, archive: Path) -> None:
        """A copy in another process unpacks for itself."""
        with open_package(archive) as package:
            first = package.local("weights.onnx")
            with pickle.loads(pickle.dumps(package)) as copy:
                second = copy.local("weights.onnx")
                assert second != first
                assert second.read_bytes() == first.read_bytes()

    def test_sizes(self, folder: Path, archive: Path) -> None:
        """Known without unpacking; None where there is no file, or it would have to be fetched."""
        size = (folder / "weights.onnx").stat().st_size
        for source in (folder, archive):
            with open_package(source) as package:
                assert package.size_of("weights.onnx") == size
                assert package.size_of("nope") is None
                assert package.size_of("https://example.com/weights.onnx") is None

    def test_many_threads(self, archive: Path) -> None:
        """All see the whole file, whoever unpacks it."""
        from concurrent.futures import ThreadPoolExecutor

        with open_package(archive) as package, ThreadPoolExecutor(8) as pool:
            contents = list(pool.map(lambda _: package.local("weights.onnx").read_bytes(), range(32)))
        assert len(set(contents)) == 1


class TestUrls:
    """URLs that fsspec opens."""

    @pytest.fixture
    def memory(self, folder: Path, archive: Path) -> Iterator[str]:
        """The model in fsspec's memory file system."""
        files = fsspec.filesystem("memory")
        for path in folder.iterdir():
            files.pipe(f"/models/{path.name}", path.read_bytes())
        files.pipe("/models/model.zip", archive.read_bytes())
        yield "memory://models"
        files.rm("/models", recursive=True)

    def test_memory(self, memory: str, expected: np.ndarray[Any, Any]) -> None:
        """A description whose files lie beside it, and a zip."""
        for name in ("bioimageio.yaml", "model.zip"):
            np.testing.assert_array_equal(np.asarray(bc.predict(f"{memory}/{name}", image())["out"]), expected)

    def test_file(self, folder: Path, archive: Path, expected: np.ndarray[Any, Any]) -> None:
        """As a path."""
        for path in (folder / "bioimageio.yaml", archive):
            np.testing.assert_array_equal(np.asarray(bc.predict(path.as_uri(), image())["out"]), expected)

    def test_missing(self, memory: str) -> None:
        """The URL is named, of the description and of a file beside it."""
        with pytest.raises(SourceError, match=r"memory://models/nope\.yaml"):
            bc.load_description(f"{memory}/nope.yaml")
        fsspec.filesystem("memory").rm("/models/weights.onnx")
        with pytest.raises(SourceError, match=r"memory://models/weights\.onnx"):
            bc.predict(f"{memory}/bioimageio.yaml", image())

    @pytest.mark.parametrize("source", ["../secret.onnx", "/etc/passwd", "file:///etc/passwd", "local:///etc/passwd"])
    def test_paths_out_of_a_remote_folder(self, folder: Path, memory: str, source: str) -> None:
        """A package from elsewhere reads no files of this machine."""
        tree = tree_of(folder)
        tree["weights"]["onnx"]["source"] = source
        fsspec.filesystem("memory").pipe("/models/bioimageio.yaml", yaml.safe_dump(tree).encode())
        with pytest.raises(SourceError, match="outside"):
            bc.predict(f"{memory}/bioimageio.yaml", image())

    def test_file_elsewhere(self, folder: Path, memory: str, expected: np.ndarray[Any, Any]) -> None:
        """A local description may name any URL; queries tell files of one name apart, and the name stays."""
        tree = tree_of(folder)
        tree["weights"]["onnx"]["source"] = f"{memory}/weights.onnx"
        np.testing.assert_array_equal(np.asarray(bc.predict(tree, image())["out"]), expected)


class TestHostile:
    """Sources that would fill memory or disk, or never end."""

    def test_description_of_gigabytes(self, tmp_path: Path) -> None:
        """In a folder as by its path: no description has so many bytes, so they are not read."""
        with (tmp_path / "rdf.yaml").open("wb") as file:
            file.truncate(6 << 30)
        for source in (tmp_path, tmp_path / "rdf.yaml"):
            with pytest.raises(SourceError, match=r"rdf\.yaml is larger than 64 MiB"):
                open_package(source)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
    def test_pipe_and_device(self, tmp_path: Path) -> None:
        """Reading of a pipe that nothing writes would wait forever."""
        os.mkfifo(tmp_path / "rdf.yaml")
        (tmp_path / "zero.rdf.yaml").symlink_to("/dev/zero")
        for name in ("rdf.yaml", "zero.rdf.yaml"):
            with pytest.raises(SourceError, match=rf"{name} is no file but a pipe, device or socket"):
                open_package(tmp_path / name)
        with pytest.raises(SourceError, match="holds no description"):
            open_package(tmp_path)

    def test_names_that_no_file_can_have(self, folder: Path, archive: Path) -> None:
        """A NUL, and on Windows the name of a drive, which would lead out of a folder."""
        for source in (folder, archive):
            with open_package(source) as package:
                with pytest.raises(SourceError, match="no file system can have"):
                    package.local("w\0.onnx")
                assert not package.holds("w\0.onnx")
                assert not package.holds("C:weights.onnx")
        with open_package(archive) as package, pytest.raises(SourceError, match="lies outside of it"):
            package.local("sub/C:weights.onnx")

    def test_member_that_fills_the_disk(self, folder: Path, tmp_path: Path) -> None:
        """A small zip may unpack to gigabytes; its directory says so before a byte is written."""
        path = zipped(folder, tmp_path / "model.zip")
        with zipfile.ZipFile(path, "a") as opened:
            opened.writestr("zeros.npy", bytes(100))
        content = bytearray(path.read_bytes())
        size_of_last = content.rfind(b"PK\x01\x02") + 24
        content[size_of_last : size_of_last + 4] = (2 << 30).to_bytes(4, "little")
        path.write_bytes(content)
        with open_package(path) as package, pytest.raises(SourceError, match=r"would unpack to 21474\d+, .*: expected at most 100 times"):
            package.local("zeros.npy")
