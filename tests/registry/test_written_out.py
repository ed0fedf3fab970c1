"""Run modes that stand for processing: written out as a model is loaded."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import yaml
from made_models import box_model

from bioimageio_core.api import loading
from bioimageio_core.errors import InputError, InvalidDescriptionError, PluginError
from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.prediction.predictor import Predictor
from bioimageio_core.registry import Registry, collect

NUMBER = count()

MODULE = """
from bioimageio_core.errors import InputError
from bioimageio_core.registry import RunModeEntry, hookimpl


class Plain:
    def plan(self, pipeline):
        return pipeline

    def wrap(self, adapter, pipeline):
        return adapter


def rewrite(tree, read):
    gain = float(read("gain.txt"))
    {what}
    tree["inputs"][0]["preprocessing"] = [{{"id": "scale_linear", "kwargs": {{"gain": gain, "offset": 0.0}}}}]
    return tree


@hookimpl
def bioimageio_run_modes():
    yield RunModeEntry(name="gained", load=lambda: lambda kwargs: Plain(), rewrite=rewrite)
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model that asks for the run mode, with a file for it."""
    (tmp_path / "model").mkdir()
    folder = box_model(tmp_path / "model", {"min": 8, "step": 4})
    tree = yaml.safe_load((folder / "bioimageio.yaml").read_text())
    (folder / "bioimageio.yaml").write_text(yaml.safe_dump({**tree, "run_mode": {"name": "gained"}}))
    (folder / "gain.txt").write_text("3")
    return folder


@pytest.fixture
def registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Makes the run mode one of those that models are loaded with; ``what`` is a statement of its function."""

    def registered(what: str = "pass") -> Registry:
        name = f"written_out_{next(NUMBER)}"
        (tmp_path / f"{name}.py").write_text(MODULE.format(what=what))
        monkeypatch.syspath_prepend(str(tmp_path))
        own = entry_points(group="bioimageio_core")
        registry = collect([*(e for e in own if e.value.startswith("bioimageio_core.")), EntryPoint(name, name, "bioimageio_core")])
        monkeypatch.setattr(loading, "default_registry", lambda: registry)
        return registry

    return registered


class TestWrittenOut:
    """What a run mode makes of the description that names it."""

    def test_runs(self, model: Path, registered: object) -> None:
        """The op that it adds runs, in blocks, too, and its place is in the plan."""
        registered()  # type: ignore[operator]
        image = np.random.default_rng(0).random((40, 40), dtype=np.float32)
        with Predictor(loading.load_model(str(model)), PredictOptions()) as predictor:
            plan = predictor.plan(image, block={"y": 16, "x": 16})
            assert "scale_linear" in [step.name for step in plan.inputs[0].steps]
            found = np.asarray(predictor.run(plan)["out"])[0, 0]
        wide = np.pad(image.astype(np.float64), 1, mode="symmetric")
        mean = sum(wide[y : y + 40, x : x + 40] for y in range(3) for x in range(3)) / 9
        np.testing.assert_allclose(found, 3 * mean, atol=1e-5)

    def test_told(self, model: Path, registered: object) -> None:
        """An InputError is the user's, anything else the plugin's."""
        registered('raise InputError("the gain is odd")')  # type: ignore[operator]
        with pytest.raises(InputError, match=r"^the gain is odd$"):
            loading.load_model(str(model))
        registered("gain.nothing")  # type: ignore[operator]
        with pytest.raises(PluginError, match=r"run mode 'gained' .*AttributeError"):
            loading.load_model(str(model))

    def test_judged(self, model: Path, registered: object) -> None:
        """What it returns is judged as any description."""
        registered('tree["inputs"] = []')  # type: ignore[operator]
        with pytest.raises((InvalidDescriptionError, PluginError)):
            loading.load_model(str(model))
        registered('gain = "much"')  # type: ignore[operator]
        with pytest.raises(InvalidDescriptionError, match=r"in the run mode 'gained' is invalid: inputs.0.preprocessing"):
            loading.load_model(str(model))
