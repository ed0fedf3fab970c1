"""Draw the diagrams of blocks.md from the geometry that plans are made of: ``python docs/draw_blocks.py``."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from bioimageio_core.blocks import AxisGrid, AxisGroup, FixedSize, SteppedSize, TiedAxis, whole_axis

HERE = Path(__file__).parent / "_static"
WIDTH, MARGIN, ROW = 760, 60, 26
CORE, OVERLAP, PADDING = "#2f6f9f", "#a9cbe3", "#e9c46a"


def fixed_grid() -> AxisGrid:
    """Return 1200 pixels in blocks of 512 with a halo of 32."""
    group = AxisGroup(
        size=FixedSize(512),
        inputs=(TiedAxis(tensor="raw", axis="y"),),
        outputs=(TiedAxis(tensor="probability", axis="y", halo=32),),
        may_cut=True,
    )
    return AxisGrid(group=group, image_size=1200, stride=448)


def half_grid() -> AxisGrid:
    """Return 200 pixels in blocks of 64 + 16 n, for an output of half the size that loses 4 pixels."""
    output = TiedAxis(tensor="probability", axis="y", ratio=Fraction(1, 2), offset=-4, halo=8)
    group = AxisGroup(size=SteppedSize(64, 16), inputs=(TiedAxis(tensor="raw", axis="y"),), outputs=(output,), may_cut=True)
    return AxisGrid(group=group, image_size=200, stride=64)


def small_image() -> AxisGrid:
    """Return 300 pixels, which a block of 512 with a halo of 32 covers."""
    return whole_axis(fixed_grid().group, 300)


def draw(grid: AxisGrid) -> str:
    """Return an SVG picture: the image, what each block reads, and its core."""
    left = min(grid.start(0), 0)
    right = max(grid.image_size, *(grid.start(k) + grid.block_size(k) for k in range(grid.count)))
    scale = (WIDTH - 2 * MARGIN) / (right - left)
    height = ROW * (grid.count + 3)

    def at(pixel: int) -> float:
        return round(MARGIN + (pixel - left) * scale, 1)

    def bar(start: int, stop: int, row: int, colour: str) -> str:
        return f'<rect x="{at(start)}" y="{row * ROW + 4}" width="{round(at(stop) - at(start), 1)}" height="{ROW - 8}" fill="{colour}"/>'

    def word(x: float, row: int, text: object, colour: str = "#333", anchor: str = "middle") -> str:
        return f'<text x="{x}" y="{row * ROW + 17}" fill="{colour}" text-anchor="{anchor}">{text}</text>'

    parts = [bar(0, grid.image_size, 0, "#ccc"), word(at(grid.image_size // 2), 0, f"image, {grid.image_size} pixels")]
    for k in range(grid.count):
        start, stop = grid.start(k), grid.start(k) + grid.block_size(k)
        core = (k * grid.stride, min((k + 1) * grid.stride, grid.extent))
        parts += [
            bar(start, stop, k + 1, PADDING),
            bar(max(start, 0), min(stop, grid.image_size), k + 1, OVERLAP),
            bar(*core, k + 1, CORE),
            word(at(sum(core) // 2), k + 1, core[1] - core[0], "#fff"),
            word(at(start) - 6, k + 1, start, anchor="end"),
            word(at(stop) + 6, k + 1, stop, anchor="start"),
        ]
    legend = grid.count + 1.5
    for n, (colour, text) in enumerate([(CORE, "core: kept"), (OVERLAP, "overlap: read, not kept"), (PADDING, "padding")]):
        x = MARGIN + n * 220
        parts.append(f'<rect x="{x}" y="{legend * ROW + 4}" width="18" height="{ROW - 8}" fill="{colour}"/>')
        parts.append(word(x + 26, legend, text, anchor="start"))  # type: ignore[arg-type]
    frame = f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">\n'
        + "\n".join([frame, *parts])
        + "\n</svg>\n"
    )


PICTURES = {"blocks_fixed.svg": fixed_grid, "blocks_half.svg": half_grid, "blocks_small.svg": small_image}
"""File and the grid that it shows."""


def main() -> None:
    """Write the pictures."""
    HERE.mkdir(exist_ok=True)
    for name, grid in PICTURES.items():
        (HERE / name).write_text(draw(grid()), encoding="utf-8")


if __name__ == "__main__":
    main()
