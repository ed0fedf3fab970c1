"""The order of regions and the cache of chunks: how often each chunk is read."""

from __future__ import annotations

import itertools
from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from made_models import null_model

import bioimageio_core as bc
from bioimageio_core.prediction.planning.cache_policy import choose_caches
from bioimageio_core.prediction.planning.plan import CachePolicy
from bioimageio_core.prediction.planning.plan_json import plan_as_dict
from bioimageio_core.report.text.plan_text import plan_text

SIZE, CHUNK, CORE, HALO = 96, 8, 12, 4


class Chunked:
    """An array in chunks, which counts how often each is read."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.array = np.random.default_rng(0).integers(1, 255, shape).astype(np.uint8)
        self.shape, self.dtype, self.chunks = shape, self.array.dtype, (CHUNK,) * len(shape)
        self.reads: Counter[tuple[int, ...]] = Counter()

    def __getitem__(self, index: tuple[slice, ...]) -> Any:
        """Read chunks."""
        for key in itertools.product(*(range(s.start // CHUNK, -(-s.stop // CHUNK)) for s in index)):
            self.reads[key] += 1
        return self.array[index]


def predicted(folder: Path, axes: str, room: int) -> tuple[bc.Plan, Counter[tuple[int, ...]]]:
    """Predict a cube block by block, with this much memory for chunks; return the plan and how often each chunk was read."""
    array = Chunked((SIZE,) * len(axes))
    with bc.open_predictor(null_model(folder, axes, halo=HALO, step=4), block=dict.fromkeys(axes, CORE + 2 * HALO), workers=1) as predictor:
        plan = predictor.plan(array, axes=axes)
        regions = attrs.evolve(plan.regions, blocks_per_region=(1,) * len(plan.grids), brick=())
        regions, cache = choose_caches([(plan.inputs[0].bound, False)], regions, in_flight=1, room=room, reorder=True)
        plan = attrs.evolve(plan, regions=regions, cache=cache, in_flight=1)
        found = predictor.run(plan)
    np.testing.assert_array_equal(np.squeeze(found["out"].data), array.array)
    return plan, array.reads


class TestOrder:
    """Chunks are read once if they fit the budget, else regions are visited in bricks; the result is the same."""

    @pytest.mark.parametrize("axes", ["yx", "zyx"])
    def test_layers_fit(self, tmp_path: Path, axes: str) -> None:
        """Row by row, each chunk is read once, and the cache holds less than all of them."""
        room = SIZE ** (len(axes) - 1) * 4 * CHUNK
        plan, reads = predicted(tmp_path, axes, room)
        assert plan.regions.brick == ()
        assert 0 < plan.cache[0].limit <= room < SIZE ** len(axes)
        assert set(reads.values()) == {1}
        assert len(reads) == (SIZE // CHUNK) ** len(axes)

    def test_bricks(self, tmp_path: Path) -> None:
        """Less memory: bricks, of which only the sides are read more than once."""
        room = SIZE * 8 * CHUNK * 4 * CHUNK
        plan, reads = predicted(tmp_path, "zyx", room)
        assert plan.regions.brick[-3:] == (8, 4, 8)
        assert plan.cache == (CachePolicy(room),)
        assert set(reads.values()) == {1, 2}
        # Bricks of 48 rows with a halo of 4 before and behind: of chunks of 8 rows, the one on either side of the cut.
        assert {key[1] for key, n in reads.items() if n == 2} == {5, 6}

    def test_hardly_anything_fits(self, tmp_path: Path) -> None:
        """If the chunks of one region do not fit, none are cached, and each block reads its own."""
        plan, reads = predicted(tmp_path, "zyx", 20)
        assert plan.cache == (CachePolicy(),)
        touched = sum(
            prod(len(range(max(0, CORE * k - HALO) // CHUNK, -(-min(SIZE, CORE * (k + 1) + HALO) // CHUNK))) for k in block)
            for block in itertools.product(range(SIZE // CORE), repeat=3)
        )
        assert 0.9 * touched < sum(reads.values()) <= touched  # the chunk that was read last is there still

    def test_continued_runs_keep_the_order(self, tmp_path: Path) -> None:
        """A resumed run keeps the order of regions to which the markers refer, whatever fits now."""
        plan, _ = predicted(tmp_path, "zyx", SIZE * SIZE * 2 * CHUNK)
        regions, cache = choose_caches([(plan.inputs[0].bound, False)], plan.regions, in_flight=1, room=10**9, reorder=False)
        assert regions == plan.regions
        assert cache == plan.cache
        assert plan.choices.brick == plan.regions.brick

    def test_plans_say_it(self, tmp_path: Path) -> None:
        """The order is part of the plan, as text and as JSON."""
        plan, _ = predicted(tmp_path, "zyx", SIZE * 8 * CHUNK * 4 * CHUNK)
        assert plan_as_dict(plan)["regions_per_brick"] == [1, 1, 8, 4, 8]
        assert "in bricks of z 8, y 4, x 8 regions" in plan_text(plan)
