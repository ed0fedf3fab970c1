"""Outputs that several processes open at the same time, and outputs on disks that are read-only or full."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from made_models import pointwise_model
from own_mounts import READ_ONLY, disk_folder, in_own_mounts

import bioimageio_core as bc
from bioimageio_core.errors import OutputError
from bioimageio_core.prediction.output.open_output import open_output
from bioimageio_core.prediction.output.run_identity import run_identity

IMAGE = np.random.default_rng(0).random((40, 30), dtype=np.float32)


class TestAtOnce:
    """Processes that begin a run at the same time: both found no output, and one creates it first."""

    def opened(self, folder: Path, **options: Any) -> Any:
        """Open the output of a run as a process does that found none before."""
        (folder / "model").mkdir(exist_ok=True)
        predictor = bc.open_predictor(pointwise_model(folder / "model", gain=2.0), axes="yx")
        plan = predictor.plan(IMAGE)
        record = {"identity": run_identity(plan, predictor.model), "choices": plan.choices.as_dict()}
        return open_output(plan, str(folder / "o.zarr"), record, overwrite=False, continued=False, **options)

    def test_joins(self, tmp_path: Path) -> None:
        """Shards, and processes that resume, continue the run of the first one; others are refused."""
        first = self.opened(tmp_path, joins=False)
        second = self.opened(tmp_path, joins=True)
        assert second.state.run_id == first.state.run_id != ""
        with pytest.raises(OutputError, match="exists and is incomplete"):
            self.opened(tmp_path, joins=False)

    def test_resumes_what_was_completed_meanwhile(self, tmp_path: Path) -> None:
        """The output is opened as it is."""
        bc.predict(pointwise_model(tmp_path, gain=2.0), IMAGE, tmp_path / "o.zarr", axes="yx", ome="none")
        assert not self.opened(tmp_path, joins=True).state.goes_on()


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A folder to mount."""
    return disk_folder(tmp_path)


def command(folder: Path, image: Any, *options: str) -> list[str]:
    """Return the command that predicts an image, both made in a folder."""
    (folder / "model").mkdir()
    model = pointwise_model(folder / "model", gain=2.0)
    np.save(folder / "x.npy", image)
    return [sys.executable, "-m", "bioimageio_core.cli", "predict", str(model), str(folder / "x.npy"), "--axes", "yx", *options]


class TestReadOnly:
    """Disks that cannot be written."""

    def test_complete_output(self, tmp_path: Path, disk: Path) -> None:
        """Resuming a complete output changes nothing, and succeeds; overwriting it is refused in one line."""
        bmz = command(tmp_path, IMAGE, "-o", str(disk / "o.zarr"))
        model = tmp_path / "model"
        bc.predict(model, tmp_path / "x.npy", disk / "o.zarr", axes="yx", resume=True)
        done = in_own_mounts(READ_ONLY, str(disk), *bmz, "--resume")
        assert (done.returncode, done.stderr) == (0, "")
        assert "already complete" in done.stdout
        refused = in_own_mounts(READ_ONLY, str(disk), *bmz, "--overwrite")
        assert refused.returncode == 2
        assert "Read-only file system" in refused.stderr
        assert bc.predict(model, tmp_path / "x.npy", disk / "o.zarr", axes="yx", resume=True).finished


FULL = """
mount -t tmpfs -o size="$1" full "$0" || exit 1
shift
"$@" && exit 1
cp -r "$0" "$0-before"
mount -o remount,size=20M "$0" && "$@" && cp -r "$0/." "$0-after"
"""


class TestFullDisk:
    """Disks that are full before the output is complete."""

    @pytest.mark.parametrize("size", ["4k", "40k"])  # too small for metadata, for chunks
    def test_resumes(self, tmp_path: Path, disk: Path, size: str) -> None:
        """The one line says why and advises --resume, which completes the output after the disk got larger."""
        image = np.random.default_rng(1).random((200, 200), dtype=np.float32)
        bmz = command(tmp_path, image, "--block", "y=40,x=40", "-o", str(disk / "o.zarr"), "--resume")
        done = in_own_mounts(FULL, str(disk), size, *bmz)
        assert done.returncode == 0, done.stderr
        (line,) = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
        assert line.endswith("the disk or quota is full; free some space, then continue with --resume")
        assert (tmp_path / "disk-before" / "o.zarr" / ".bmz-unfinished.json").exists()
        found = zarr.open_group(str(tmp_path / "disk-after" / "o.zarr"), mode="r")["0"]
        np.testing.assert_array_equal(found[0], 2 * image)
