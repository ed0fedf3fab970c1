"""Options are checked in Python as on the command line: one sentence with the name, the value, and what is expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from made_models import box_model, pointwise_model

import bioimageio_core as bc
from bioimageio_core.errors import InputError
from bioimageio_core.prediction.options import PlanOptions, PredictOptions, evolve_options

WRONG: dict[str, list[Any]] = {
    "batch_size": [0, -1, 1.5, "2", True, None],
    "block": [0, -1, 2.5, "256", {"y": 0}, {"y": "big"}, [256, 256], {3: 4}, np.arange(3)],
    "chunks": [0, {"y": 1.5}],
    "codec": ["lzma", "zstd:99", 3],
    "compile": ["yes", 1, None],
    "device": [0, None, "", "cuda:0,"],
    "halo": [-1, "8", {"y": -1}, (8, 8)],
    "level": [-1, 0.5, "0"],
    "series": [-1, 0.5, True],
    "memory": [2, 0, -5, "much", "4", object(), float("inf"), "1e999 GB"],
    "network_stride": [0, {"y": 0.5}],
    "ome": [0.5, "0.6", True],
    "overlap": ["nonsense", None, 3],
    "overwrite": ["no", 1, None],
    "pixel_size": ["small", 0, -1.0, float("nan"), float("inf"), {"y": 0}],
    "precision": ["fp8", 16],
    "probe": ["yes", 1],
    "progress": [3, "bar"],
    "pyramid": [1, "yes"],
    "rescale": ["yes", 2],
    "resume": ["yes", 0],
    "roi": [(0, 100), 5, {"y": 5}, {"y": (1, 2, 3)}, {"y": slice(0, 9, 2)}, {"y": slice(4, None)}, {"y": (-1, 4)}, {"y": "0:5"}],
    "run_mode": [3],
    "run_mode_kwargs": [3, [1]],
    "shard": ["1/2", (0, 2), (3, 2), 5, (1,), (1.0, 2)],
    "shards": [0, "2048"],
    "skip_empty": ["yes", 1],
    "stats_over": [3, [3]],
    "trust": ["yes", 1],
    "value_range": [(1, 0), (0, float("inf")), (float("nan"), 1), 5, (0, 1, 2), ("a", "b"), None],
    "wait_for_workers": [-1, "60", True, float("nan")],
    "weights_format": [3],
    "workers": [0, -2, 1.5, "2"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_wrong_value(name: str, value: Any) -> None:
    """Is an InputError of one short line that begins with the option, whether given as an option or to a function."""
    with pytest.raises(InputError) as raised:
        evolve_options(PredictOptions(), {name: value})
    message = str(raised.value)
    assert name.replace("_", " ") in message.replace("_", " ")
    assert "expected" in message
    assert "\n" not in message
    assert len(message) < 300


def test_every_option_is_checked() -> None:
    """An option without a wrong value above takes any, or is checked against the model or the images."""
    unchecked = {a.name for a in attrs.fields(PredictOptions)} - set(WRONG)
    assert unchecked == {"axes", "channel", "client", "dtype", "mask", "statistics"}


@pytest.mark.parametrize(("wrong", "right"), [("chanel", "channel"), ("blocks", "block"), ("overwite", "overwrite"), ("memmory", "memory")])
def test_misspelt_option(wrong: str, right: str) -> None:
    """The error has the name that was probably meant."""
    with pytest.raises(InputError, match=f"unknown option {wrong!r}: did you mean {right!r}"):
        bc.open_predictor({"type": "model"}, **{wrong: 1})


class TestOneNumber:
    """A number stands for all axes of space."""

    def test_same_as_by_axis(self, tmp_path: Path) -> None:
        """For each option by axis."""
        model, image = box_model(tmp_path, {"min": 16, "step": 4}), np.zeros((100, 120), np.float32)
        with bc.open_predictor(model, axes="yx") as predictor:
            for name, number in (("block", 32), ("halo", 4), ("network_stride", 8), ("chunks", 24)):
                block = {} if name == "block" else {"block": 48}
                plans = [predictor.plan(image, **block, **{name: value}) for value in (number, {"y": number, "x": number})]
                assert plans[0].grids == plans[1].grids
                assert [o.chunks for o in plans[0].outputs] == [o.chunks for o in plans[1].outputs]

    def test_an_axis_of_its_own(self, tmp_path: Path) -> None:
        """Comes before the number for all."""
        with bc.open_predictor(pointwise_model(tmp_path), axes="yx") as predictor:
            plan = predictor.plan(np.zeros((100, 120), np.float32), block={"space": 32, "x": 60})
        assert {g.group.name: g.block_size(0) for g in plan.grids if g.group.name in "yx"} == {"y": 32, "x": 60}


def test_an_output_that_does_not_exist(tmp_path: Path) -> None:
    """The KeyError lists those that do."""
    prediction = bc.predict(pointwise_model(tmp_path), np.zeros((9, 9), np.float32), axes="yx")
    with pytest.raises(KeyError, match="no output 'prob': expected one of 'out'"):
        prediction["prob"]
    assert "prob" not in prediction


def test_defaults_are_valid() -> None:
    """Both classes of options can be made without any value."""
    assert PlanOptions() == PlanOptions(**{a.name: getattr(PlanOptions(), a.name) for a in attrs.fields(PlanOptions)})
