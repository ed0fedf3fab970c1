"""The files that parts of descriptions name, in classes of plugins and in parts without a class."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import attrs
import pytest

from bioimageio_core.errors import HashMismatchError, SourceError
from bioimageio_core.packaging.argument_files import ArgumentFiles
from bioimageio_core.packaging.references import file_references, names_files
from bioimageio_core.sources import Package
from bioimageio_core.spec.extensions import OpaqueOp
from bioimageio_core.spec.files import FileDescr
from bioimageio_core.spec.node import Node, node
from bioimageio_core.spec.strings import FileSource, PackagedSource
from bioimageio_core.structuring.freezing import freeze


@dataclasses.dataclass(frozen=True)
class Correction:
    """Arguments within arguments, as a dataclass."""

    table: FileDescr
    power: float = 1.0


@attrs.frozen
class Arguments:
    """Files in every way in which a class can name them; no `Node`."""

    field: FileDescr
    notes: PackagedSource
    page: FileSource = "page.html"
    tables: list[FileDescr] = attrs.Factory(list)
    named: Mapping[str, FileDescr] = attrs.Factory(dict)
    texts: dict[str, PackagedSource] = attrs.Factory(dict)
    corrections: tuple[Correction, ...] = ()


@node
class Tree(Node):
    """A class that holds itself."""

    children: tuple[Tree, ...] = ()


@attrs.frozen
class Marked:
    """A field whose mark cannot be hashed."""

    words: Annotated[str, {"title": "words"}] = ""


ARGUMENTS = Arguments(
    field=FileDescr(source="a/field.npy", sha256="0" * 64),
    notes="notes.txt",
    tables=[FileDescr(source="red.csv"), FileDescr(source="green.csv")],
    named={"dark": FileDescr(source="dark.npy")},
    texts={"more": "more.txt"},
    corrections=(Correction(FileDescr(source="curve.csv")),),
)


class TestFound:
    """`file_references`."""

    def test_in_classes_of_plugins(self) -> None:
        """Attrs classes and dataclasses, with lists, mappings and texts; what need not be packaged is left out."""
        found = {".".join(map(str, r.loc)): (r.source, r.sha256) for r in file_references(ARGUMENTS)}
        assert found == {
            "field.source": ("a/field.npy", "0" * 64),
            "notes": ("notes.txt", None),
            "tables.0.source": ("red.csv", None),
            "tables.1.source": ("green.csv", None),
            "named.dark.source": ("dark.npy", None),
            "texts.more": ("more.txt", None),
            "corrections.0.table.source": ("curve.csv", None),
        }
        assert "page.html" in {r.source for r in file_references(ARGUMENTS, packaged_only=False)}

    @pytest.mark.parametrize(
        ("kwargs", "expected"),
        [
            ({"field": {"source": "flat.npy"}}, ["flat.npy"]),
            ({"tables": [{"source": "a"}, {"source": "b", "sha256": "0" * 64}]}, ["b"]),
            ({"field": {"source": "https://example.com/flat.npy?download=1"}}, ["https://example.com/flat.npy?download=1"]),
            ({"source": "camera"}, []),
            ({"field": "flat.npy"}, []),
        ],
    )
    def test_in_unknown_ops(self, kwargs: Any, expected: list[str]) -> None:
        """What has a hash, or the name of a file; a source of another kind is no file."""
        step = OpaqueOp(name="strange", tree=freeze({"id": "strange", "kwargs": kwargs}))
        assert [r.source for r in file_references(step)] == expected

    @pytest.mark.parametrize(
        ("cls", "expected"),
        [(Arguments, True), (Correction, True), (FileDescr, True), (Tree, False), (Marked, False), (type(None), False), (dict, False)],
    )
    def test_of_a_class(self, cls: type, expected: bool) -> None:
        """Whether it can name any, at any depth."""
        assert names_files(cls) is expected

    def test_mark_that_cannot_be_hashed(self) -> None:
        """Is no reason to fail."""
        assert file_references(Marked()) == ()


class TestArgumentFiles:
    """Local paths by the path of the argument."""

    def test_keys(self, tmp_path: Path) -> None:
        """Without the key source of a file."""
        files = ArgumentFiles(ARGUMENTS, Package(name="made", content=b"", root=str(tmp_path)))
        assert list(files) == ["field", "notes", "tables.0", "tables.1", "named.dark", "texts.more", "corrections.0.table"]
        assert len(files) == 7

    def test_opened_when_asked_for(self, tmp_path: Path) -> None:
        """Files that nobody asks for may be missing; the others exist, and have the described hash."""
        files = ArgumentFiles(ARGUMENTS, Package(name="made", content=b"", root=str(tmp_path)))
        (tmp_path / "notes.txt").write_text("hello")
        assert files["notes"] == str(tmp_path / "notes.txt")
        with pytest.raises(SourceError, match=r"red\.csv"):
            files["tables.0"]
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "field.npy").write_text("other")
        with pytest.raises(HashMismatchError, match=r"field\.npy"):
            files["field"]
        with pytest.raises(HashMismatchError, match=r"field\.npy"):
            files.hashes()

    def test_none_where_there_can_be_none(self) -> None:
        """The class decides, not the value."""
        package = Package(name="made", content=b"")
        assert ArgumentFiles.of(Tree(), package) is None
        assert ArgumentFiles.of(None, package) is None
        assert ArgumentFiles.of(ARGUMENTS, package) is not None
