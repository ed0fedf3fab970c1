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

MEASURE_COLLECTING = """
import gc, json, sys, time
from importlib import metadata
from bioimageio_core.registry import GROUP, collect

def least(own_only):
    def points():
        found = metadata.entry_points(group=GROUP)
        return [p for p in found if p.dist.name == "bioimageio-runtime"] if own_only else found
    best = float("inf")
    for _ in range(7):
        for name in [n for n in sys.modules if n.startswith("dummy_")]:
            del sys.modules[name]
        gc.collect()
        begin = time.process_time()
        registry = collect(points())
        best = min(best, time.process_time() - begin)
    return best, len(registry.processing_ops)

own, few = least(True)
all_, many = least(False)
print(json.dumps({"own": own, "all": all_, "ops": many - few}))
"""
"""Prints the processor time of collecting the library's own plugins, and all that are installed, the best of several times each."""

DUMMY = """
from bioimageio_core.registry import Needs, ProcessingOpEntry, hookimpl
from bioimageio_core.spec.node import Node, node

@node
class Dummy(Node):
    id: str = "op_{number}"

def needs(kwargs, axes):
    return Needs()

@hookimpl
def bioimageio_processing_ops():
    yield ProcessingOpEntry(name="op_{number}", descr={{"0.5": Dummy}}, load=lambda: None, requirements=needs)
"""

COMMAND = """
import pathlib
pathlib.Path({imported!r}).touch()
import click
from bioimageio_core.registry import CommandEntry, hookimpl

@click.command()
@click.argument("name")
def greet(name):
    "Greet."
    click.echo(f"hello {{name}}")
    return 1 if name == "nobody" else 0

@hookimpl
def bioimageio_commands():
    yield CommandEntry(name={name!r}, load=lambda: greet)
"""
"""A module with a command, and the file that shows that it was imported."""

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

    def install_dummies(self, count: int) -> None:
        """Install distributions that bring an op each."""
        for number in range(count):
            self.install(f"dummy-{number}", DUMMY.format(number=number))

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
