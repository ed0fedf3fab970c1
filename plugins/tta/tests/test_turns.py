"""The geometry of flips and quarter turns."""

from __future__ import annotations

import numpy as np
import pytest
from bioimageio_runtime_tta.turns import Turn, all_turns

CORNERS = np.array([[1, 2], [3, 4]])


class TestTurns:
    """Which there are."""

    @pytest.mark.parametrize(
        ("flips", "rotations", "expected"),
        [
            (("y", "x"), (), [[[1, 2], [3, 4]], [[3, 4], [1, 2]], [[2, 1], [4, 3]], [[4, 3], [2, 1]]]),
            ((), ("y", "x"), [[[1, 2], [3, 4]], [[2, 4], [1, 3]], [[4, 3], [2, 1]], [[3, 1], [4, 2]]]),
            (("x",), (), [[[1, 2], [3, 4]], [[2, 1], [4, 3]]]),
        ],
    )
    def test_squares(self, flips: tuple[str, ...], rotations: tuple[str, ...], expected: list[list[list[int]]]) -> None:
        """All ways to see a square, the one that changes nothing first."""
        found = [turn.apply(CORNERS, ("y", "x")).tolist() for turn in all_turns(flips, rotations)]
        assert found[0] == CORNERS.tolist()
        assert sorted(found) == sorted(expected)

    @pytest.mark.parametrize("flips", [("y", "x"), ("y",), ("x",)])
    def test_both(self, flips: tuple[str, ...]) -> None:
        """A square has eight symmetries, however they are made; none comes twice."""
        found = {str(turn.apply(CORNERS, ("y", "x")).tolist()) for turn in all_turns(flips, ("y", "x"))}
        assert len(found) == len(all_turns(flips, ("y", "x"))) == 8

    def test_three_axes(self) -> None:
        """A cuboid that is flipped along z as well has twice as many."""
        cube = np.arange(24).reshape(2, 3, 4)
        turns = all_turns(("z", "y", "x"), ("y", "x"))
        assert len({turn.apply(cube, ("z", "y", "x")).tobytes() for turn in turns}) == len(turns) == 16

    @pytest.mark.parametrize("axes", [("batch", "channel", "y", "x"), ("x", "batch", "y"), ("batch", "y"), ("batch", "channel")])
    def test_undo(self, axes: tuple[str, ...]) -> None:
        """Every turn can be turned back; axes that a tensor lacks make no difference."""
        tensor = np.random.default_rng(0).random([2, 3, 4, 5][: len(axes)])
        turns = all_turns(("y", "x"), ("y", "x") if {"y", "x"} <= {*axes} else ())
        for turn in turns:
            np.testing.assert_array_equal(turn.undo(turn.apply(tensor, axes), axes), tensor)
        assert turns[0] == Turn()
