"""Lists in the documentation that must not fall behind the code."""

from __future__ import annotations

import re
from pathlib import Path

from bioimageio_core import errors
from bioimageio_core.registry import hookspecs

DOCS = Path(__file__).parents[2] / "docs"


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
