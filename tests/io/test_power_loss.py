"""Outputs after a loss of power at any moment: what counts as done is there, and the rest can be written again."""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_disk import RecordedDisk, recorded_disk

from bioimageio_core.io import ArraySpec, OutputStore, RunState, continue_output, create_output, run_of_output
from bioimageio_core.io.writing.output_store import run_id_of_output

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the record names open files by /proc")

ROWS = 3
SPECS = [
    ArraySpec(name="a", shape=(ROWS, 8), dtype="uint8", axes=("y", "x"), chunks=(1, 4)),
    ArraySpec(name="b/0", shape=(ROWS, 8), dtype="uint8", axes=("y", "x"), chunks=(1, 4), shards=(1, 8), zarr_format=3),
    ArraySpec(name="c", shape=(ROWS, 8), dtype="uint8", axes=("y", "x"), chunks=(1, 4), zarr_format=2),
]
DATA = np.arange(1, ROWS * 8 + 1, dtype=np.uint8).reshape(ROWS, 8)
ATTRIBUTES = {"bioimageio_core": {"run": {"identity": 1}}}


def write_rows(store: OutputStore, rows: list[int]) -> None:
    """Write rows, as tasks of a run do."""
    assert store.run is not None
    for row in rows:
        for spec in SPECS:
            store.write(spec.name, (row, 0), DATA[row : row + 1])
        store.run.mark_when_synced("rows", row)


def complete(store: OutputStore) -> None:
    """Complete an output, as the end of a run does."""
    assert store.run is not None
    store.run.sync()
    store.finish(ATTRIBUTES)


def rows_are_there(location: str, rows: list[int]) -> bool:
    """Return whether the rows of all arrays are what was written."""
    store = OutputStore(location)
    return all(np.array_equal(store.read(spec.name, (slice(r, r + 1), slice(None))), DATA[r : r + 1]) for spec in SPECS for r in rows)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> RecordedDisk:
    """The record of a run that nothing disturbed."""
    disk = tmp_path_factory.mktemp("disk")
    with recorded_disk(disk) as found:
        store = create_output(str(disk / "o.zarr"), SPECS, run={"identity": 1})
        write_rows(store, list(range(ROWS)))
        complete(store)
    assert rows_are_there(str(disk / "o.zarr"), list(range(ROWS)))
    return found


@given(number=st.integers(0, 10_000), seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_a_loss_of_power(record: RecordedDisk, number: int, seed: int) -> None:
    """Whatever else the system happened to write: marked rows are complete, a complete output has all, and another run adds the rest."""
    cut, chance = number % (len(record.synced) + 1), random.Random(seed)
    present = sorted(record.written[cut - 1]) if cut else []
    lucky = frozenset(chance.sample(present, chance.randint(0, len(present))))
    folder = Path(tempfile.mkdtemp())
    try:
        record.restore(cut, folder, lucky=lucky)
        location = str(folder / "o.zarr")
        finished, run = run_of_output(location)
        if finished:
            assert rows_are_there(location, list(range(ROWS)))
            OutputStore(location).tidy()
        elif run is not None:
            store = continue_output(location, SPECS)
            done = RunState(location, run_id_of_output(location)).done("rows", ROWS)
            assert rows_are_there(location, [r for r in range(ROWS) if done[r]])
            write_rows(store, [r for r in range(ROWS) if not done[r]])
            complete(store)
            assert rows_are_there(location, list(range(ROWS)))
        if run is not None:
            assert not list((folder / "o.zarr").glob(".bmz*"))
        assert cut < len(record.synced) or finished
    finally:
        shutil.rmtree(folder)


def test_empty_markers(tmp_path: Path) -> None:
    """A marker without content is what a loss of power leaves of one: its task is not done."""
    state = RunState(str(tmp_path))
    for task in range(3):
        state.mark("rows", task)
    (tmp_path / ".bmz-run" / "rows" / "0" / "1").write_bytes(b"")
    assert list(state.done("rows", 3)) == [1, 0, 1]
