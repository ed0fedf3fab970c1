"""Macros: their syntax, what they mean, and the numbers that they make."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bioimageio_runtime_deepimagej import ImagejMacroKwargs, bioimageio_processing_ops
from bioimageio_runtime_deepimagej.macro_meaning import understand
from bioimageio_runtime_deepimagej.macro_op import MacroSteps, WholeMacro, macro_needs, make_macro_op
from bioimageio_runtime_deepimagej.macro_steps import ops_of_macro
from bioimageio_runtime_deepimagej.macro_syntax import parse_macro
from bioimageio_runtime_deepimagej.macro_tree import MacroError
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from written_macros import (
    BINARIZE,
    BINARIZE_TO_ONE,
    CASES,
    DIALOG,
    FIXED_ZERO_MEAN_UNIT_VARIANCE,
    MEAN_NORMALIZATION,
    SCALE_LINEAR,
    SCALE_RANGE,
    ZERO_MEAN_UNIT_VARIANCE,
    Array,
    pixels,
)

from bioimageio_core.errors import InputError
from bioimageio_core.registry import Measure, collect
from bioimageio_core.spec.converters import make_converter
from bioimageio_core.testing import ProcessingOpConformance

(ENTRY,) = bioimageio_processing_ops()
AXES = ("batch", "channel", "y", "x")


class TestContract(ProcessingOpConformance):
    """What every op keeps."""

    entry = ENTRY
    values = (0.0, 100.0)
    makes_nan = True
    kwargs = tuple({"macro": m} for m in (MEAN_NORMALIZATION, SCALE_RANGE.format(low=1, high=99.8), ZERO_MEAN_UNIT_VARIANCE))
    rtol = 1e-4


class TestContractV04(ProcessingOpConformance):
    """The same in format 0.4."""

    entry = ENTRY
    format_version = "0.4"
    kwargs = ({"macro": SCALE_LINEAR.format(gain=2, offset=1)},)


def applied(macro: str, image: Array) -> Array:
    """Return what the op makes of an image, with statistics by numpy."""
    kwargs = ImagejMacroKwargs(macro=macro)
    tensor = image[np.newaxis, np.newaxis]
    measured = {m: _measured(m, tensor) for m in macro_needs(kwargs, AXES).measures}
    return np.asarray(make_macro_op(kwargs, AXES)(tensor, measured))[0, 0]


def _measured(measure: Measure, tensor: Array) -> Array:
    over = tuple(AXES.index(a) for a in measure.axes)
    if measure.kind == "mean":
        return tensor.mean(over, np.float64, keepdims=True)
    return np.percentile(tensor.astype(np.float64), measure.q, over, method=measure.method, keepdims=True)


def by_ops(macro: str, image: Array) -> Array:
    """Return what the ops make of an image that the macro becomes in a description."""
    registry = collect()
    out: Array = image[np.newaxis, np.newaxis]
    for op in ops_of_macro(macro, "a.ijm", "id"):
        entry = registry.processing_ops[op["id"]]
        kwargs = make_converter(registry, "0.5").structure(op, entry.descr["0.5"]).kwargs
        measured = {m: _measured(m, out) for m in entry.requirements(kwargs, AXES).measures}
        out = np.asarray(entry.load()(kwargs, AXES)(out, measured), np.float32)
    return out[0, 0]


class TestNumbers:
    """Each macro against its arithmetic in numpy."""

    @pytest.mark.parametrize(("macro", "expected"), [(m, e) for _, m, e in CASES], ids=[name for name, _, _ in CASES])
    def test_equal(self, macro: str, expected: Callable[[Array], Array]) -> None:
        """The op, and the ops that the macro becomes in a description, give the same numbers to float32."""
        image = pixels()
        wanted = expected(image.astype(np.float64))
        np.testing.assert_allclose(applied(macro, image), wanted, rtol=2e-6, atol=2e-6)
        np.testing.assert_allclose(by_ops(macro, image), wanted, rtol=2e-6, atol=2e-5)

    def test_by_hand(self) -> None:
        """Six pixels of mean 4: squares of deviations are 9, 4, 1, 0, 1 and 25, by n - 1 = 5."""
        image = np.array([[1, 2, 3], [4, 5, 9]], np.float32)
        np.testing.assert_allclose(applied(ZERO_MEAN_UNIT_VARIANCE, image), (image - 4) / np.sqrt(40 / 5), rtol=1e-6)
        np.testing.assert_allclose(applied(MEAN_NORMALIZATION, image), (image - 4) / 8, rtol=1e-6)
        np.testing.assert_array_equal(applied(BINARIZE.format(threshold=4), image), [[0, 0, 0], [255, 255, 255]])
        np.testing.assert_array_equal(by_ops(BINARIZE_TO_ONE.format(threshold=4), image), [[0, 0, 0], [1, 1, 1]])
        # 256 bins of 8/256 from 1 on: half of the pixels are reached in that of 3, all in the last one
        found = applied(SCALE_RANGE.format(low=50, high=100), image)
        np.testing.assert_allclose(found, (image - 3) / (1 + 255 * 8 / 256 - 3), rtol=1e-6)

    def test_nothing_is_clipped(self) -> None:
        """Beyond the percentiles numbers lie beyond 0 and 1."""
        found = applied(SCALE_RANGE.format(low=25, high=75), pixels())
        assert found.min() < 0
        assert found.max() > 1

    @settings(max_examples=40, deadline=None)
    @given(
        image=arrays(np.float32, (5, 7), elements=st.integers(0, 100).map(lambda n: np.float32(n / 4))),
        macro=st.sampled_from([m for _, m, _ in CASES]),
    )
    def test_steps_are_what_runs(self, image: Array, macro: str) -> None:
        """Where a macro is taken by its steps, carrying it out gives the same."""
        image[0, 0], image[-1, -1] = 0, 40
        if image.std() == 0:
            return
        whole = WholeMacro(macro=macro, name="a.ijm", axes=AXES)(image[np.newaxis, np.newaxis], {})[0, 0]
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(applied(macro, image), whole, rtol=1e-4, atol=1e-4)


class TestRecognised:
    """What macros become in descriptions."""

    @pytest.mark.parametrize(
        ("macro", "ops"),
        [
            (SCALE_LINEAR.format(gain=0.5, offset=2), [("scale_linear", {"gain": 0.5, "offset": 2.0})]),
            (FIXED_ZERO_MEAN_UNIT_VARIANCE.format(mean=3, std=4), [("fixed_zero_mean_unit_variance", {"mean": 3.0, "std": 4.0})]),
            (BINARIZE_TO_ONE.format(threshold=0.5), [("binarize", {"threshold": 0.4999999701976776})]),
            ('run("32-bit");', []),
            ("run('Add...', 'value=1'); run('Divide...', 'value=4');", [("scale_linear", {"gain": 0.25, "offset": 0.25})]),
        ],
    )
    def test_ops_of_the_format(self, macro: str, ops: list[tuple[str, dict[str, float]]]) -> None:
        """Equal ops take their place."""
        assert ops_of_macro(macro, "a.ijm", "id") == [{"id": op, "kwargs": kwargs} for op, kwargs in ops]

    def test_v0_4(self) -> None:
        """With the names of format 0.4."""
        (op,) = ops_of_macro(FIXED_ZERO_MEAN_UNIT_VARIANCE.format(mean=3, std=4), "a.ijm", "name")
        assert op == {"name": "zero_mean_unit_variance", "kwargs": {"mode": "fixed", "axes": "yx", "mean": 3.0, "std": 4.0}}

    def test_statistics_are_measured_before(self) -> None:
        """Percentiles of a histogram are found from exact ones, block by block."""
        needs = macro_needs(ImagejMacroKwargs(macro=SCALE_RANGE.format(low=1, high=99.8)), AXES)
        assert not needs.whole_sample
        assert {m.q for m in needs.measures} == {0.0, 1.0, 99.8, 100.0}
        assert {m.axes for m in needs.measures} == {("channel", "y", "x")}

    def test_whole(self) -> None:
        """A deviation by n - 1, and ways that depend on the image, want the whole."""
        for macro in (ZERO_MEAN_UNIT_VARIANCE, "getStatistics(a, m, l, h); if (h > 3) run('Divide...', 'value=2');"):
            assert macro_needs(ImagejMacroKwargs(macro=macro), AXES).whole_sample
            assert isinstance(make_macro_op(ImagejMacroKwargs(macro=macro), AXES), WholeMacro)
        assert isinstance(make_macro_op(ImagejMacroKwargs(macro=MEAN_NORMALIZATION), AXES), MacroSteps)

    def test_a_search_that_does_something_else(self) -> None:
        """A loop over a histogram that is no search for a share is carried out on pixels."""
        search = "best = 0; for (i = 1; i < 256; i++) if (c[i] > c[best]) best = i;"
        macro = f'getHistogram(v, c, 256); {search} run("Subtract...", "value=" + v[best]);'
        assert understand(macro) is None
        image = np.array([[0, 5, 5], [5, 7, 10]], np.float32)
        np.testing.assert_allclose(applied(macro, image), image - 5, atol=1e-6)


class TestOthers:
    """Macros that nothing here can do."""

    def test_shown(self) -> None:
        """The error shows the macro, and says what takes its place."""
        with pytest.raises(InputError) as caught:
            macro_needs(ImagejMacroKwargs(macro=DIALOG, name="ask.ijm"), AXES)
        message = str(caught.value)
        assert message.startswith("macro 'ask.ijm' cannot be carried out: line 1 of the macro calls Dialog.create")
        assert DIALOG in message
        for way in ("BMZ_MACRO_FUNCTIONS=ask.ijm=MODULE:FUNCTION", "bmz plugins new", "BMZ_IMAGEJ"):
            assert way in message

    def test_python_function(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A function of the user takes the place of a macro, by its name."""
        (tmp_path / "own_macros.py").write_text("def thrice(image):\n    return image * 3\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setenv("BMZ_MACRO_FUNCTIONS", "other.ijm=math:pi, ask.ijm=own_macros:thrice")
        kwargs = ImagejMacroKwargs(macro=DIALOG, name="ask.ijm")
        assert macro_needs(kwargs, AXES).whole_sample
        image = pixels()[np.newaxis, np.newaxis]
        np.testing.assert_array_equal(make_macro_op(kwargs, AXES)(image, {}), image * 3)

    @pytest.mark.parametrize("value", ["ask.ijm", "ask.ijm=nowhere:f", "ask.ijm=math:pi", "ask.ijm=math:nothing"])
    def test_no_function(self, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is no function is told."""
        monkeypatch.setenv("BMZ_MACRO_FUNCTIONS", value)
        with pytest.raises(InputError, match="BMZ_MACRO_FUNCTIONS"):
            macro_needs(ImagejMacroKwargs(macro=DIALOG, name="ask.ijm"), AXES)

    @pytest.mark.parametrize(
        "macro",
        [
            "x = ;",
            "run(",
            "while (true) { x = 1; }",
            'a = "x"; for (i = 0; i < 60; i++) { a = a + a; }',
            "a = newArray(60000); for (i = 0; i < 60000; i++) { a[i] = newArray(60000); }",
            "function f(n) { return f(n); } y = f(1);",
            "(" * 500,
            "{" * 500,
            "#",
            "x = y;",
            "1 = 2;",
        ],
    )
    def test_broken(self, macro: str) -> None:
        """What is no macro, or does not end, is told in one sentence."""
        with pytest.raises(MacroError) as caught:
            understand(macro)
        assert "\n" not in str(caught.value)

    @settings(max_examples=150, deadline=None)
    @given(st.text(alphabet="abrun(){}[];=+-*/<>!&|\"'1.0 \n", max_size=60))
    def test_any_text(self, text: str) -> None:
        """Any text is parsed, or refused as no macro."""
        with suppress(MacroError):
            parse_macro(text)


def test_cases_differ() -> None:
    """The names of the macros are all different."""
    names: list[Any] = [name for name, _, _ in CASES]
    assert len(set(names)) == len(names)
