"""What files, folders and patterns stand for."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from bioimageio_core.sources.find_sources import find_sources


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Descriptions, packages and other files in folders."""
    for name in ("a/bioimageio.yaml", "a/x.rdf.yaml", "a/environment.yaml", "b/deep/rdf.yaml", "b/.hidden/rdf.yaml", "c/other.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("type: model\n")
    for name, member in (("b/package.zip", "model.yaml"), ("b/weights.zip", "saved_model.pb"), ("b/inner.zip", "sub/rdf.yaml")):
        with zipfile.ZipFile(tmp_path / name, "w") as opened:
            opened.writestr(member, "type: model\n")
    (tmp_path / "b/no.zip").write_text("no zip")
    (tmp_path / "b/broken.zip").write_bytes(b"PK\x03\x04 and no more")
    return tmp_path


class TestFindSources:
    """`find_sources`."""

    def names(self, tree: Path, *patterns: str) -> list[str]:
        found = find_sources([str(tree / p) if "://" not in p else p for p in patterns])
        return [Path(f).relative_to(tree).as_posix() if "://" not in f else f for f in found]

    def test_folder_with_a_description(self, tree: Path) -> None:
        """Stands for its description, whatever else it holds."""
        assert self.names(tree, "a") == ["a"]

    def test_folder_without(self, tree: Path) -> None:
        """Stands for all descriptions and packages below; a zip that can not be read may be one."""
        assert self.names(tree, ".") == ["a/bioimageio.yaml", "a/x.rdf.yaml", "b/broken.zip", "b/package.zip", "b/deep/rdf.yaml"]

    def test_nothing_found(self, tree: Path) -> None:
        """What holds nothing stands for itself, so that it can be said."""
        assert self.names(tree, "c", "nope", "no/*.yaml") == ["c", "nope", "no/*.yaml"]

    def test_files_are_taken_as_they_are(self, tree: Path) -> None:
        """Whatever their names; each once."""
        assert self.names(tree, "c/other.yaml", "a/x.rdf.yaml", "c/other.yaml") == ["c/other.yaml", "a/x.rdf.yaml"]

    @pytest.mark.parametrize(
        ("pattern", "found"),
        [
            ("*/*.yaml", ["a/bioimageio.yaml", "a/environment.yaml", "a/x.rdf.yaml", "c/other.yaml"]),
            ("**/rdf.yaml", ["b/deep/rdf.yaml"]),
            ("[ab]", ["a", "b/broken.zip", "b/package.zip", "b/deep/rdf.yaml"]),
            ("b/**", ["b/broken.zip", "b/package.zip", "b/deep/rdf.yaml"]),
            ("a/?.rdf.yaml", ["a/x.rdf.yaml"]),
        ],
    )
    def test_patterns(self, tree: Path, pattern: str, found: list[str]) -> None:
        """As in a shell, ``**`` for any depth."""
        assert self.names(tree, pattern) == found

    def test_file_named_like_a_pattern(self, tree: Path) -> None:
        """Is that file."""
        (tree / "c/[x].yaml").write_text("")
        assert self.names(tree, "c/[x].yaml") == ["c/[x].yaml"]

    def test_urls(self, tree: Path) -> None:
        """Are left alone, query and all."""
        assert self.names(tree, "https://example.com/*?x=[1]") == ["https://example.com/*?x=[1]"]
