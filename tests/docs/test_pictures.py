"""The pictures of the documentation are those that their script draws, and show what the text says."""

from __future__ import annotations

import runpy
from pathlib import Path

import draw_rooms
import pytest

DOCS = Path(__file__).parents[2] / "docs"
SCRIPT = runpy.run_path(str(DOCS / "draw_blocks.py"))
PICTURES = SCRIPT["PICTURES"]


class TestRooms:
    """docs/draw_rooms.py."""

    def test_up_to_date(self) -> None:
        """What is kept is what the imports in the code give; run ``python docs/draw_rooms.py`` if not."""
        assert draw_rooms.PICTURE.read_text(encoding="utf-8") == draw_rooms.picture()

    def test_levels_and_direct_imports(self) -> None:
        """a imports b and c, b imports c: c is at the bottom, and the import of c by a is left out, since the one by b stands for it."""
        graph = {"made": {"made.a"}, "made.a": {"made.b.x", "made.c"}, "made.b": set(), "made.b.x": {"made.c", "made.b"}, "made.c": set()}
        rooms = draw_rooms.rooms_of("made", graph)
        assert rooms == {"a": {"b", "c"}, "b": {"c"}, "c": set()}
        assert draw_rooms.levels(rooms) == {"a": 2, "b": 1, "c": 0}
        assert draw_rooms.direct(rooms) == [("a", "b"), ("b", "c")]


class TestPictures:
    """docs/draw_blocks.py."""

    @pytest.mark.parametrize("name", PICTURES)
    def test_up_to_date(self, name: str) -> None:
        """What is kept is what the script draws now; run ``python docs/draw_blocks.py`` if it is not."""
        assert (DOCS / "_static" / name).read_text(encoding="utf-8") == SCRIPT["draw"](PICTURES[name]())

    def test_half_size(self) -> None:
        """The worked example: g 16, p 16, q 24, blocks of 112 at -16, 48 and 112, and an output of 96 pixels."""
        grid = SCRIPT["half_grid"]()
        group = grid.group
        (output,) = group.outputs
        assert (group.granularity, group.left, group.right) == (16, 16, 24)
        assert [(grid.start(k), grid.block_size(k)) for k in range(grid.count)] == [(-16, 112), (48, 112), (112, 112)]
        assert [grid.core(k, output) for k in range(grid.count)] == [(0, 32), (32, 64), (64, 96)]
        assert grid.output_size(output) == 96

    def test_small_image(self) -> None:
        """300 pixels in one block of 512, 32 of padding before and 180 behind."""
        grid = SCRIPT["small_image"]()
        assert (grid.count, grid.start(0), grid.start(0) + grid.block_size(0)) == (1, -32, 480)
        assert 480 - 300 == 180
