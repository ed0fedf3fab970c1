"""Networks in other sizes and batches than those of their test tensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_models import (
    BATCH,
    box_model,
    channels,
    follows,
    pool_graph,
    resample_graph,
    save_description_0_5,
    save_graph,
    space,
    tensor,
    with_test_tensors,
)
from onnx import helper

import bioimageio_core as bc
from bioimageio_core.model_tests.test_report import SizeTrial
from bioimageio_core.model_tests.try_sizes import resized

IMAGE = np.random.default_rng(0).random((1, 1, 16, 16), dtype=np.float32)


def trials_of(model: Path, expected: np.ndarray[Any, Any], given: np.ndarray[Any, Any] = IMAGE) -> tuple[SizeTrial, ...]:
    """Return what was tried of a model with these test tensors."""
    (test,) = bc.test_model(with_test_tensors(model, {"raw": given}, {"out": expected})).tests
    assert test.outputs[0].passed
    return test.sizes


def described(folder: Path, size: Any, *, out: Any = None, batch: dict[str, Any] = BATCH) -> Path:
    """Describe the graph in a folder, with sizes of this kind along y and x; ``out`` goes to the output's axes."""
    axes = [space(a, follows(a), **(out or {})) for a in ("y", "x")]
    return save_description_0_5(
        folder,
        [tensor("raw", batch, channels(), space("y", size), space("x", size))],
        [tensor("out", batch, channels(), *axes)],
    )


def pooled(image: np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
    """Return means of cells, drawn over each cell."""
    b, c, y, x = image.shape
    cells = image.reshape(b, c, y // size, size, x // size, size).mean(axis=(3, 5), keepdims=True)
    return np.asarray(np.broadcast_to(cells, (b, c, y // size, size, x // size, size)).reshape(image.shape), np.float32)


class TestSizes:
    """The smallest sizes, and one and two steps more."""

    def test_what_is_tried(self, tmp_path: Path) -> None:
        """Sizes 8, 12 and 16, each alone and twice."""
        model = box_model(tmp_path, {"min": 8, "step": 4})
        padded = np.pad(IMAGE, [(0, 0), (0, 0), (1, 1), (1, 1)])
        mean = np.asarray(sum(padded[:, :, i : i + 16, j : j + 16] for i in range(3) for j in range(3)) / 9, np.float32)
        trials = trials_of(model, mean)
        assert [(t.shapes["raw"], t.status) for t in trials] == [((n, 1, s, s), "passed") for s in (8, 12, 16) for n in (1, 2)]

    def test_step_too_small(self, tmp_path: Path) -> None:
        """A network that pools by 8 gives other sizes than its input has where these are no multiples."""
        pool_graph(tmp_path / "weights.onnx", size=8)
        trials = trials_of(described(tmp_path, {"min": 8, "step": 4}), pooled(IMAGE, 8))
        assert [t.status for t in trials if t.batch == 1] == ["passed", "failed", "passed"]
        assert "output 'out' has 8 along axis 'y': expected 12 by its description" in trials[2].message

    def test_failed_size_fails_the_test(self, tmp_path: Path) -> None:
        """Though the test tensors are reproduced."""
        pool_graph(tmp_path / "weights.onnx", size=8)
        model = with_test_tensors(described(tmp_path, {"min": 8, "step": 4}), {"raw": IMAGE}, {"out": pooled(IMAGE, 8)})
        report = bc.test_model(model)
        assert report.status == "failed"
        assert "sizes raw 1 x 1 x 12 x 12" in report.tests[0].message
        assert bc.test_model(model, quick=True).status == "passed"

    def test_output_of_other_scale(self, tmp_path: Path) -> None:
        """An output at half the resolution has half the pixels."""
        resample_graph(tmp_path / "weights.onnx", down=2)
        half = IMAGE.reshape(1, 1, 8, 2, 8, 2).mean(axis=(3, 5))
        trials = trials_of(described(tmp_path, {"min": 8, "step": 2}, out={"scale": 2.0}), half)
        assert {t.status for t in trials} == {"passed"}

    def test_fixed_sizes(self, tmp_path: Path) -> None:
        """Nothing to vary but the batch."""
        model = box_model(tmp_path, 16, filter_size=1, halo=0)
        assert [(t.shapes["raw"], t.step) for t in trials_of(model, IMAGE)] == [((1, 1, 16, 16), 0), ((2, 1, 16, 16), 0)]

    def test_weights_that_insist_on_one_size(self, tmp_path: Path) -> None:
        """A graph of one size under a description of many is noted, and no failure."""
        shape = (1, 1, 16, 16)
        save_graph(tmp_path / "weights.onnx", [helper.make_node("Identity", ["raw"], ["out"])], {"raw": shape}, {"out": shape})
        trials = trials_of(described(tmp_path, {"min": 8, "step": 8}, batch={"type": "batch", "size": 1}), IMAGE)
        assert [t.status for t in trials] == ["noted", "passed", "noted"]
        assert "take 16 along axis 'y' of 'raw' and no other size" in trials[0].message


class TestBatches:
    """Items of a batch do not depend on each other."""

    def test_one_at_a_time(self, tmp_path: Path) -> None:
        """A batch axis of size 1 promises nothing of batches."""
        save_graph(tmp_path / "weights.onnx", [helper.make_node("Identity", ["raw"], ["out"])], {"raw": 4}, {"out": 4})
        trials = trials_of(described(tmp_path, 16, batch={"type": "batch", "size": 1}), IMAGE)
        assert trials == ()

    def test_mixed_items(self, tmp_path: Path) -> None:
        """A sum over the batch is found out, though its shape is right."""
        nodes = [helper.make_node("ReduceSum", ["raw", "axis"], ["sum"], keepdims=1), helper.make_node("Mul", ["sum", "one"], ["same"])]
        nodes += [helper.make_node("Mul", ["raw", "zero"], ["nothing"]), helper.make_node("Add", ["same", "nothing"], ["out"])]
        constants = {"axis": np.array([0]), "one": np.ones(1, np.float32), "zero": np.zeros(1, np.float32)}
        save_graph(tmp_path / "weights.onnx", nodes, {"raw": 4}, {"out": 4}, **constants)
        alone, twice = trials_of(described(tmp_path, 16), IMAGE)
        assert (alone.status, twice.status) == ("passed", "failed")
        assert "items of a batch must not depend on each other" in twice.message

    def test_network_that_takes_one(self, tmp_path: Path) -> None:
        """A graph of batch size 1 under a description of any is noted."""
        shape = (1, 1, "y", "x")
        save_graph(tmp_path / "weights.onnx", [helper.make_node("Identity", ["raw"], ["out"])], {"raw": shape}, {"out": shape})
        assert [t.status for t in trials_of(described(tmp_path, 16), IMAGE)] == ["passed", "noted"]


class TestResized:
    """Inputs are cut around their centre, or continued as in mirrors."""

    def test_by_hand(self) -> None:
        """The smaller half is left."""
        row = np.arange(4)
        assert resized(row, (2,)).tolist() == [1, 2]
        assert resized(row, (7,)).tolist() == [0, 0, 1, 2, 3, 3, 2]
        assert resized(row, (10,)).tolist() == [2, 1, 0, 0, 1, 2, 3, 3, 2, 1]

    @given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 20)), min_size=1, max_size=3))
    def test_any_shape(self, sizes: list[tuple[int, int]]) -> None:
        """The shape is what was asked for, and no value is new."""
        array = np.arange(np.prod([n for n, _ in sizes])).reshape([n for n, _ in sizes])
        result = resized(array, tuple(wanted for _, wanted in sizes))
        assert result.shape == tuple(wanted for _, wanted in sizes)
        assert np.isin(result, array).all()


@pytest.mark.parametrize("size", [{"min": 8, "step": 4}, 16])
def test_two_inputs_of_one_size(tmp_path: Path, size: Any) -> None:
    """An input that follows another has its size in every trial."""
    save_graph(tmp_path / "weights.onnx", [helper.make_node("Mul", ["raw", "mask"], ["out"])], {"raw": 4, "mask": 4}, {"out": 4})
    axes = [space(a, follows(a)) for a in ("y", "x")]
    model = save_description_0_5(
        tmp_path,
        [tensor("raw", BATCH, channels(), space("y", size), space("x", size)), tensor("mask", BATCH, channels(), *axes)],
        [tensor("out", BATCH, channels(), *axes)],
    )
    with_test_tensors(model, {"raw": IMAGE, "mask": 2 * IMAGE}, {"out": 2 * IMAGE * IMAGE})
    (test,) = bc.test_model(model).tests
    assert test.status == "passed"
    assert all(t.shapes["raw"] == t.shapes["mask"] for t in test.sizes)
    assert len(test.sizes) == (6 if isinstance(size, dict) else 2)
