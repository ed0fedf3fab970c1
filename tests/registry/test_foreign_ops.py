"""Ops of another distribution in a blockwise prediction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import yaml
from bmz_process import run_process
from made_models import box_model

OPS = """
import attrs

from bioimageio_core.registry import Measure, Needs, ProcessingOpEntry, hookimpl
from bioimageio_core.spec.node import Node, node


@node
class GammaKwargs(Node):
    exponent: float = attrs.field(validator=attrs.validators.gt(0))


@node
class GammaDescr(Node):
    id: str = "gamma"
    kwargs: GammaKwargs


@node
class CentreDescr(Node):
    id: str = "centre"


def load_gamma():
    return lambda kwargs, axes: lambda tensor, measured: tensor ** kwargs.exponent


def mean(axes):
    return Measure(kind="mean", axes=tuple(a for a in axes if a != "batch"))


def load_centre():
    return lambda kwargs, axes: lambda tensor, measured: (tensor - measured[mean(axes)]).astype("float32")


@hookimpl
def bioimageio_processing_ops():
    yield ProcessingOpEntry(
        name="gamma", descr={"0.5": GammaDescr}, load=load_gamma, requirements=lambda kwargs, axes: Needs(), summary="a power"
    )
    yield ProcessingOpEntry(
        name="centre",
        descr={"0.5": CentreDescr},
        load=load_centre,
        requirements=lambda kwargs, axes: Needs(measures=(mean(axes),), dtype="float32"),
    )
    yield ProcessingOpEntry(
        name="cellpose_flow_dynamics", descr={"0.5": CentreDescr}, load=load_centre, requirements=lambda kwargs, axes: Needs()
    )
"""

PREDICT = """
import json
import numpy as np
import bioimageio_core as bc
result = bc.predict({model!r}, np.load({image!r}), block={{"y": 16, "x": 16}})
np.save({out!r}, np.asarray(result["out"]))
from bioimageio_core.prediction.planning.plan_json import plan_as_dict
print(json.dumps(plan_as_dict(result.plan)))
"""


def with_preprocessing(folder: Path, steps: list[dict[str, Any]]) -> Path:
    """Return the folder of a mean filter whose input has these steps."""
    box_model(folder, {"min": 8, "step": 4})
    path = folder / "bioimageio.yaml"
    tree = yaml.safe_load(path.read_text())
    tree["inputs"][0]["preprocessing"] = steps
    path.write_text(yaml.safe_dump(tree))
    return folder


def mean_filter(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the 3 x 3 mean, symmetric padding."""
    padded = np.pad(array.astype(np.float64), 1, mode="symmetric")
    height, width = array.shape
    return np.asarray(sum(padded[i : i + height, j : j + width] for i in range(3) for j in range(3)) / 9)


class TestForeignOps:
    """An elementwise op, and one that wants the mean of the sample."""

    def predicted(self, site: Any, tmp_path: Path, steps: list[dict[str, Any]], x: np.ndarray[Any, Any]) -> tuple[Any, Any]:
        """Return the output and the plan."""
        site.install("foreign-ops", OPS)
        folder = tmp_path / "model"
        folder.mkdir()
        with_preprocessing(folder, steps)
        np.save(tmp_path / "x.npy", x)
        code = PREDICT.format(model=str(folder), image=str(tmp_path / "x.npy"), out=str(tmp_path / "y.npy"))
        return site.python(code), np.load(tmp_path / "y.npy")[0, 0]

    def test_elementwise(self, site: Any, tmp_path: Path) -> None:
        """Runs on blocks, with its argument."""
        x = np.random.default_rng(0).random((40, 30), dtype=np.float32)
        plan, y = self.predicted(site, tmp_path, [{"id": "gamma", "kwargs": {"exponent": 2.0}}], x)
        assert plan["blocks"] > 4
        np.testing.assert_allclose(y, mean_filter(x**2), rtol=1e-5)

    def test_mean_of_the_sample(self, site: Any, tmp_path: Path) -> None:
        """The mean is that of the whole image after the op before, not that of a block."""
        x = np.random.default_rng(1).random((40, 30), dtype=np.float32)
        steps = [{"id": "gamma", "kwargs": {"exponent": 3.0}}, {"id": "centre"}]
        plan, y = self.predicted(site, tmp_path, steps, x)
        assert plan["inputs"]["raw"]["statistics"] == ["mean over channel, y, x"]
        cubed = x.astype(np.float64) ** 3
        np.testing.assert_allclose(y, mean_filter(cubed - cubed.mean()), rtol=1e-4, atol=1e-6)

    def test_arguments_are_validated(self, site: Any, tmp_path: Path) -> None:
        """By the plugin's class, where it is installed: a warning, since no plugin makes a description invalid; it can not be run."""
        site.install("foreign-ops", OPS)
        folder = tmp_path / "model"
        folder.mkdir()
        with_preprocessing(folder, [{"id": "gamma", "kwargs": {"exponent": -1}}])
        ran = run_process("validate", folder, "--json", env=site.environment())
        assert ran.status == 0
        refused = next(i for i in ran.json[0]["issues"] if i["path"] == "inputs.0.preprocessing.0.kwargs.exponent")
        assert refused["severity"] == "warning"
        assert "'exponent' must be > 0" in refused["message"]
        np.save(tmp_path / "x.npy", np.zeros((16, 16), np.float32))
        planned = run_process("plan", folder, tmp_path / "x.npy", env=site.environment())
        assert "inputs.0.preprocessing.0.kwargs.exponent: 'exponent' must be > 0" in planned.error(1)
        shown = run_process("info", folder, "--json", env=site.environment()).json["inputs"][0]["preprocessing"]
        assert shown == [{"name": "gamma", "kwargs": {"exponent": -1}, "known": True, "fits": False, "summary": "a power"}]

    def test_arguments_without_the_plugin(self, tmp_path: Path) -> None:
        """The op is kept and named."""
        with_preprocessing(tmp_path, [{"id": "gamma", "kwargs": {"exponent": -1}}])
        assert run_process("validate", tmp_path).status == 0
        assert run_process("info", tmp_path, "--json").json["inputs"][0]["preprocessing"] == [
            {"name": "gamma", "kwargs": {"exponent": -1}, "known": False, "fits": True, "summary": ""}
        ]

    def test_takes_the_place_of_a_described_op(self, site: Any) -> None:
        """An op that the library only describes is the plugin's where one brings it; that is no duplicate."""
        site.install("foreign-ops", OPS)
        listed = run_process("plugins", "--json", env=site.environment()).json
        op = ("processing_ops", "cellpose_flow_dynamics")
        (entry,) = [e for e in listed["entries"] if (e["kind"], e["name"]) == op]
        assert entry["plugin"].startswith("foreign-ops")
        assert entry["missing"] == ""
        assert listed["failures"] == []

    def test_described_ops_are_not_called_there(self) -> None:
        """The list says what an op lacks that no plugin runs."""
        listed = run_process("plugins", "--json").json["entries"]
        lacking = {e["name"] for e in listed if e["kind"] == "processing_ops" and e["missing"]}
        assert lacking == {"cellpose_flow_dynamics", "stardist_postprocessing"}
