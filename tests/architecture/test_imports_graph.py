"""No import cycle in the package: not at import, not within functions, not for types."""

from __future__ import annotations

from pathlib import Path

import pytest
from import_graph import import_cycles, import_graph, module_files

TYPE_ONLY = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .{other} import {other}\n"
LAZY = "def call():\n    from .{other} import {other}\n"
AT_IMPORT = "from . import {other}\n"
ABSOLUTE = "import made.{other}\n"


class TestPackage:
    """The library itself."""

    def test_no_cycles(self) -> None:
        """Two modules that need each other are one module, or need a third below them."""
        assert import_cycles(import_graph(module_files())) == []

    def test_graph_is_complete(self) -> None:
        """Known imports of each kind are in the graph, so that a cycle of them would be found."""
        graph = import_graph(module_files())
        assert "bioimageio_core.errors" in graph["bioimageio_core.cli.main"]
        assert "bioimageio_core.spec.validation" in graph["bioimageio_core.cli.terminal"]  # for types only
        assert "bioimageio_core.api" in graph["bioimageio_core.cli.predict_command"]  # within a function
        assert len(graph) > 200


class TestFinding:
    """Cycles in a package made for the test."""

    @pytest.mark.parametrize("back", [TYPE_ONLY, LAZY, AT_IMPORT, ABSOLUTE])
    def test_every_kind_of_import(self, tmp_path: Path, back: str) -> None:
        """a needs b needs c needs a; d needs them, and is in no cycle."""
        package = tmp_path / "made"
        package.mkdir()
        (package / "__init__.py").touch()
        sources = {
            "a": AT_IMPORT.format(other="b"),
            "b": LAZY.format(other="c"),
            "c": back.format(other="a"),
            "d": AT_IMPORT.format(other="a"),
        }
        for name, source in sources.items():
            (package / f"{name}.py").write_text(source)
        assert import_cycles(import_graph(module_files(package))) == [["made.a", "made.b", "made.c"]]
        (package / "c.py").write_text("import os\n")
        assert import_cycles(import_graph(module_files(package))) == []
