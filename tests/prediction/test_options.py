"""Options are checked in Python as on the command line: one sentence with the name, the value, and what is expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from made_models import box_model, pointwise_model

import bioimageio_core as bc
from bioimageio_core.errors import AxesError, BioimageioError, InputError, OutputError
from bioimageio_core.prediction.options import PlanOptions, PredictOptions, evolve_options

WRONG: dict[str, list[Any]] = {
    "axes": [5, [], [1, 2], "yy", "yq", {"raw": 5}, {5: "yx"}],
    "channel": [0.5, True, [], [0.5], {"raw": []}, {3: 1}, b"DAPI"],
    "client": [5, "tcp://host:8786", True],
    "dtype": [5, "nonsense", "complex64", object, {"out": 5}, []],
    "mask": [5, b"x", [[1, 0]], np.int64(1)],
    "statistics": [5, b"x", [], {5: 1}],
    "batch_size": [0, -1, 1.5, "2", True],
    "block": [0, -1, 2.5, "256", {"y": 0}, {"y": "big"}, [256, 256], {3: 4}, np.arange(3)],
    "chunks": [0, {"y": 1.5}],
    "codec": ["lzma", "zstd:99", 3],
    "compile": ["yes", 1, None],
    "device": [0, None, "", "cuda:0,"],
    "halo": [-1, "8", {"y": -1}, (8, 8)],
    "imports": ["torch vision", "", ["torchvision", "./lib"], [3], 3],
    "join_slices": [0.25, "", "=0.5", "z=", "z=much", "z=1", {"z": 0}, {"z": "0.5"}, {"z": float("nan")}, {3: 0.5}, {"z": 0.2, "t": 0.2}],
    "level": [-1, 0.5, "0"],
    "scene": [-1, 0.5, True],
    "memory": [2, 0, -5, "much", "4", object(), float("inf"), "1e999 GB"],
    "network_stride": [0, {"y": 0.5}],
    "ome": [0.5, "0.6", True, None],
    "output_format": ["", 3],
    "overlap": ["nonsense", None, 3],
    "overwrite": ["no", 1, None],
    "pixel_size": ["small", 0, True, -1.0, float("nan"), float("inf"), {"y": 0}],
    "precision": ["fp8", 16],
    "probe": ["yes", 1],
    "progress": [3, "bar"],
    "pyramid": [1, "yes"],
    "rescale": ["yes", 2],
    "resume": ["yes", 0],
    "roi": [
        (0, 100),
        5,
        {"y": 5},
        {"y": (1, 2, 3)},
        {"y": slice(0, 9, 2)},
        {"y": slice(-4, None)},
        {"y": (-1, 4)},
        {"y": "0:5"},
        {"y": b"ab"},
        {5: (0, 4)},
    ],
    "object_size": [0, -1, 2.5, "64", {"y": 0}],
    "postprocessing": [
        3,
        "",
        ":",
        "op:threshold",
        "op:=3",
        [3],
        {"out": 3},
        {"id": 3},
        {"id": "op", "args": {}},
        {"id": "op", "kwargs": 3},
    ],
    "run_mode": [3],
    "run_mode_kwargs": [3, [1]],
    "shard": ["1/2", (0, 2), (3, 2), 5, (1,), (1.0, 2)],
    "shards": [0, "2048"],
    "skip_empty": ["yes", 1],
    "stats_over": [3, [3]],
    "table": [3, "", b"cells.csv", ["cells.csv"], True],
    "intermediate": [3, "", b"maps.zarr", ["maps.zarr"], True],
    "trust": ["yes", 1],
    "value_range": [(1, 0), (0, float("inf")), (float("nan"), 1), 5, (0, 1, 2), ("a", "b"), None],
    "wait_for_workers": [-1, "60", True, float("nan")],
    "weights_format": [3],
    "workers": [0, -2, 1.5, "2"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_wrong_value(name: str, value: Any) -> None:
    """Is an error of one short line that begins with the option, whether given as an option or to a function."""
    with pytest.raises((InputError, AxesError)) as raised:
        evolve_options(PredictOptions(), {name: value})
    message = str(raised.value)
    assert name.replace("_", " ") in message.replace("_", " ")
    assert "expected" in message
    assert "\n" not in message
    assert len(message) < 300


def test_every_option_is_checked() -> None:
    """No option takes any value."""
    assert {a.name for a in attrs.fields(PredictOptions)} == set(WRONG)


def any_values() -> list[Any]:
    """Return values of many types, which are right for few options."""
    numbers = [5, -1, 0.5, True, float("nan"), np.int64(3), np.float32(2), np.bool_(True), 10**400]
    return [*numbers, b"x", "nonsense", "", [], {}, {"nonsense": 5}, object(), (1, 2, 3, 4, 5, 6, 7), slice(3), Path("nonsense"), len]


COUNTS = [5, np.int64(3), 10**400]
FLAGS = ("compile", "overwrite", "probe", "pyramid", "rescale", "resume", "skip_empty", "trust")
SIZES = [*COUNTS, {}, {"nonsense": 5}]
RIGHT: dict[str, list[Any]] = {
    "batch_size": COUNTS,
    "channel": [*COUNTS, -1, "nonsense", "", (1, 2, 3, 4, 5, 6, 7), {}, {"nonsense": 5}],
    "imports": ["nonsense", []],
    "join_slices": ["nonsense", {}],
    "level": COUNTS,
    "mask": ["nonsense", "", Path("nonsense")],
    "memory": [10**400],
    "pixel_size": [5, 0.5, np.int64(3), np.float32(2), {}, {"nonsense": 5}],
    "postprocessing": ["nonsense", [], {}],
    "progress": [len, True, np.bool_(True)],
    "roi": [{}],
    "run_mode_kwargs": [{}],
    "scene": [*COUNTS, "nonsense", ""],
    "statistics": [{}, {"nonsense": 5}],
    "stats_over": ["nonsense", "", []],
    "table": ["nonsense", Path("nonsense")],
    "intermediate": ["nonsense", Path("nonsense")],
    "wait_for_workers": [5, 0.5, np.int64(3), np.float32(2)],
    "workers": COUNTS,
    **{name: [{}] for name in ("axes", "dtype")},
    **dict.fromkeys(("block", "chunks", "halo", "network_stride", "object_size", "shards"), SIZES),
    **{name: [True, np.bool_(True)] for name in FLAGS},
    **{name: ["nonsense"] for name in ("device", "output_format", "run_mode", "weights_format")},
}
"""Those of `any_values` that the documentation of an option allows; against the model and the images they are checked later."""


@pytest.mark.parametrize("name", [a.name for a in attrs.fields(PredictOptions)])
def test_any_value(name: str) -> None:
    """Is taken where the option is documented to take it, and is else an error of one sentence that names the option."""
    allowed = list(map(repr, RIGHT.get(name, [])))
    for value in any_values():
        given = {name: value, **({"ome": "0.5"} if name == "pyramid" else {})}
        if repr(value) in allowed:
            evolve_options(PredictOptions(), given)
            continue
        with pytest.raises(BioimageioError) as raised:
            evolve_options(PredictOptions(), given)
        assert name.replace("_", " ") in str(raised.value).replace("_", " ")
        assert "\n" not in str(raised.value)


class TestNumbersOfNumpy:
    """Integers and flags of numpy are as good as those of Python, and none stays in the options."""

    @pytest.mark.parametrize("integer", [np.int64, np.uint8, np.int32])
    def test_same(self, integer: Any) -> None:
        """For every option with an integer; what is kept is of Python, as JSON takes it."""
        given = {
            "batch_size": integer(2),
            "workers": integer(3),
            "level": integer(0),
            "scene": integer(1),
            "channel": [integer(1), "x"],
            "shard": (integer(1), integer(4)),
            "block": {"y": integer(64)},
            "halo": integer(4),
            "roi": {"y": (integer(1), integer(5)), "x": slice(integer(3), None)},
        }
        options = evolve_options(PredictOptions(), given)
        kept = (options.batch_size, options.workers, options.level, options.scene, options.channel, options.shard)
        assert kept == (2, 3, 0, 1, (1, "x"), (1, 4))
        assert {type(n) for n in (options.batch_size, options.level, *(options.shard or ()))} == {int}
        assert (options.block, options.halo, options.roi) == ({"y": 64}, {"space": 4}, {"y": (1, 5), "x": (3, None)})
        assert evolve_options(PredictOptions(), {"memory": np.int64(2**30)}).memory_bytes == 2**30

    def test_predicted(self, tmp_path: Path) -> None:
        """Shards with them write one output."""
        image = np.arange(2 * 30 * 30, dtype=np.float32).reshape(2, 30, 30)
        options: dict[str, Any] = {"axes": "cyx", "channel": np.int64(1), "block": np.int64(16), "batch_size": np.int64(2)}
        model, out = pointwise_model(tmp_path, gain=2.0), tmp_path / "out.zarr"
        for options["shard"] in ((np.int64(1), np.int64(2)), (np.int64(2), np.int64(2))):
            found = bc.predict(model, image, out, roi={"y": slice(np.int64(10), None)}, **options)
        np.testing.assert_array_equal(np.asarray(found["out"])[0, 0], 2 * image[1, 10:])


class TestByTensor:
    """Options by tensor id."""

    @pytest.mark.parametrize(
        ("option", "message"),
        [
            ({"axes": {"rw": "yx"}}, r"axes= is given for 'rw', which is no input of the model: expected some of raw; did you"),
            ({"axes": "yx", "channel": {"image": 0}}, r"channel= is given for 'image', which is no input"),
            ({"axes": "yx", "dtype": {"output": "uint8"}}, r"dtype= is given for 'output', which is no output .* of out; did"),
        ],
    )
    def test_unknown(self, tmp_path: Path, option: dict[str, Any], message: str) -> None:
        """A tensor that the model lacks is an error with those that it has."""
        with pytest.raises(InputError, match=message):
            bc.predict(pointwise_model(tmp_path), np.zeros((9, 9), np.float32), **option)

    def test_known(self, tmp_path: Path) -> None:
        """A mapping is the value of the tensor."""
        image = np.zeros((9, 8), np.float32)
        found = bc.predict(pointwise_model(tmp_path), image, axes={"raw": ["x", "y"]}, dtype={"out": np.uint8}, channel={"raw": None})
        assert found["out"].dtype == np.uint8
        assert found["out"].sizes["y"] == 8

    def test_without_a_model(self) -> None:
        """Statistics without a model take one value."""
        with pytest.raises(InputError, match=r"axes= is given by tensor id"):
            bc.compute_statistics(np.zeros((9, 9)), axes={"raw": "yx"})


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


class TestNamesOfAxes:
    """Options by axis take the names that images and users give to axes."""

    def test_same_as_ids(self, tmp_path: Path) -> None:
        """Letters and words in any case."""
        model, image = box_model(tmp_path, {"min": 16, "step": 4}), np.random.default_rng(0).random((5, 60, 70)).astype(np.float32)
        expected = bc.predict(model, image, axes="tyx", roi={"time": (1, 3), "y": (10, 40)}, block={"x": 32}, stats_over="time")
        found = bc.predict(model, image, axes="tyx", roi={"t": (1, 3), "Rows": (10, 40)}, block={"W": 32}, stats_over=["t"])
        np.testing.assert_array_equal(np.asarray(found["out"]), np.asarray(expected["out"]))

    def test_twice(self, tmp_path: Path) -> None:
        """Two names of one axis are refused."""
        with pytest.raises(InputError, match=r"block= names the axis 'y' twice"):
            bc.predict(pointwise_model(tmp_path), np.zeros((9, 9)), axes="yx", block={"y": 8, "height": 8})


@pytest.mark.parametrize("output", [5, 1.5, True, ["a.zarr"], np.zeros(2)])
def test_output_of_a_wrong_type(tmp_path: Path, output: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An output that is no path is refused, and makes no folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    model, image = pointwise_model(tmp_path / "model"), np.zeros((9, 9))
    with bc.open_predictor(model, axes="yx") as predictor:
        plan = predictor.plan(image)
        calls = (
            lambda: predictor.predict(image, output),
            lambda: predictor.plan(image, output),
            lambda: predictor.run(plan, output),
            lambda: list(bc.predict_many(model, [image], output, axes="yx")),
        )
        for call in calls:
            with pytest.raises(OutputError, match=r"output= is .*: expected a path or URL, as in 'result.zarr'"):
                call()
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_output_in_bytes(tmp_path: Path) -> None:
    """Paths in bytes, as the operating system has them, are paths."""
    bc.predict(pointwise_model(tmp_path), np.zeros((9, 9)), bytes(tmp_path / "out.zarr"), axes="yx")
    assert (tmp_path / "out.zarr" / "zarr.json").exists()


def test_an_output_that_does_not_exist(tmp_path: Path) -> None:
    """The KeyError lists those that do."""
    prediction = bc.predict(pointwise_model(tmp_path), np.zeros((9, 9), np.float32), axes="yx")
    with pytest.raises(KeyError, match="no output 'prob': expected one of 'out'"):
        prediction["prob"]
    assert "prob" not in prediction


def test_defaults_are_valid() -> None:
    """Both classes of options can be made without any value."""
    assert PlanOptions() == PlanOptions(**{a.name: getattr(PlanOptions(), a.name) for a in attrs.fields(PlanOptions)})
