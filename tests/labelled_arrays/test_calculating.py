"""Labelled arrays compute like numpy, and keep their names like xarray."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_arrays.stored_arrays import AXES, NAMES, made, three_kinds, values

from bioimageio_core import LabelledArray
from bioimageio_core.errors import AxesError, InputError

KINDS = ["memory", "zarr", "other order"]


@pytest.fixture
def kinds(tmp_path: Path) -> dict[str, LabelledArray]:
    """The array of each kind."""
    return three_kinds(tmp_path)


class TestArithmetic:
    """Operators."""

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("name", ["add", "mul", "truediv", "sub", "gt", "le", "eq", "pow"])
    def test_as_numpy(self, kinds: dict[str, LabelledArray], kind: str, name: str) -> None:
        """With numbers on either side, arrays without names, and itself; what is in storage is lazy."""
        array, plain, function = kinds[kind], values(), getattr(operator, name)
        for mine, numpys in ((array, plain), (plain[0, 0], plain[0, 0]), (0.5, 0.5)):
            for one, other, expected in ((array, mine, function(plain, numpys)), (mine, array, function(numpys, plain))):
                found = function(one, other)
                assert isinstance(found, LabelledArray)
                assert found.in_memory == (kind == "memory")
                np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-6)
                assert found.dtype == expected.dtype
                assert found.axes == AXES
                assert found.channel_names == NAMES
                assert found.pixel_size == array.pixel_size
                assert found.name == "cells"

    def test_axes_are_matched_by_name(self) -> None:
        """In whatever order they are, and where one array lacks some, as with xarray."""
        array = made(values())
        back = LabelledArray(values()[0, 0].T.copy(), ("x", "y"))
        expected = array.to_xarray() - xr.DataArray(back.data, dims=("x", "y"))
        for found in (array - back, -(back - array)):
            assert found.axes == AXES
            np.testing.assert_allclose(np.asarray(found), expected.transpose(*AXES), rtol=1e-6)

    def test_functions_of_numpy(self) -> None:
        """Universal functions keep the names; the others give plain arrays."""
        array = made(values())
        assert np.sqrt(array).axes == AXES
        assert np.divmod(array, 0.3)[1].channel_names == NAMES
        assert isinstance(np.percentile(array, 50), np.floating)
        assert isinstance(np.add.reduce(array), np.ndarray)
        assert isinstance(np.stack([array, array]), np.ndarray)
        np.testing.assert_array_equal(np.matmul(array, np.ones((9, 2), np.float32)), values() @ np.ones((9, 2), np.float32))
        np.testing.assert_array_equal(np.add(array, 1, where=array > 0.5, out=np.zeros(array.shape))[values() <= 0.5], 0)

    def test_in_place(self, kinds: dict[str, LabelledArray]) -> None:
        """In memory; storage is not changed."""
        array = before = made(values())
        array += 1
        assert array is before
        np.testing.assert_allclose(array.data, values() + 1)
        with pytest.raises(InputError, match="x = x \\+ 1"):
            kinds["zarr"] += 1

    def test_what_does_not_fit(self) -> None:
        """Is refused with the axis, or with how to name axes."""
        array = made(values())
        with pytest.raises(AxesError, match="axis 'y' has 5 and 12 pixels"):
            array + array.isel(y=slice(5))
        with pytest.raises(AxesError, match="name its axes"):
            array + np.zeros((3, 1, 1, 1, 1))
        with pytest.raises(AxesError, match="3 axes"):
            LabelledArray(np.zeros((2, 2, 2)), ("y", "x"))
        with pytest.raises(TypeError):
            array + array.to_xarray()


REDUCTIONS = ["mean", "sum", "min", "max", "std", "var", "any", "all"]


class TestReductions:
    """Means and others, by names of axes."""

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("name", REDUCTIONS)
    def test_as_xarray(self, kinds: dict[str, LabelledArray], kind: str, name: str) -> None:
        """Over some axes, or all; a number where the array is in memory."""
        array = kinds[kind]
        exact = made(values()).to_xarray().astype(np.float64)
        for axis in ("channel", ("y", "x"), ["x", "batch"], None):
            found = getattr(array, name)(axis)
            expected = getattr(exact, name)(axis)
            np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-12 if name not in ("min", "max") else 0)
            if axis is not None:
                assert found.axes == expected.dims
                assert set(found.pixel_size) <= set(found.axes)
            else:
                assert float(found) == pytest.approx(float(expected))
                assert isinstance(found, np.generic) == (kind == "memory")

    def test_means_of_float32_are_exact(self) -> None:
        """In float32, adding would stop at 2**24."""
        ones = LabelledArray(np.ones((1, 2**25), np.float32), ("y", "x"))
        big = LabelledArray(np.full(3, 16777217, np.float32), ("x",)) + np.float32(0)
        assert big.mean().dtype == np.float64
        assert ones.mean() == 1.0
        assert ones.sum() == 2.0**25
        assert big.mean(dtype=np.float32).dtype == np.float32

    @pytest.mark.parametrize("kind", KINDS)
    def test_positions_of_extremes(self, kinds: dict[str, LabelledArray], kind: str) -> None:
        """Along one axis, or in the flat array as numpy."""
        array, plain = kinds[kind], values()
        assert array.argmax("channel").axes == ("batch", "y", "x")
        np.testing.assert_array_equal(np.asarray(array.argmax("channel")), plain.argmax(1))
        np.testing.assert_array_equal(np.asarray(array.argmin("x")), plain.argmin(3))
        assert int(array.argmax()) == plain.argmax()
        with pytest.raises(AxesError, match="along one axis"):
            array.argmax(("y", "x"))  # type: ignore[arg-type]

    @pytest.mark.parametrize("name", [*REDUCTIONS, "argmax", "argmin"])
    def test_through_numpy(self, name: str) -> None:
        """``np.mean(array, axis=2)`` asks the array."""
        array = made(values())
        found = getattr(np, name)(array, axis=2)
        assert found.axes == ("batch", "channel", "x")
        np.testing.assert_allclose(np.asarray(found), getattr(np, name)(values().astype(float), axis=2), rtol=1e-6)
        kept = getattr(array, name)("y", keepdims=True)
        assert kept.sizes == {"batch": 1, "channel": 2, "y": 1, "x": 9}
        assert (array - kept).axes == AXES

    def test_no_such_axis(self) -> None:
        """The error names those that are there; letters are names, too."""
        array = made(values())
        np.testing.assert_array_equal(np.asarray(array.max("c")), values().max(1))
        for axis in ("t", 4, -5, 1.5, ("y", "time")):
            with pytest.raises(AxesError, match="expected one of batch, channel, y, x"):
                array.mean(axis)  # type: ignore[arg-type]
        with pytest.raises(AxesError, match="twice"):
            array.mean(("y", 2))


class TestConversion:
    """To numbers and plain arrays."""

    def test_copies(self) -> None:
        """As numpy asks for them."""
        array = made(values())
        assert np.asarray(array) is array.data
        assert not np.shares_memory(np.array(array), array.data)
        assert np.asarray(array, dtype=np.float64).dtype == np.float64

    @pytest.mark.skipif(int(np.__version__.partition(".")[0]) < 2, reason="numpy before 2 cannot ask for that")
    def test_not_from_storage_without_a_copy(self, kinds: dict[str, LabelledArray]) -> None:
        """Which numpy may ask for."""
        with pytest.raises(ValueError, match="copy"):
            np.asarray(kinds["zarr"], copy=False)

    def test_single_numbers(self) -> None:
        """Are numbers of Python."""
        one = LabelledArray(np.array([[7]]), ("y", "x"))
        assert (int(one), float(one), bool(one), one.item()) == (7, 7.0, True, 7)
        with pytest.raises(ValueError, match="ambiguous"):
            bool(made(values()))

    @pytest.mark.parametrize("kind", KINDS)
    def test_types_and_orders(self, kinds: dict[str, LabelledArray], kind: str) -> None:
        """Of axes, by name."""
        array = kinds[kind]
        turned = array.transpose("y", "x", "channel", "batch")
        assert turned.axes == ("y", "x", "channel", "batch")
        np.testing.assert_array_equal(np.asarray(turned), values().transpose(2, 3, 1, 0))
        assert array.transpose().axes == AXES[::-1]
        assert np.transpose(array, (0, 1, 3, 2)).axes == ("batch", "channel", "x", "y")
        assert array.squeeze().axes == ("channel", "y", "x")
        assert array.astype("float64").dtype == np.float64
        assert array.compute().in_memory
        with pytest.raises(AxesError, match="2 pixels"):
            array.squeeze("channel")
        with pytest.raises(AxesError, match="each of them once"):
            array.transpose("y", "x")


@st.composite
def operands(draw: st.DrawFn) -> list[LabelledArray]:
    """Two arrays with some of four axes, in any order, whose sizes fit."""
    sizes = {axis: draw(st.integers(1, 3)) for axis in "zyx"} | {"channel": 2}
    found = []
    for _ in range(2):
        axes = draw(st.permutations(sorted(sizes)).map(lambda p: tuple(p[: draw(st.integers(1, 4))])))
        found.append(LabelledArray(np.random.default_rng(len(found)).random([sizes[a] for a in axes]), axes))
    return found


class TestLaw:
    """Arithmetic is that of xarray."""

    @settings(max_examples=60, deadline=None)
    @given(arrays=operands())
    def test_sum(self, arrays: list[LabelledArray]) -> None:
        """Up to the order of axes."""
        one, other = arrays
        expected: Any = one.to_xarray() + other.to_xarray()
        found = one + other
        assert set(found.axes) == set(expected.dims)
        np.testing.assert_allclose(np.asarray(found), expected.transpose(*found.axes))
