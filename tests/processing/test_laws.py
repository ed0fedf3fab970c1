"""What holds for all ops: they can travel, leave their input alone, and give the same block by block."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bioimageio_core.processing import descr_v0_4 as v0_4
from bioimageio_core.processing import descr_v0_5 as v0_5
from bioimageio_core.registry import Measure, ProcessingOpEntry
from bioimageio_core.statistics import StreamingStatistics

Array = np.ndarray[Any, Any]
AXES = ("batch", "channel", "y", "x")
SHAPE = (2, 3, 6, 7)

STEPS: list[tuple[str, Any]] = [
    ("binarize", v0_5.BinarizeKwargs(threshold=1.5)),
    ("binarize", v0_5.BinarizeAlongAxisKwargs(threshold=(1, 2, 3), axis="channel")),
    ("binarize", v0_4.BinarizeKwargs(threshold=1.5)),
    ("clip", v0_5.ClipKwargs(min=1, max=5)),
    ("clip", v0_5.ClipKwargs(min=0.5)),
    ("clip", v0_5.ClipKwargs(min_percentile=10, max_percentile=90, axes=("y", "x"))),
    ("clip", v0_4.ClipKwargs(min=1, max=5)),
    ("ensure_dtype", v0_5.EnsureDtypeKwargs(dtype="uint8")),
    ("ensure_dtype", v0_5.EnsureDtypeKwargs(dtype="float64")),
    ("fixed_zero_mean_unit_variance", v0_5.FixedZeroMeanUnitVarianceKwargs(mean=2, std=3)),
    ("fixed_zero_mean_unit_variance", v0_5.FixedZeroMeanUnitVarianceAlongAxisKwargs(mean=(1, 2, 3), std=(3, 2, 1), axis="channel")),
    ("scale_linear", v0_5.ScaleLinearKwargs(gain=2)),
    ("scale_linear", v0_5.ScaleLinearAlongAxisKwargs(gain=(1, 2, 3), axis="channel")),
    ("scale_linear", v0_4.ScaleLinearKwargs(gain=(1, 2, 3), axes="yx")),
    ("scale_mean_variance", v0_5.ScaleMeanVarianceKwargs(reference_tensor="ref", axes=("y", "x"))),
    ("scale_mean_variance", v0_4.ScaleMeanVarianceKwargs(mode="per_dataset", reference_tensor="ref")),
    ("scale_range", v0_5.ScaleRangeKwargs(min_percentile=1, max_percentile=99.8)),
    ("scale_range", v0_5.ScaleRangeKwargs(axes=("channel", "y", "x"))),
    ("scale_range", v0_4.ScaleRangeKwargs(mode="per_sample", axes="yx", reference_tensor="ref")),
    ("sigmoid", None),
    ("softmax", None),
    ("softmax", v0_5.SoftmaxKwargs(axis="x")),
    ("zero_mean_unit_variance", None),
    ("zero_mean_unit_variance", v0_5.ZeroMeanUnitVarianceKwargs(axes=("y", "x"))),
    ("zero_mean_unit_variance", v0_4.ZeroMeanUnitVarianceKwargs(mode="per_sample", axes="cyx")),
    ("zero_mean_unit_variance", v0_4.ZeroMeanUnitVarianceKwargs(axes="yx", mean=(1, 2, 3), std=(3, 2, 1))),
]
NAMED = pytest.mark.parametrize(("name", "kwargs"), STEPS, ids=[f"{i}-{name}" for i, (name, _) in enumerate(STEPS)])


@st.composite
def tensors(draw: st.DrawFn) -> Array:
    dtype = np.dtype(draw(st.sampled_from(("float32", "float64", "float16", "uint8", "int16", "uint32", "int64", "bool"))))
    elements: Any = st.integers(-100, 100) | st.sampled_from((0.125, 2.5, np.nan)) if dtype.kind == "f" else None
    if dtype.kind in "iu":
        elements = st.integers(max(-1000, np.iinfo(dtype).min), min(10**6, np.iinfo(dtype).max))
    return draw(hnp.arrays(dtype, SHAPE, elements=elements))


def measure(entry: ProcessingOpEntry, kwargs: Any, tensor: Array) -> dict[Measure, Array]:
    reference = np.linspace(-3, 8, tensor.size, dtype=np.float32).reshape(tensor.shape)
    measured: dict[Measure, Array] = {}
    for wanted in entry.requirements(kwargs, AXES).measures:
        data = tensor if wanted.tensor is None else reference
        stats = StreamingStatistics([wanted], axes=AXES, shape=data.shape, dtype=data.dtype)
        while not stats.done:
            part = stats.partial()
            part.update(data, (0,) * data.ndim)
            stats.end_pass(part)
        measured.update(stats.results())
    return measured


class TestEveryOp:
    @NAMED
    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(tensor=tensors(), cut=st.tuples(*(st.integers(0, n) for n in SHAPE)))
    def test_blockwise_is_whole(
        self, entries: dict[str, ProcessingOpEntry], name: str, kwargs: Any, tensor: Array, cut: tuple[int, ...]
    ) -> None:
        """Cut anywhere but along its whole axes, an op that has travelled gives bit for bit the same, and its input is as before."""
        entry = entries[name]
        measured = measure(entry, kwargs, tensor)
        op = entry.load()(kwargs, AXES)
        before = tensor.copy()
        tensor.setflags(write=False)
        whole = op(tensor, measured)
        np.testing.assert_array_equal(tensor, before)

        needs = entry.requirements(kwargs, AXES)
        op = pickle.loads(pickle.dumps(op))
        spans = [[slice(None)] if a in needs.whole_axes else [slice(0, c), slice(c, None)] for a, c in zip(AXES, cut, strict=True)]
        out = np.empty_like(whole)
        for index in np.ndindex(*(len(s) for s in spans)):
            block = tuple(s[i] for s, i in zip(spans, index, strict=True))
            here = {m: v[tuple(slice(None) if n == 1 else b for n, b in zip(v.shape, block, strict=True))] for m, v in measured.items()}
            out[block] = op(tensor[block], here)
        np.testing.assert_array_equal(out, whole)

    @NAMED
    @pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int32"])
    def test_dtype(self, entries: dict[str, ProcessingOpEntry], name: str, kwargs: Any, dtype: str) -> None:
        """The resulting dtype is the announced one, or that of the tensor where none is; float64 is not narrowed."""
        entry = entries[name]
        tensor = np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(dtype)
        found = entry.load()(kwargs, AXES)(tensor, measure(entry, kwargs, tensor)).dtype
        announced = entry.requirements(kwargs, AXES).dtype
        if name == "clip" and kwargs.min == 0.5 and dtype in ("uint8", "int32"):
            assert found == np.float32
        elif announced == "float32":
            assert found == (np.float64 if dtype == "float64" else np.float32)
        else:
            assert found == (announced or dtype)

    @NAMED
    def test_empty(self, entries: dict[str, ProcessingOpEntry], name: str, kwargs: Any) -> None:
        """A tensor without elements stays one."""
        entry = entries[name]
        tensor = np.zeros((0, *SHAPE[1:]), np.float32)
        ones = {m: np.ones((1,) * 4) for m in entry.requirements(kwargs, AXES).measures}
        assert entry.load()(kwargs, AXES)(tensor, ones).shape == tensor.shape


class TestAgainstFloat64:
    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        tensor=hnp.arrays(np.float32, (4, 5), elements=st.floats(-1e4, 1e4, width=32)),
        base=st.sampled_from((0.0, 0.3, 1e3, 1e6)),
    )
    def test_zero_mean_unit_variance(self, apply: Callable[..., Array], tensor: Array, base: float) -> None:
        """float32 kernels agree with the formula in float64 to a few units in the last place of the largest value."""
        tensor = (tensor + np.float32(base)).astype(np.float32)
        wide = tensor.astype(np.float64)
        expected = (wide - wide.mean()) / (wide.std() + 1e-6)
        found = apply("zero_mean_unit_variance", None, tensor, ("y", "x"))
        if wide.std() > 1e-9 * np.abs(wide).max():
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
