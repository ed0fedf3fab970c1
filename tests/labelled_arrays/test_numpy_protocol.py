"""Functions and methods of numpy on labelled arrays: names are kept, and what is lazy stays lazy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
from labelled_arrays.stored_arrays import AXES, NAMES, made, three_kinds, values

from bioimageio_core import LabelledArray
from bioimageio_core.errors import AxesError, ChannelError, InputError

KINDS = ["memory", "zarr", "other order"]


@pytest.fixture(params=KINDS)
def array(request: pytest.FixtureRequest, tmp_path: Path) -> LabelledArray:
    """The array of each kind."""
    return three_kinds(tmp_path)[request.param]


def test_names_of_others(array: LabelledArray) -> None:
    """Numpy's and xarray's names of what the array has."""
    np.testing.assert_array_equal(array.values, values())
    assert array.dims == AXES
    assert array.T.axes == AXES[::-1]
    copied = array.copy()
    np.testing.assert_array_equal(copied, values())
    assert not array.in_memory or not np.shares_memory(copied.data, array.data)


def test_clip(array: LabelledArray) -> None:
    """As numpy, also by the function."""
    plain = np.clip(values(), 0.2, 0.7)
    for found in (array.clip(0.2, 0.7), np.clip(array, 0.2, 0.7), np.clip(array, a_min=0.2, a_max=0.7), array.clip(0.2).clip(max=0.7)):
        assert found.in_memory == array.in_memory
        assert found.channel_names == NAMES
        assert found.dtype == plain.dtype
        np.testing.assert_array_equal(found, plain)


def test_where(array: LabelledArray) -> None:
    """As xarray: NaN elsewhere, by names of axes; as numpy by the function."""
    mask = array.isel(batch=0, channel=0) > 0.5
    expected = made(values()).to_xarray().where(made(values()).to_xarray()[0, 0] > 0.5)
    found = array.where(mask)
    assert (found.dtype, found.name, found.axes, found.in_memory) == (np.float32, "cells", AXES, array.in_memory)
    np.testing.assert_array_equal(found, expected.values)
    np.testing.assert_array_equal(array.where(mask, 0), expected.fillna(0).values)
    assert (array > 1).astype("uint8").where(mask).dtype == np.float64
    chosen = np.where(mask, array, 0)
    assert (chosen.axes, chosen.in_memory) == (AXES, array.in_memory)
    np.testing.assert_array_equal(chosen, expected.fillna(0).values)
    assert len(np.where(array.values > 0.5)) == len(np.where(array > 0.5)) == 4


@pytest.mark.parametrize("axes", [(), ("y", "x"), ("channel",), (-1,)])
@pytest.mark.parametrize("q", [0.3, [0.0, 0.25, 1.0]])
def test_quantile(array: LabelledArray, axes: tuple[Any, ...], q: Any) -> None:
    """By numpy's linear method in float64."""
    numbers = tuple(AXES.index(axis) if isinstance(axis, str) else axis for axis in axes) or None
    expected = np.quantile(values().astype(np.float64), q, axis=numbers)
    found = array.quantile(q, *axes)
    assert found.dtype == np.float64
    assert found.shape == expected.shape
    np.testing.assert_array_equal(np.asarray(found), expected)
    if axes == ("y", "x"):
        assert found.axes == (*["quantile"] * (not isinstance(q, float)), "batch", "channel")
        assert found.in_memory == array.in_memory
    for wrong in (1.5, np.nan, "half"):
        with pytest.raises(InputError, match="from 0 to 1"):
            array.quantile(wrong)


def test_concatenate(array: LabelledArray) -> None:
    """Joins names of channels, and positions continue; an array turned around is turned back."""
    plain = values()
    found = np.concatenate([array, array.T], axis="channel")
    assert found.in_memory == array.in_memory
    assert found.channel_names == NAMES * 2
    np.testing.assert_array_equal(found, np.concatenate([plain, plain], axis=1))
    along = np.concatenate([array.isel(y=slice(0, 5)), array.isel(y=slice(5, None))], axis=2)
    np.testing.assert_array_equal(along, plain)
    assert along.axis_metadata == array.axis_metadata
    assert np.concatenate([array, plain], axis=1).channel_names is None
    with pytest.raises(ChannelError):
        np.concatenate([array, array.sel(channel=["GFP", "DAPI"])])
    with pytest.raises(AxesError, match="expected the same axes"):
        np.concatenate([array, array.isel(batch=0)])


def test_stack(array: LabelledArray) -> None:
    """Makes an axis without a name: the result is an array of numpy or dask."""
    found = np.stack([array, array.T], axis=1)
    assert isinstance(found, np.ndarray if array.in_memory else da.Array)
    np.testing.assert_array_equal(found, np.stack([values()] * 2, axis=1))


def test_other_functions(array: LabelledArray) -> None:
    """Take the pixels, also beside arrays of dask, and within these."""
    np.testing.assert_array_equal(np.percentile(array, 30), np.percentile(values(), 30))
    np.testing.assert_array_equal(np.flip(array, 2), values()[:, :, ::-1])
    np.testing.assert_array_equal(np.vstack([array, array]), np.vstack([values()] * 2))
    np.testing.assert_array_equal(np.concatenate([array, da.from_array(values())]), np.concatenate([values()] * 2))
    np.testing.assert_allclose(float(da.from_array(array, chunks=4).sum()), values().sum(), rtol=1e-5)


@pytest.mark.parametrize("wrong", ["a", None, np.str_("a"), {"a": 1}, object()], ids=["text", "none", "numpy text", "mapping", "object"])
def test_what_is_no_number(array: LabelledArray, wrong: Any) -> None:
    """Is refused in Python's words, by == too: pixels are never text."""
    name = type(wrong).__name__
    with pytest.raises(TypeError, match=f"unsupported operand type.*'LabelledArray' and '{name}'"):
        array / wrong
    with pytest.raises(TypeError, match=f"'{name}' and 'LabelledArray'"):
        wrong / array
    with pytest.raises(TypeError, match=f"unsupported operand type.*'{name}'"):
        _ = array == wrong


def test_beside_xarray(array: LabelledArray) -> None:
    """Is refused with the way to do it, since positions would match by chance."""
    with pytest.raises(TypeError, match=r"'LabelledArray' and 'DataArray'; array\.to_xarray\(\)"):
        array + array.to_xarray()
