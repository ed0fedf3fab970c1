"""A plugin whose classes are not those of this library, through all commands, beside one whose class cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from bmz_process import Ran, run_process
from made_models import pointwise_model, with_test_tensors
from made_sites import Site

OPS = """
import dataclasses, enum
from datetime import date
from functools import partial
from pathlib import Path
from typing import NewType

import attrs

from bioimageio_core.registry import Needs, ProcessingOpEntry, hookimpl


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


Pixels = NewType("Pixels", int)


@attrs.define
class Plain:
    n: int = 3
    when: date = date(2024, 1, 2)


@dataclasses.dataclass
class RichKwargs:
    colour: Colour
    gains: list[float] = dataclasses.field(default_factory=list)
    table: dict[str, int] = dataclasses.field(default_factory=dict)
    where: Path = Path("a")
    plain: Plain = dataclasses.field(default_factory=Plain)
    width: Pixels = Pixels(2)


@attrs.define
class Rich:
    kwargs: RichKwargs
    id: str = "rich"


class Strange:
    pass


@attrs.define
class Unreadable:
    share: Strange
    id: str = "unreadable"


def multiply(factor, tensor, measured):
    return tensor.astype("float32") * factor


def load():
    return lambda kwargs, axes: partial(multiply, sum(kwargs.gains))


def needs(kwargs, axes):
    return Needs(dtype="float32")


@hookimpl
def bioimageio_processing_ops():
    yield ProcessingOpEntry(name="rich", descr={"0.5": Rich}, load=load, requirements=needs)
    yield ProcessingOpEntry(name="unreadable", descr={"0.5": Unreadable}, load=load, requirements=needs)
"""

KWARGS = {
    "colour": "blue",
    "gains": [1.5, 0.5],
    "table": {"a": 1},
    "where": "b/c",
    "plain": {"n": 4, "when": "2024-05-06"},
    "width": 7,
}


@pytest.fixture
def models(tmp_path: Path) -> dict[str, Path]:
    """A model with the op, one with arguments that it refuses, and one that does not use it."""
    steps = {"rich": [{"id": "rich", "kwargs": KWARGS}], "wrong": [{"id": "rich", "kwargs": {"colour": "green"}}], "other": []}
    x = np.random.default_rng(0).random((1, 1, 16, 16), dtype=np.float32)
    made = {}
    for name, pre in steps.items():
        (tmp_path / name).mkdir()
        made[name] = with_test_tensors(pointwise_model(tmp_path / name, pre=pre), {"raw": x}, {"out": 2 * x if pre else x})
    return made


class TestEveryCommand:
    def test_good(self, site: Site, models: dict[str, Path], tmp_path: Path) -> None:
        """Each reads, runs or writes the op; the failure of the other class is told in one line, and costs nothing else."""
        site.install("rich-ops", OPS)
        np.save(tmp_path / "x.npy", np.zeros((16, 16), np.float32))

        def run(*args: object) -> Ran:
            ran = run_process(*args, env=site.environment())
            lines = [line for line in ran.err.splitlines() if "unreadable" in line]
            assert len(lines) == 1
            assert "field share of Unreadable is of type Strange, which cannot be structured" in lines[0]
            assert "Traceback" not in ran.err
            return ran

        validated = run("validate", *models.values(), "--json")
        assert (validated.status, [report["status"] for report in validated.json]) == (0, ["valid"] * 3)
        (shown,) = run("info", models["rich"], "--json").json["inputs"][0]["preprocessing"]
        assert (shown["kwargs"], shown["known"], shown["fits"]) == (KWARGS, True, True)
        assert "ensure_dtype -> rich -> ensure_dtype" in run("plan", models["rich"], tmp_path / "x.npy", "--axes", "yx").out
        assert run("test", "--quick", models["rich"]).status == 0
        refused = run("plan", models["wrong"], tmp_path / "x.npy", "--axes", "yx")
        assert refused.status == 1
        assert "kwargs.colour: expected one of 'red', 'blue', found 'green'" in refused.err
        assert run("test", "--quick", models["other"]).status == 0
        assert '"Rich"' in run("schema", "--type", "model", "--format-version", "0.5").out
        assert run("plugins").status == 1

    def test_written(self, site: Site, models: dict[str, Path], tmp_path: Path) -> None:
        """Updates and packages hold the step as it was."""
        site.install("rich-ops", OPS)
        assert run_process("update", models["rich"], "-o", tmp_path / "new.yaml", env=site.environment()).status == 0
        assert run_process("package", models["rich"], "-o", tmp_path / "package", env=site.environment()).status == 0
        for file in (tmp_path / "new.yaml", tmp_path / "package" / "bioimageio.yaml"):
            assert yaml.safe_load(file.read_text())["inputs"][0]["preprocessing"][0] == {"id": "rich", "kwargs": KWARGS}
