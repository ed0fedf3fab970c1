"""Files and folders of the package stay small, and each folder says what it is for."""

from __future__ import annotations

import ast
from collections import Counter

from import_graph import PACKAGE, module_files

MOST_LINES = 400
MOST_MODULES = 12


class TestRooms:
    """Every file of ``bioimageio_core``."""

    def test_file_sizes(self) -> None:
        """A longer file holds more than one idea."""
        lines = {name: path.read_text(encoding="utf-8").count("\n") for name, path in module_files().items()}
        assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}

    def test_modules_per_folder_of_prediction(self) -> None:
        """A fuller folder shows no order; folders within it, and its ``__init__``, do not count."""
        files = (PACKAGE / "prediction").rglob("*.py")
        modules = Counter(path.parent.relative_to(PACKAGE).as_posix() for path in files if path.name != "__init__.py")
        assert modules
        assert {folder: count for folder, count in modules.items() if count > MOST_MODULES} == {}

    def test_folders_have_docstrings(self) -> None:
        """One line at the head of ``__init__.py`` says what the folder holds."""
        folders = {path.parent for path in PACKAGE.rglob("*.py")}
        without = [
            folder.name
            for folder in sorted(folders)
            if not (folder / "__init__.py").exists()
            or not ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
        ]
        assert without == []
