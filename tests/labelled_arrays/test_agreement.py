"""Arrays are calculated with pixel by pixel only if their channels and pixels are the same, where these are known."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from labelled_arrays.stored_arrays import NAMES, made, values

from bioimageio_core import LabelledArray
from bioimageio_core.errors import AxesError, ChannelError
from bioimageio_core.typing import FrozenMapping


def test_channels() -> None:
    """Differ by name or order: refused, with both and what to write."""
    array = made(values())
    with pytest.raises(ChannelError, match=r"\(DAPI, GFP\) and \(GFP, DAPI\).*sel\(channel.*np\.asarray\(other\)"):
        array + array.sel(channel=["GFP", "DAPI"])
    found = array + np.asarray(array.sel(channel=["GFP", "DAPI"]))
    np.testing.assert_array_equal(found.data, values() + values()[:, ::-1])
    assert (array - array.mean("channel", keepdims=True)).channel_names == NAMES


@pytest.mark.parametrize("unit", ["micrometer", None])
def test_pixel_sizes(unit: str | None) -> None:
    """Differ along an axis: refused."""
    array = made(values())
    other = attrs.evolve(array, pixel_size={"y": (0.25, unit)})
    with pytest.raises(AxesError, match=r"pixel sizes along axis 'y', 0\.5 micrometer and 0\.25.*np\.asarray"):
        array * other


def test_positions() -> None:
    """Differ by more than rounding: refused."""
    array = made(values())
    with pytest.raises(AxesError, match="positions along axis 'y', 10 and 12"):
        array - attrs.evolve(array, position={"y": 12.0})
    assert (array - attrs.evolve(array, position={"y": 10.0 + 1e-9, "x": 1e-9})).position == array.position


def test_what_is_not_known() -> None:
    """Is taken from the array that knows it, in one unit."""
    plain = LabelledArray(values(), made(values()).axes)
    for found in (plain + made(values()), made(values()) + plain):
        assert found.axis_metadata == made(values()).axis_metadata
    small = attrs.evolve(made(values()), pixel_size=FrozenMapping(y=(500.0, "nanometer")), position={"y": 10_000.0})
    sizes = LabelledArray(values(), plain.axes, pixel_size={"y": (0.5, "micrometer")})
    assert (sizes + small).position == {"y": 10.0}
    assert (sizes + small).pixel_size == {"y": (0.5, "micrometer")}


def test_kept_axes_of_reductions() -> None:
    """Are one pixel, whose size is not that of the pixels before."""
    kept = made(values()).mean("y", keepdims=True)
    assert "y" not in kept.pixel_size
    assert "y" not in kept.position
    assert kept.pixel_size["x"] == (0.5, "micrometer")
    assert made(values()).max(keepdims=True).pixel_size == {}


def test_axes_of_one_name() -> None:
    """Are refused when the array is made."""
    with pytest.raises(AxesError, match="different names: found 'y', 'y'"):
        LabelledArray(np.zeros((2, 2)), ("y", "y"))
