"""Parts of labelled arrays: by position, by name, out of storage no more than is asked for."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from labelled_arrays.stored_arrays import AXES, made, three_kinds, values

from bioimageio_core import LabelledArray
from bioimageio_core.errors import AxesError, ChannelError, InputError
from bioimageio_core.io import open_image
from bioimageio_core.labelled_arrays.stored_part import StoredPart

KINDS = ["memory", "zarr", "other order"]


class TestIndexing:
    """Square brackets."""

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(
        "index",
        [
            0,
            -1,
            ...,
            slice(None),
            (0, 1),
            (0, 1, slice(2, 9, 3)),
            (..., slice(None, None, -2)),
            (slice(None), 1, ..., 4),
            (..., slice(5, 2)),
        ],
        ids=str,
    )
    def test_as_numpy(self, tmp_path: Path, kind: str, index: Any) -> None:
        """Slices keep axes, whole numbers drop them; nothing of what is stored is read before."""
        array, plain = three_kinds(tmp_path)[kind], values()
        found, plain = array[index], plain[index]
        assert found.in_memory == (kind == "memory")
        assert found.shape == plain.shape
        np.testing.assert_array_equal(np.asarray(found), plain)
        np.testing.assert_array_equal(np.asarray(found[..., ::-1][..., :2]), plain[..., ::-1][..., :2])

    def test_labels_follow(self) -> None:
        """Names of channels, sizes and positions of pixels are those of the part."""
        array = made(values())
        part = array[:, ::-1, 4::2, ::-1]
        assert part.channel_names == ("GFP", "DAPI")
        assert part.pixel_size["y"] == (1.0, "micrometer")
        assert part.position == {"y": 12.0}
        assert array[0, 1].axes == ("y", "x")
        assert array[0, 1].channel_names is None

    @pytest.mark.parametrize("kind", KINDS)
    def test_numbers_and_errors(self, tmp_path: Path, kind: str) -> None:
        """A pixel is a number; a position beyond the end names the axis."""
        array = three_kinds(tmp_path)[kind]
        pixel = array[0, 1, 5, 2]
        assert isinstance(pixel, np.float32)
        assert pixel == values()[0, 1, 5, 2]
        with pytest.raises(IndexError, match="9 positions"):
            array[..., 9]
        with pytest.raises(IndexError, match="at most 4"):
            array[0, 0, 0, 0, 0]

    def test_masks_and_arrays(self) -> None:
        """Give plain arrays, as the names would not fit."""
        array, plain = made(values()), values()
        np.testing.assert_array_equal(array[array > 0.5], plain[plain > 0.5])
        np.testing.assert_array_equal(array[0, [1, 0]], plain[0, [1, 0]])
        assert array[None].shape == (1, *plain.shape)

    def test_iteration(self) -> None:
        """Over the first axis."""
        assert [part.axes for part in made(values())] == [AXES[1:]]
        assert len(made(values())) == 1

    def test_reads_no_more(self, tmp_path: Path) -> None:
        """Of a volume that would not fit into memory, a plane is read, of one chunk."""
        store = zarr.storage.LocalStore(tmp_path / "big.zarr")
        big = zarr.create_array(store, shape=(10**6, 512, 512), chunks=(1, 64, 64), dtype="uint16")
        big[5, :64, :64] = 7
        array = LabelledArray(big, ("z", "y", "x"))
        plane = array[5, 10:20, 10:20]
        assert isinstance(plane.data, StoredPart)
        assert plane.mean() == 7
        assert plane.data.chunks == (10, 10)
        assert ((array * 2)[5, :64, :64] == 14).all()

    def test_travels(self, tmp_path: Path) -> None:
        """To other processes."""
        for array in three_kinds(tmp_path).values():
            part = pickle.loads(pickle.dumps(array[0, 1]))
            np.testing.assert_array_equal(np.asarray(part), values()[0, 1])


class TestByName:
    """`isel` and `sel`."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_channels(self, tmp_path: Path, kind: str) -> None:
        """By name or number, one or several."""
        array, plain = three_kinds(tmp_path)[kind], values()
        np.testing.assert_array_equal(np.asarray(array.sel(channel="gfp")), plain[:, 1])
        swapped = array.sel(channel=["GFP", "DAPI"])
        np.testing.assert_array_equal(np.asarray(swapped), plain[:, ::-1])
        assert swapped.channel_names == ("GFP", "DAPI")
        with pytest.raises(ChannelError, match=r"2 channels \(DAPI, GFP\)"):
            array.sel(channel="mCherry")
        with pytest.raises(AxesError, match="the axes are y, x"):
            array[0, 0].sel(channel="DAPI")

    @pytest.mark.parametrize("kind", KINDS)
    def test_positions(self, tmp_path: Path, kind: str) -> None:
        """By axis, as xarray."""
        array = three_kinds(tmp_path)[kind]
        labelled = made(values()).to_xarray()
        for wanted in ({"y": 3}, {"x": slice(2, 7), "channel": 0}, {"y": [5, 1, 1]}):
            found, expected = array.isel(**wanted), labelled.isel(wanted)
            assert found.axes == expected.dims
            np.testing.assert_array_equal(np.asarray(found), expected)
        assert array.isel(c=0, b=0).axes == ("y", "x")
        with pytest.raises(AxesError, match="twice"):
            array.isel(c=0, channel=1)
        with pytest.raises(AxesError, match="no axis 'z': expected one of batch"):
            array.isel(z=0)

    @pytest.mark.parametrize("kind", [*KINDS, "lazy"])
    def test_masks(self, tmp_path: Path, kind: str) -> None:
        """Booleans select where they are true; numbers of numpy are numbers."""
        array, plain = (three_kinds(tmp_path) | {"lazy": three_kinds(tmp_path / "lazy")["zarr"] * 1})[kind], values()
        mask = plain[0, 0, :, 0] > 0.5
        for one in (mask, mask.tolist(), LabelledArray(mask, ("y",))):
            np.testing.assert_array_equal(np.asarray(array.isel(y=one)), plain[:, :, mask])
        np.testing.assert_array_equal(np.asarray(array.isel(channel=[False, True])), plain[:, [1]])
        assert array.isel(channel=[False, True]).channel_names == ("GFP",)
        assert array.isel(y=[]).sizes["y"] == 0
        assert array.isel(y=np.uint8(3), x=np.array(2)).axes == ("batch", "channel")
        np.testing.assert_array_equal(np.asarray(array.isel(y=range(3, 5))), plain[:, :, 3:5])

    @pytest.mark.parametrize("kind", [*KINDS, "lazy"])
    @pytest.mark.parametrize(
        "wrong",
        [1.0, [1.0, 2.0], True, np.True_, "3", None, [True, 1], {1, 2}, np.zeros((2, 2), int), np.ones((12, 1), bool), slice(0.5)],
        ids=str,
    )
    def test_no_positions(self, tmp_path: Path, kind: str, wrong: Any) -> None:
        """Of other types: one sentence with the axis and what is expected."""
        array = (three_kinds(tmp_path) | {"lazy": three_kinds(tmp_path / "lazy")["zarr"] * 1})[kind]
        with pytest.raises(InputError, match="axis 'y': expected an integer, a slice, a list of integers or 12 booleans, found"):
            array.isel(y=wrong)
        with pytest.raises(InputError, match=r"a mask of 3 booleans along axis 'y'.*12"):
            array.isel(y=[True] * 3)
        for beyond in (12, [0, 12], -13):
            with pytest.raises(IndexError, match="beyond the end of axis 'y', which has 12"):
                array.isel(y=beyond)


class TestXarray:
    """`to_xarray`."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_coordinates(self, tmp_path: Path, kind: str) -> None:
        """Channels, and positions of pixels with their units; lazy where pixels are in storage."""
        found = three_kinds(tmp_path)[kind].to_xarray()
        assert (found.chunks is None) == (kind == "memory")
        np.testing.assert_allclose(found["y"], 10 + 0.5 * np.arange(12))
        assert found["y"].attrs == {"units": "micrometer"}
        assert float(found.sel(channel="GFP", y=12.0)[0, 3]) == values()[0, 1, 4, 3]
        assert found.name == "cells"

    @pytest.mark.parametrize("kind", KINDS)
    def test_an_image_for_a_model(self, tmp_path: Path, kind: str) -> None:
        """Is the same image by both ways."""
        array = three_kinds(tmp_path)[kind]
        for source in (array, array.to_xarray(), array[:, :, 4:]):
            image = open_image(source)
            assert image.axes == AXES
            assert image.channel_names == ("DAPI", "GFP")
            assert image.pixel_size == {"y": (0.5, "micrometer"), "x": (0.5, "micrometer")}
            assert image.position == {"y": 10.0 if image.shape == array.shape else 12.0, "x": 0.0}
            part = image.read((slice(0, 1), slice(1, 2), slice(2, 5), slice(0, 9)))
            np.testing.assert_array_equal(part, values()[:, 1:, 12 - image.shape[2] :][:, :, 2:5])


@settings(max_examples=80, deadline=None)
@given(
    index=st.tuples(
        *[st.one_of(st.integers(-n, n - 1), st.slices(n)) for n in (6, 7)],
    ),
    again=st.slices(7),
)
def test_parts_of_parts(index: Any, again: slice) -> None:
    """Parts of what is stored are those of numpy, however they are nested."""
    plain = np.arange(42).reshape(6, 7)
    stored = zarr.create_array(zarr.storage.MemoryStore(), data=plain, chunks=(2, 3))
    found, expected = LabelledArray(stored, ("y", "x"))[index], plain[index]
    np.testing.assert_array_equal(np.asarray(found), expected)
    if np.ndim(expected):
        np.testing.assert_array_equal(np.asarray(found[again]), expected[again])
