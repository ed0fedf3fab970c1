"""The plugins of this project are written with what is public."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path for path in (ROOT / "plugins").iterdir() if path.is_dir())
SMALL = ("median", "safetensors", "tta")
"""Plugins that are examples, too."""


def imported(source: str) -> set[str]:
    """The modules of the library that a module imports, or imports from."""
    found = set()
    for each in ast.walk(ast.parse(source)):
        if isinstance(each, ast.Import):
            found |= {name.name for name in each.names}
        elif isinstance(each, ast.ImportFrom) and not each.level:
            found.add(each.module or "")
    return {name for name in found if name.partition(".")[0] == "bioimageio_core"}


class TestPlugins:
    @pytest.mark.parametrize("plugin", PLUGINS, ids=[plugin.name for plugin in PLUGINS])
    def test_public_modules_only(self, plugin: Path) -> None:
        """The page on stability lists every module that they use."""
        public = set(re.findall(r"`(bioimageio_core(?:\.\w+)*)`", (ROOT / "docs" / "stability.md").read_text(encoding="utf-8")))
        modules = list((plugin / f"bioimageio_runtime_{plugin.name}").glob("**/*.py"))
        assert modules
        assert not {name for module in modules for name in imported(module.read_text(encoding="utf-8"))} - public

    @pytest.mark.parametrize("name", SMALL)
    def test_short(self, name: str) -> None:
        """A small plugin takes under 150 lines of code: blank lines, comments and docstrings are not code."""
        code, plugin = 0, ROOT / "plugins" / name
        for module in (plugin / f"bioimageio_runtime_{plugin.name}").glob("**/*.py"):
            text = module.read_text(encoding="utf-8")
            lines = {n for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.strip().startswith("#")}
            for each in ast.walk(ast.parse(text)):
                if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) and isinstance(each.value.value, str):
                    lines -= set(range(each.lineno, (each.end_lineno or each.lineno) + 1))
            code += len(lines)
        assert code < 150
