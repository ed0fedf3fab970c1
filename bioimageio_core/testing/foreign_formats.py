"""What readers and writers of foreign formats have to keep."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from ..registry import ForeignFormat, ForeignFormatEntry, Registry, collect
from ..spec.saving import save_description
from ..spec.validation import read_tree, validate_tree
from ..structuring.freezing import thaw
from .entry import EntryConformance, one_sentence
from .other_files import write_other_file

__all__ = ["ForeignFormatConformance"]


class ForeignFormatConformance(EntryConformance):
    """The laws of foreign formats; a subclass sets ``entry`` to a `ForeignFormatEntry` and overrides the fixture ``files``."""

    kind = "foreign_formats"
    entry: ForeignFormatEntry

    @pytest.fixture
    def files(self, tmp_path: Path) -> Sequence[Path]:
        """Files, or folders, of the format; override it."""
        pytest.skip("there is no example of the format: override the fixture `files`")

    @pytest.fixture
    def other_files(self, tmp_path: Path) -> Sequence[Path]:
        """Files that look like the format and are not; the kit has some of its own."""
        return ()

    def loaded(self) -> ForeignFormat:
        """Return the reader."""
        self.needs_installed()
        return self.entry.load()

    def test_protocol(self) -> None:
        """The reader sniffs and reads, and some file names fit."""
        assert isinstance(self.loaded(), ForeignFormat), "expected the methods sniff and read"
        assert self.entry.patterns, "expected at least one pattern of file names"

    def test_options(self) -> None:
        """The reader and the writer take the options that the entry names by name, and have a default for each."""
        writer = self.entry.load_writer() if self.entry.load_writer is not None else None
        for takes, options in ((self.loaded().read, self.entry.reader_options), (writer, self.entry.writer_options)):
            taken = {} if takes is None else inspect.signature(takes).parameters
            free = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in taken.values())
            for option in options:
                ready = free or (option in taken and taken[option].default is not inspect.Parameter.empty)
                assert ready, f"the entry names the option {option!r}, which nothing takes by name, or only without a default"

    def test_patterns(self, files: Sequence[Path]) -> None:
        """The names of the examples fit the patterns."""
        for path in files:
            fits = any(fnmatch(path.name.lower(), pattern.lower()) for pattern in self.entry.patterns)
            assert fits, f"the name of the example {path.name} fits none of {', '.join(self.entry.patterns)}"

    def test_knows_its_own(self, files: Sequence[Path]) -> None:
        """`sniff` says True of the examples."""
        for path in files:
            assert self.loaded().sniff(path) is True, f"expected sniff to return True for the example {path.name}"

    @pytest.mark.parametrize("content", ["nothing", "text", "noise", "zip", "folder"])
    def test_refuses_other_files(self, tmp_path: Path, content: str) -> None:
        """`sniff` says False, and raises nothing, of files that have the right name and nothing else."""
        for number, pattern in enumerate(self.entry.patterns):
            folder = tmp_path / str(number)
            folder.mkdir()
            path = folder / pattern.replace("*", "other").replace("?", "s")
            write_other_file(path, content)
            assert self.loaded().sniff(path) is False, f"expected sniff to return False for {content} named {path.name}"

    def test_refuses_those_of_the_author(self, other_files: Sequence[Path]) -> None:
        """`sniff` says False of the files that the author says are of another format."""
        if not other_files:
            pytest.skip("the author names no files of other formats: override the fixture `other_files`")
        for path in other_files:
            assert self.loaded().sniff(path) is False, f"expected sniff to return False for {path.name}"

    def test_reads_a_valid_model(self, files: Sequence[Path], tmp_path: Path) -> None:
        """What is read is a valid model description, whose files lie in the folder; the example stays as it was."""
        for number, path in enumerate(files):
            before = _content(path)
            folder = tmp_path / f"read{number}"
            tree = self.read(path, folder)
            report = validate_tree(tree, self.known())
            assert report.status == "valid", f"{path.name} as a description: {report.summary()}"
            assert report.type == "model", f"expected a model description, found {report.type!r}"
            missing = [source for source in _sources(tree) if "://" not in source and not (folder / source).exists()]
            assert not missing, f"the description of {path.name} names {missing[0]}, which was not written"
            assert _content(path) == before, f"reading changed {path.name}"

    def test_reads_the_same_again(self, files: Sequence[Path], tmp_path: Path) -> None:
        """Reading twice gives equal descriptions, which name no folder of this computer."""
        for number, path in enumerate(files):
            one, other = (self.read(path, tmp_path / f"{name}{number}") for name in ("one", "other"))
            assert one == other, f"{path.name} is read in two ways"

    def test_broken_files(self, files: Sequence[Path], tmp_path: Path) -> None:
        """A file that ends in the middle is read, or refused with ValueError in one sentence; no other error."""
        for path in files:
            if not path.is_file():
                continue
            content = path.read_bytes()
            for number, length in enumerate((0, 10, len(content) // 2, len(content) - 1)):
                broken = tmp_path / f"broken{number}" / path.name
                broken.parent.mkdir(exist_ok=True)
                broken.write_bytes(content[:length])
                try:
                    if self.loaded().sniff(broken):
                        self.read(broken, tmp_path / f"from{number}{path.name}")
                except ValueError as error:
                    one_sentence(str(error))
                except Exception as error:
                    raise AssertionError(f"{length} bytes of {path.name}: expected ValueError, found {type(error).__name__}") from error

    def test_writes(self, files: Sequence[Path], tmp_path: Path) -> None:
        """The written file has the format and is read as a model of the same name; losses are reported in sentences."""
        if self.entry.load_writer is None:
            pytest.skip("the format is only read")
        for number, path in enumerate(files):
            folder = tmp_path / f"first{number}"
            descr, _ = read_tree(self.read(path, folder), self.known())
            save_description(descr, folder / "bioimageio.yaml", self.known())  # as in the package that writers are given
            written = tmp_path / f"written{number}" / path.name
            written.parent.mkdir()
            for sentence in self.entry.load_writer()(descr, folder, written):
                one_sentence(sentence)
            assert self.loaded().sniff(written), f"what was written of {path.name} is not of the format"
            again = self.read(written, tmp_path / f"second{number}")
            assert again["name"] == descr.name, f"expected the name {descr.name!r} after writing, found {again['name']!r}"

    def read(self, path: Path, folder: Path) -> Mapping[str, Any]:
        """Read a file into a new folder."""
        folder.mkdir()
        tree: Mapping[str, Any] = thaw(self.loaded().read(path, folder))
        return tree

    def known(self) -> Registry:
        """Return all that is installed, so that weights of other plugins are judged, too."""
        return collect()


def _sources(tree: Any) -> list[str]:
    """Return the files that a description names as ``source`` or as its documentation."""
    if isinstance(tree, Mapping):
        own = [tree[key] for key in ("source", "documentation") if isinstance(tree.get(key), str)]
        return own + [source for value in tree.values() for source in _sources(value)]
    if isinstance(tree, list | tuple):
        return [source for value in tree for source in _sources(value)]
    return []


def _content(path: Path) -> dict[str, bytes]:
    """Return the content of a file, or of all files of a folder."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return {str(p): p.read_bytes() for p in files}
