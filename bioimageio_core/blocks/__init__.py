"""Pure integer geometry of blocks: sizes, halo, grid, padding. No arrays, no files, no floats."""

from .grid import AxisGrid, strides, whole_axis, with_room_for_a_core
from .groups import AxisGroup, TiedAxis
from .padding import PadMode, Window, window
from .regions import RegionGrid, unravel
from .sizes import FixedSize, Size, SteppedSize
from .ties import AxisTie, tie_axes

__all__ = [
    "AxisGrid",
    "AxisGroup",
    "AxisTie",
    "FixedSize",
    "PadMode",
    "RegionGrid",
    "Size",
    "SteppedSize",
    "TiedAxis",
    "Window",
    "strides",
    "tie_axes",
    "unravel",
    "whole_axis",
    "window",
    "with_room_for_a_core",
]
