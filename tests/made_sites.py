"""Distributions with plugins, built on the spot and seen by new processes only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"


@attrs.frozen
class Site:
    """A folder of installed distributions."""

    folder: Path

    def install(self, name: str, module: str, *, version: str = "1.0", entry_point: str = "main") -> None:
        """Install a distribution with one module, which its entry point names."""
        module_name = name.replace("-", "_")
        (self.folder / f"{module_name}.py").write_text(module)
        info = self.folder / f"{module_name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[bioimageio_core]\n{entry_point} = {module_name}\n")

    def install_example(self, name: str) -> None:
        """Install a distribution with an example of the documentation."""
        self.install(name.replace("_", "-"), (EXAMPLES / f"{name}.py").read_text(encoding="utf-8"))

    def python(self, code: str, env: Mapping[str, str] | None = None) -> Any:
        """Run code in a process that sees the distributions; return what it printed, read as JSON."""
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=self.environment(env), timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return environment variables that make the distributions importable."""
        path = os.pathsep.join([str(self.folder), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        return {**os.environ, "PYTHONPATH": path, **(more or {})}
