"""Blocks along one axis, against numbers computed by hand."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimageio_core.blocks import (
    AxisGrid,
    AxisGroup,
    FixedSize,
    RegionGrid,
    Size,
    SteppedSize,
    TiedAxis,
    strides,
    whole_axis,
    with_room_for_a_core,
)
from bioimageio_core.errors import BlockError


def group(
    size: Size, *outputs: tuple[Fraction | int, int, int], inputs: tuple[tuple[Fraction | int, int], ...] = (), stride: int | None = None
) -> AxisGroup:
    """Return a group along y with ``(ratio, offset, halo)`` for each output."""
    return AxisGroup(
        size=size,
        inputs=(
            TiedAxis(tensor="in", axis="y"),
            *(TiedAxis(tensor=f"in{i}", axis="y", ratio=Fraction(r), offset=o) for i, (r, o) in enumerate(inputs)),
        ),
        outputs=tuple(TiedAxis(tensor=f"out{i}", axis="y", ratio=Fraction(r), offset=o, halo=h) for i, (r, o, h) in enumerate(outputs)),
        may_cut=True,
        network_stride=stride,
    )


class TestFixedSize:
    """A network that takes 512 pixels, with halo 32: the most common published model."""

    g = group(FixedSize(512), (1, 0, 32))

    def test_overlap(self) -> None:
        """512 = 32 + 448 + 32, and 448 is a multiple of 32."""
        assert (self.g.granularity, self.g.left, self.g.right) == (32, 32, 32)
        assert next(strides(self.g, largest_block=512)) == 448

    @pytest.mark.parametrize(("size", "count"), [(1, 1), (448, 1), (449, 2), (512, 2), (515, 2), (8192, 19)])
    def test_count(self, size: int, count: int) -> None:
        """ceil(N / 448) blocks."""
        assert AxisGrid(group=self.g, image_size=size, stride=448).count == count

    def test_positions(self) -> None:
        """The last of three blocks of 1000 pixels keeps 896..1000 and is not shifted."""
        grid = AxisGrid(group=self.g, image_size=1000, stride=448)
        out = self.g.outputs[0]
        assert [grid.start(k) for k in range(3)] == [-32, 416, 864]
        assert [grid.block_size(k) for k in range(3)] == [512, 512, 512]
        assert [grid.core(k, out) for k in range(3)] == [(0, 448), (448, 896), (896, 1000)]
        assert grid.crop(out) == 32

    def test_small_fixed_size_reduces_the_granularity(self) -> None:
        """A block of 64 with halo 20 has 24 pixels left: the guess of 32 becomes 16."""
        g = with_room_for_a_core(group(FixedSize(64), (1, 0, 20)))
        assert g.granularity == 16
        assert list(strides(g, largest_block=64)) == [16]

    def test_no_core(self) -> None:
        """A halo that eats the block is an error that says so."""
        with pytest.raises(BlockError, match="nothing is left to keep"):
            with_room_for_a_core(group(FixedSize(64), (1, 0, 32)))


class TestSteppedSize:
    """Sizes 32 + 16 n with halo 20: the halo is rounded up to the step, so that phases agree."""

    g = group(SteppedSize(32, 16), (1, 0, 20))

    def test_overlap(self) -> None:
        """20 pixels before become 32, behind they stay 20."""
        assert (self.g.left, self.g.right) == (32, 20)

    def test_edge_block_is_smaller(self) -> None:
        """100 pixels at stride 64: blocks of 64+52=116 -> 128 and 36+52=88 -> 96."""
        grid = AxisGrid(group=self.g, image_size=100, stride=64)
        assert [grid.block_size(k) for k in range(grid.count)] == [128, 96]

    def test_strides_fit_the_block(self) -> None:
        """A block of at most 128 leaves 76 for the core: strides 64, 48, 32, 16."""
        assert list(strides(self.g, largest_block=130)) == [64, 48, 32, 16]

    def test_strides_fit_chunks(self) -> None:
        """Chunks of 32: strides that are multiples or divisors."""
        assert list(strides(self.g, largest_block=130, chunks=(32,))) == [64, 32, 16]

    def test_known_network_stride(self) -> None:
        """A measured stride of 4 replaces the step."""
        g = group(SteppedSize(32, 16), (1, 0, 20), stride=4)
        assert (g.granularity, g.left) == (4, 20)

    def test_one_pixel(self) -> None:
        """One pixel is padded to the smallest valid size that covers the halo."""
        grid = whole_axis(self.g, 1)
        assert (grid.count, grid.block_size(0), grid.core(0, self.g.outputs[0])) == (1, 64, (0, 1))


class TestScaledOutputs:
    """Outputs of other scale."""

    def test_half_resolution(self) -> None:
        """Ratio 1/2, halo 3: six input pixels, rounded up to the step of 4."""
        g = group(SteppedSize(8, 4), (Fraction(1, 2), 0, 3))
        assert (g.granularity, g.left, g.right) == (4, 8, 6)
        grid = AxisGrid(group=g, image_size=21, stride=8)
        assert grid.output_size(g.outputs[0]) == 10
        assert [grid.core(k, g.outputs[0]) for k in range(grid.count)] == [(0, 4), (4, 8), (8, 10)]
        assert grid.crop(g.outputs[0]) == 4

    def test_four_times_larger(self) -> None:
        """Ratio 4 without halo: cores are four times the stride."""
        g = group(SteppedSize(5, 5), (4, 0, 0))
        grid = AxisGrid(group=g, image_size=13, stride=10)
        assert [grid.core(k, g.outputs[0]) for k in range(grid.count)] == [(0, 40), (40, 52)]
        assert [grid.block_size(k) for k in range(grid.count)] == [10, 5]

    def test_mixed_ratios_and_halos(self) -> None:
        """Ratio 1 with halo 2 and ratio 1/8 with halo 1: eight pixels are read before the core."""
        g = group(SteppedSize(16, 1), (1, 0, 2), (Fraction(1, 8), 0, 1))
        assert (g.granularity, g.left, g.right) == (8, 8, 8)

    def test_second_input_at_half_size(self) -> None:
        """A tied input reads its own window."""
        g = group(SteppedSize(16, 2), (1, 0, 2), inputs=((Fraction(1, 2), 0),))
        grid = AxisGrid(group=g, image_size=64, stride=16)
        assert grid.input_window(1, g.inputs[0]) == (14, 20)
        assert grid.input_window(1, g.inputs[1]) == (7, 10)


class TestOffsets:
    """Valid convolutions shrink, transposed ones grow."""

    def test_valid_convolution(self) -> None:
        """Offset -4: output 96 of 100; the block behind the last output pixel is not needed."""
        g = group(SteppedSize(8, 1), (1, -4, 0))
        grid = AxisGrid(group=g, image_size=66, stride=32)
        out = g.outputs[0]
        assert (g.left, g.right, grid.output_size(out), grid.count) == (0, 4, 62, 2)
        assert [grid.core(k, out) for k in range(2)] == [(0, 32), (32, 62)]
        assert [grid.block_size(k) for k in range(2)] == [36, 34]

    def test_last_block_is_empty_without_it(self) -> None:
        """64 + 2 pixels with offset -4 give 62: two blocks of 32, not three."""
        g = group(FixedSize(36), (1, -4, 0), stride=1)
        assert AxisGrid(group=g, image_size=66, stride=32).count == 2

    def test_growing(self) -> None:
        """Offset +4: the last core takes the extra pixels."""
        g = group(SteppedSize(8, 1), (1, 4, 0))
        grid = AxisGrid(group=g, image_size=40, stride=32)
        assert [grid.core(k, g.outputs[0]) for k in range(2)] == [(0, 32), (32, 44)]

    def test_too_small(self) -> None:
        """The error says the least size."""
        with pytest.raises(BlockError, match="at least 5 pixels"):
            whole_axis(group(SteppedSize(8, 1), (1, -4, 0)), 3)


sizes = st.one_of(
    st.builds(SteppedSize, st.integers(1, 40), st.integers(1, 16)),
    st.builds(FixedSize, st.integers(16, 128)),
)
outputs = st.lists(
    st.tuples(
        st.sampled_from([Fraction(1), Fraction(2), Fraction(4), Fraction(1, 2), Fraction(1, 8), Fraction(3, 2)]),
        st.integers(-8, 8),
        st.integers(0, 9),
    ),
    min_size=1,
    max_size=3,
)


more_inputs = st.lists(st.sampled_from([Fraction(1), Fraction(2), Fraction(1, 2), Fraction(1, 4)]), max_size=2)


class TestLaws:
    """What holds for every model."""

    @settings(max_examples=300)
    @given(size=sizes, outs=outputs, ratios=more_inputs, image=st.integers(1, 400), pick=st.integers(0, 1000))
    def test_cores_partition_every_output(
        self, size: Size, outs: list[tuple[Fraction, int, int]], ratios: list[Fraction], image: int, pick: int
    ) -> None:
        """Cores follow each other without gap or overlap, are covered by their block's trusted output, and origins lie on the grid.

        Every input is read at the same place, in its own pixels.
        """
        g = group(size, *outs, inputs=tuple((r, 0) for r in ratios))
        try:
            g.check(image)
            if isinstance(size, FixedSize):
                g = with_room_for_a_core(g)
        except BlockError:
            return
        largest = size.value if isinstance(size, FixedSize) else size.min + 40 * size.step + g.left + g.right
        found = list(strides(g, largest_block=largest))
        if not found:
            return
        grid = AxisGrid(group=g, image_size=image, stride=found[pick % len(found)])
        for out in g.outputs:
            cores = [grid.core(k, out) for k in range(grid.count)]
            assert cores[0][0] == 0
            assert cores[-1][1] == grid.output_size(out)
            assert all(a[1] == b[0] for a, b in itertools.pairwise(cores))
            for k, (start, stop) in enumerate(cores):
                if start == stop:
                    continue
                given = out.size(grid.block_size(k))
                first = grid.crop(out)
                assert first >= out.halo or out.halo == 0
                assert first + (stop - start) <= given - out.halo
                assert (grid.start(k) + g.left) % g.granularity == 0
        for k in range(grid.count):
            for tied in g.inputs:
                start, length = grid.input_window(k, tied)
                assert Fraction(start) == grid.start(k) * tied.ratio
                assert length == int(grid.block_size(k) * tied.ratio)
            assert size.smallest(grid.block_size(k)) == grid.block_size(k)

    @given(
        counts=st.lists(st.tuples(st.integers(1, 30), st.integers(1, 7), st.integers(1, 9)), min_size=1, max_size=3), bricks=st.booleans()
    )
    def test_regions_hold_every_block_once(self, counts: list[tuple[int, int, int]], bricks: bool) -> None:
        """Regions partition the blocks, in whatever order they are visited."""
        grids = tuple(AxisGrid(group=group(SteppedSize(1, 1), (1, 0, 0)), image_size=n, stride=1) for n, _, _ in counts)
        brick = tuple(s for _, _, s in counts) if bricks else ()
        regions = RegionGrid(grids=grids, blocks_per_region=tuple(b for _, b, _ in counts), brick=brick)
        blocks = [block for r in range(regions.count) for block in regions.blocks(r)]
        assert len(blocks) == len(set(blocks)) == regions.block_count
        assert regions.count == len({tuple(i // n for i, n in zip(b, regions.blocks_per_region, strict=True)) for b in blocks})
        assert ceil(counts[0][0] / counts[0][1]) == regions.shape[0]
        assert [regions.number(regions.position(r)) for r in range(regions.count)] == list(range(regions.count))
        before = list(itertools.accumulate((len(list(regions.blocks(r))) for r in range(regions.count)), initial=0))
        assert [regions.blocks_before(r) for r in range(regions.count + 1)] == before

    def test_bricks_row_by_row(self) -> None:
        """The picture of `RegionGrid`: a brick is done before the next, and those at the end are smaller."""
        grids = tuple(AxisGrid(group=group(SteppedSize(1, 1), (1, 0, 0)), image_size=n, stride=1) for n in (3, 5))
        regions = RegionGrid(grids=grids, blocks_per_region=(1, 1), brick=(2, 3))
        order = [[0, 1, 2, 6, 7], [3, 4, 5, 8, 9], [10, 11, 12, 13, 14]]
        assert [regions.position(n) for n in range(15)] == [
            next((y, x) for y in range(3) for x in range(5) if order[y][x] == n) for n in range(15)
        ]

    @given(counts=st.lists(st.integers(1, 12), min_size=1, max_size=4))
    def test_row_by_row(self, counts: list[int]) -> None:
        """Without bricks, regions are numbered as numpy does."""
        grids = tuple(AxisGrid(group=group(SteppedSize(1, 1), (1, 0, 0)), image_size=n, stride=1) for n in counts)
        regions = RegionGrid(grids=grids, blocks_per_region=(1,) * len(counts))
        assert [regions.position(n) for n in range(regions.count)] == list(itertools.product(*map(range, counts)))
