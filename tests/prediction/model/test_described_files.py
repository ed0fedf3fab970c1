"""Further files of a weights entry."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from bioimageio_core.errors import HashMismatchError, SourceError
from bioimageio_core.prediction.model.described_files import DescribedFiles
from bioimageio_core.sources import Package
from bioimageio_core.spec.files import FileDescr
from bioimageio_core.spec.generic.v0_2 import AttachmentsDescr
from bioimageio_core.spec.model.weights import WeightsEntryV05
from bioimageio_core.spec.node import node
from bioimageio_core.weights import descr_v0_4 as v0_4
from bioimageio_core.weights import descr_v0_5 as v0_5


@node
class Made(WeightsEntryV05):
    """A weights format with further files."""

    vocabulary: FileDescr | None = None
    attachments: tuple[FileDescr, ...] = ()


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """A folder with some files."""
    (tmp_path / "code").mkdir()
    for name in ("words.txt", "code/net.py", "code/layers.py", "graph.data"):
        (tmp_path / name).write_text(name)
    return Package(name="made", content=b"", root=str(tmp_path))


def hashed(name: str) -> str:
    """Return the hash of a file of the package."""
    return sha256(name.encode()).hexdigest()


class TestNames:
    """Keys of files."""

    def test_fields(self, package: Package, tmp_path: Path) -> None:
        """Keys are fields, or fields with places if a field has several files; the weights are not included."""
        layers = FileDescr(source="code/layers.py", sha256=hashed("code/layers.py"))
        entry = Made(source="weights.bin", vocabulary=FileDescr(source="words.txt"), attachments=(layers, FileDescr(source="code/net.py")))
        files = DescribedFiles(entry, package)
        assert list(files) == ["vocabulary", "attachments/code/layers.py", "attachments/code/net.py"]
        assert files["attachments/code/layers.py"] == str(tmp_path / "code/layers.py")
        assert files.get("architecture") is None

    @pytest.mark.parametrize(
        ("entry", "expected"),
        [
            (Made(source="weights.bin"), []),
            (v0_5.OnnxWeightsDescr(source="g.onnx", opset_version=17, external_data=FileDescr(source="graph.data")), ["external_data"]),
            (
                v0_5.PytorchStateDictWeightsDescr(
                    source="w.pt",
                    pytorch_version="2.5",
                    architecture=v0_5.ArchitectureFromFileDescr(source="code/net.py", callable="net"),
                    dependencies=FileDescr(source="environment.yaml"),
                ),
                ["architecture", "dependencies"],
            ),
            (
                v0_4.PytorchStateDictWeightsDescr(
                    source="w.pt", architecture="code/net.py:net", attachments=AttachmentsDescr(files=("code/layers.py",))
                ),
                ["attachments/code/layers.py", "architecture"],
            ),
            (v0_4.PytorchStateDictWeightsDescr(source="w.pt", architecture="torch.nn.Linear"), []),
            (
                v0_4.OnnxWeightsDescr(source="g.onnx", opset_version=17, attachments=AttachmentsDescr(files=("code/layers.py",))),
                ["attachments/code/layers.py"],
            ),
        ],
    )
    def test_formats(self, package: Package, entry: Any, expected: list[str]) -> None:
        """Files of the built-in formats."""
        assert list(DescribedFiles(entry, package)) == expected

    def test_attachments_of_the_model(self, package: Package, tmp_path: Path) -> None:
        """Are among the files of each entry, in both formats; of URLs, the file name counts."""
        entry = v0_5.OnnxWeightsDescr(source="g.onnx", opset_version=17)
        described = (FileDescr(source="./code/net.py"), FileDescr(source="https://example.com/files/table.txt?x=1"))
        files = DescribedFiles(entry, package, described)
        assert list(files) == ["attachments/code/net.py", "attachments/table.txt"]
        assert files["attachments/code/net.py"] == str(tmp_path / "code/net.py")
        assert list(DescribedFiles(entry, package, AttachmentsDescr(files=("words.txt",)))) == ["attachments/words.txt"]
        assert list(DescribedFiles(entry, package, None)) == []


class TestAccess:
    """Files are fetched at their first access."""

    def test_missing(self, package: Package) -> None:
        """A file that no adapter reads may be missing."""
        files = DescribedFiles(Made(source="weights.bin", vocabulary=FileDescr(source="missing.txt")), package)
        assert len(files) == 1
        with pytest.raises(SourceError, match=r"missing\.txt"):
            files["vocabulary"]

    def test_architecture_of_0_4(self, package: Package, tmp_path: Path) -> None:
        """Format 0.4 names the file with its callable, and the SHA-256 in a separate field."""

        def files(sha256: str) -> DescribedFiles:
            entry = v0_4.PytorchStateDictWeightsDescr(source="w.pt", architecture="code/net.py:net", architecture_sha256=sha256)
            return DescribedFiles(entry, package)

        assert files(hashed("code/net.py"))["architecture"] == str(tmp_path / "code/net.py")
        with pytest.raises(HashMismatchError, match=r"net\.py"):
            files("0" * 64)["architecture"]

    def test_changed(self, package: Package) -> None:
        """A changed file is refused."""
        files = DescribedFiles(Made(source="weights.bin", vocabulary=FileDescr(source="words.txt", sha256="0" * 64)), package)
        with pytest.raises(HashMismatchError, match=r"words\.txt"):
            files["vocabulary"]
