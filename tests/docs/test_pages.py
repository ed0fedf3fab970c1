"""Lists in the documentation that must not fall behind the code."""

from __future__ import annotations

import re
from pathlib import Path

from bioimageio_core import errors
from bioimageio_core.registry import hookspecs

DOCS = Path(__file__).parents[2] / "docs"
PACKAGE = DOCS.parent / "bioimageio_core"


def page(name: str) -> str:
    """Return the text of a page."""
    return (DOCS / name).read_text(encoding="utf-8")


class TestLists:
    """Pages against modules."""

    def test_every_error_is_listed(self) -> None:
        """The tree on the page is that of the module."""
        tree = re.search(r"```text\n(BioimageioError\n.*?)```", page("errors.md"), re.DOTALL)
        assert tree is not None
        drawn = [line.strip() for line in (errors.__doc__ or "").splitlines()]
        assert all(line.strip() in drawn for line in tree[1].splitlines())
        assert {*re.findall(r"── (\w+)", tree[1]), "BioimageioError"} == {n for n in errors.__all__ if n.endswith("Error")}

    def test_every_error_has_a_remedy(self) -> None:
        """Each class has a section with some words of its own."""
        sections = dict(re.findall(r"^### (\w+)\n(.+)$", page("troubleshooting.md"), re.MULTILINE))
        assert set(sections) == {n for n in errors.__all__ if n.endswith("Error")} - {"BioimageioError"}
        assert min(len(text.split()) for text in sections.values()) >= 10

    def test_every_hook_is_documented(self) -> None:
        """The table of hooks has them all, and no other."""
        hooks = {name for name in dir(hookspecs) if name.startswith("bioimageio_")}
        assert set(re.findall(r"^\| `(bioimageio_\w+)` \|", page("plugins.md"), re.MULTILINE)) == hooks

    def test_every_page_is_linked(self) -> None:
        """The start page leads to all of them."""
        listed = {
            line.strip() for block in re.findall(r"```\{toctree\}\n(.*?)```", page("index.md"), re.DOTALL) for line in block.splitlines()
        }
        listed |= {f"hooks/{line}" for line in page("hooks/index.md").splitlines()}
        assert {p.relative_to(DOCS).with_suffix("").as_posix() for p in DOCS.rglob("*.md")} - {"index"} <= listed

    def test_files_of_the_walk_exist(self) -> None:
        """The walk of a prediction names files and folders of the package; a short name continues the one before it."""
        walk = page("contributing.md").partition("## One prediction")[2].partition("## Words")[0]
        named = re.findall(r"`([\w/]+(?:\.py|/))`", walk)
        files = [path.relative_to(PACKAGE).as_posix() + "/" * path.is_dir() for path in PACKAGE.rglob("*")]
        assert len(named) > 10
        assert [name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)] == []

    def test_layout_lists_every_room(self) -> None:
        """Each package and module of the library is in the layout, and nothing else is."""
        layout = page("contributing.md").partition("```text\nbioimageio_core/\n")[2].partition("\nplugins/")[0]
        listed = {
            name.rstrip("/") for line in layout.splitlines() for name in re.findall(r"\w+(?:\.py|/)", re.split(r"(?<=\S) {3,}", line)[0])
        }
        rooms = {path.name for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
        assert listed == rooms
