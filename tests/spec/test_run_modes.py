"""Run modes of plugins in descriptions: kept, judged with paths, and part of the JSON Schema."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml
from made_models import pointwise_model, pointwise_model_0_4
from made_sites import EXAMPLES
from schema_judge import judge

from bioimageio_core.registry import Registry, collect
from bioimageio_core.spec.model.run_mode import OpaqueRunMode, RunModeDescr
from bioimageio_core.spec.schema import json_schema
from bioimageio_core.spec.updating import update_tree
from bioimageio_core.spec.validation import read_tree, validate_tree
from bioimageio_core.structuring.converter import unstructure


@pytest.fixture
def knowing(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry with the run mode and the op of the documentation."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    more = collect([EntryPoint(name=n, value=n, group="bioimageio_core") for n in ("repeat_mode", "invert_op")])
    ops = type(registry.processing_ops)({**registry.processing_ops, **more.processing_ops})
    return attrs.evolve(registry, run_modes=more.run_modes, processing_ops=ops, additions=more.additions)


@pytest.fixture(params=["0.4", "0.5"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """The tree of a model of either format."""
    folder = pointwise_model(tmp_path) if request.param == "0.5" else pointwise_model_0_4(tmp_path)
    tree: dict[str, Any] = yaml.safe_load(next(folder.glob("*.yaml")).read_text())
    return tree


def issues(tree: dict[str, Any], registry: Registry) -> list[tuple[str, str]]:
    """Return severity and path of what is said of the run mode, but for what is said of all of them."""
    report = validate_tree(tree, registry)
    assert report.status == "valid"
    return [(i.severity, i.path) for i in report.issues if i.path.startswith("run_mode") and "supported everywhere" not in i.message]


CUSTOM = ("warning", "run_mode.name")


class TestJudged:
    """By the format; what is installed adds alerts and warnings."""

    @pytest.mark.parametrize(
        ("kwargs", "expected"),
        [
            ({}, [CUSTOM]),
            ({"times": 3}, [CUSTOM]),
            ({"times": 0}, [CUSTOM, ("warning", "run_mode.kwargs.times")]),
            ({"times": "often"}, [CUSTOM, ("warning", "run_mode.kwargs.times")]),
            ({"times": 3, "times_two": 1}, [CUSTOM, ("warning", "run_mode.kwargs.times_two")]),
        ],
    )
    def test_known(self, made: dict[str, Any], knowing: Registry, kwargs: dict[str, Any], expected: list[Any]) -> None:
        """Arguments go by the class of the plugin, each with its path; the description stays valid."""
        assert issues({**made, "run_mode": {"name": "repeat", "kwargs": kwargs}}, knowing) == expected

    def test_unknown(self, made: dict[str, Any], registry: Registry) -> None:
        """An alert, as for ops and weights."""
        run_mode = {"name": "folding", "kwargs": {"times": 0}}
        assert issues({**made, "run_mode": run_mode}, registry) == [("alert", "run_mode"), CUSTOM]

    def test_of_the_format(self, made: dict[str, Any], registry: Registry) -> None:
        """The one that the format names is known, whatever is installed."""
        assert issues({**made, "run_mode": {"name": "deepimagej"}}, registry) == []

    @pytest.mark.parametrize("run_mode", [{"kwargs": {}}, {"name": 3}, "repeat", {"name": "repeat", "kwargs": []}])
    def test_wrong(self, made: dict[str, Any], knowing: Registry, run_mode: Any) -> None:
        """What breaks the format is an error."""
        report = validate_tree({**made, "run_mode": run_mode}, knowing)
        assert report.status == "invalid"
        assert all(error.path.startswith("run_mode") for error in report.errors)


class TestKept:
    """Whatever is said of them."""

    @pytest.mark.parametrize("run_mode", [{"name": "repeat", "kwargs": {"times": 0}}, {"name": "folding", "kwargs": {"a": [1, None]}}])
    def test_written_back(self, made: dict[str, Any], knowing: Registry, run_mode: dict[str, Any]) -> None:
        """As they were, also in the newest format version."""
        descr, _ = read_tree({**made, "run_mode": run_mode}, knowing)
        assert isinstance(descr.run_mode, OpaqueRunMode)
        assert unstructure(descr)["run_mode"] == run_mode
        assert unstructure(descr.run_mode.kwargs) == run_mode["kwargs"]
        updated, _ = update_tree({**made, "run_mode": run_mode}, knowing, "made")
        assert unstructure(updated)["run_mode"] == run_mode

    def test_known(self, made: dict[str, Any], knowing: Registry) -> None:
        """A run mode whose arguments fit is an ordinary node, and None stays None."""
        descr, _ = read_tree({**made, "run_mode": {"name": "repeat"}}, knowing)
        assert type(descr.run_mode) is RunModeDescr
        assert unstructure(descr)["run_mode"] == {"name": "repeat"}
        assert read_tree({**made, "run_mode": None}, knowing)[0].run_mode is None


class TestSchema:
    """JSON Schema: strict on what is installed."""

    @pytest.mark.parametrize(
        ("run_mode", "fits"),
        [
            (None, True),
            ({"name": "repeat"}, True),
            ({"name": "repeat", "kwargs": {"times": 3}}, True),
            ({"name": "repeat", "kwargs": {"times": "often"}}, False),
            ({"name": "repeat", "kwargs": {"more": 3}}, False),
            ({"name": "folding", "kwargs": {"times": "often"}}, True),
            ({"kwargs": {}}, False),
        ],
    )
    def test_arguments(self, made: dict[str, Any], knowing: Registry, run_mode: Any, fits: bool) -> None:
        """Those of a known name have to fit its class."""
        pytest.importorskip("jsonschema")
        schema = json_schema(knowing, type="model", format_version=made["format_version"])
        assert judge(schema)({**made, "run_mode": run_mode}) is fits

    def test_ops(self, tmp_path: Path, knowing: Registry) -> None:
        """Those of ops, as well."""
        pytest.importorskip("jsonschema")
        fits = judge(json_schema(knowing, type="model", format_version="0.5"))
        for maximum, good in ((3, True), ("many", False)):
            model = pointwise_model(tmp_path, pre=[{"id": "invert", "kwargs": {"maximum": maximum}}])
            assert fits(yaml.safe_load((model / "bioimageio.yaml").read_text())) is good
