"""What a window knows of its labels, in numbers computed by hand and by plain numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from bioimageio_core.objects import numbered, window_objects

INTEGERS = ("bool", "uint8", "int8", "uint16", "int32", "uint32", "int64", "uint64")


@st.composite
def label_arrays(draw: st.DrawFn) -> NDArray[Any]:
    """Draw labels from 0 of any integer dtype, up to its greatest value, of any shape."""
    dtype = np.dtype(draw(st.sampled_from(INTEGERS)))
    greatest = 1 if dtype.kind == "b" else int(np.iinfo(dtype).max)
    some = draw(st.lists(st.integers(0, greatest), min_size=1, max_size=6))
    shape = draw(hnp.array_shapes(max_dims=4, max_side=5, min_side=0))
    return draw(hnp.arrays(dtype, shape, elements=st.sampled_from([False, True] if dtype.kind == "b" else [0, *some])))


class TestNumbered:
    """Labels from 1 in the order of their first pixels."""

    @given(label_arrays())
    def test_any_integers(self, labels: NDArray[Any]) -> None:
        """Any dtype and any shape, also an empty one, in any memory order; each label once."""
        order = list(dict.fromkeys(value for value in labels.reshape(-1).tolist() if value))
        for array in (labels, np.asfortranarray(labels)):
            found, count = numbered(array)
            assert (found.dtype, found.shape, count) == (np.uint32, labels.shape, len(order))
            expected = [order.index(value) + 1 if value else 0 for value in labels.reshape(-1).tolist()]
            assert found.reshape(-1).tolist() == expected

    def test_what_is_no_label(self) -> None:
        """Negative numbers and fractions are refused."""
        with pytest.raises(ValueError, match="-3"):
            numbered(np.array([0, 5, -3], np.int16))
        with pytest.raises(TypeError, match="float32"):
            numbered(np.zeros(3, np.float32))


class TestWindowObjects:
    """A window of 4 x 6 pixels at (10, 20) of a tensor of 100 x 50, with a core of 2 x 4 pixels."""

    LABELS = np.array(
        [
            [0, 1, 0, 0, 0, 0],
            [0, 1, 0, 2, 2, 2],
            [0, 0, 0, 2, 0, 0],
            [3, 0, 0, 4, 0, 0],
        ],
        np.uint32,
    )

    def facts(self, rule: Any, **changes: Any) -> dict[str, list[int]]:
        given = {"count": 4, "start": (10, 20), "core": ((11, 21), (13, 25)), "shape": (100, 50), **changes}
        objects = window_objects(self.LABELS, rule=rule, **given)
        assert objects.count == 4
        return {name: getattr(objects, name).tolist() for name in ("pixels", "first", "owned", "cut")}

    @pytest.mark.parametrize("rule", ["touch", "overlap"])
    def test_joined(self, rule: Any) -> None:
        """Pixels and first pixels are those in the core; a label without any is not owned."""
        assert self.facts(rule) == {
            "pixels": [1, 3, 0, 0],
            "first": [11 * 50 + 21, 11 * 50 + 23, -1, -1],
            "owned": [True, True, False, False],
            "cut": [True, True, True, True],
        }

    def test_owner(self) -> None:
        """Pixels and first pixels are those in the window; owned is what has its centre in the core, rounded down."""
        assert self.facts("owner") == {
            "pixels": [2, 4, 1, 1],
            "first": [10 * 50 + 21, 11 * 50 + 23, 13 * 50 + 20, 13 * 50 + 23],
            "owned": [False, True, False, False],  # centres: (10, 21), (11, 24), (13, 20), (13, 23)
            "cut": [True, True, True, True],
        }

    def test_ends_of_the_tensor(self) -> None:
        """No label is cut where the tensor ends, or where there is no halo."""
        assert self.facts("touch", start=(0, 20), core=((1, 21), (3, 25)))["cut"] == [False, True, True, True]
        assert self.facts("touch", shape=(14, 26))["cut"] == [True, False, True, False]
        assert self.facts("touch", core=((10, 20), (14, 26)))["cut"] == [False] * 4

    def test_a_label_without_pixels(self) -> None:
        """It has no first pixel, and nothing owns it."""
        objects = window_objects(
            np.zeros((1, 2, 3), np.uint32), count=1, start=(0, 0, 0), core=((0, 0, 0), (1, 2, 3)), shape=(1, 2, 3), rule="owner"
        )
        assert (objects.pixels[0], objects.first[0], objects.owned[0], objects.cut[0]) == (0, -1, False, False)
