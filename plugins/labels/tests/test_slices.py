"""Volumes that a network of two dimensions predicts slice by slice, with objects of the volume."""

from __future__ import annotations

import csv
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from scipy import ndimage

import bioimageio_core as bc
from bioimageio_core.demo.run import model_folder
from bioimageio_core.demo.synthetic import nuclei_block

PAGE = Path(__file__).parents[3] / "docs" / "objects.md"
OPTIONS: dict[str, Any] = {"postprocessing": "connected_components", "join_slices": {"z": 0.4}, "block": 192, "chunks": 96, "axes": "zyx"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``my-model`` and ``volume.zarr``: nuclei that move from slice to slice, and others after the third one."""
    folder = tmp_path_factory.mktemp("volume")
    shutil.copytree(model_folder(), folder / "my-model")
    slices = [nuclei_block(z // 3, 3 * z, 0, 256, 208)[0] for z in range(5)]
    zarr.create_array(str(folder / "volume.zarr"), data=np.stack(slices), chunks=(1, 128, 128), dimension_names=("z", "y", "x"))
    return folder


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> tuple[Any, bytes]:
    """Labels with axes z, y, x, and the table, of a run on threads in memory."""
    result = bc.predict(str(folder / "my-model"), str(folder / "volume.zarr"), table=str(folder / "undisturbed.csv"), **OPTIONS)
    return np.asarray(result["probability"])[:, 0, 0], (folder / "undisturbed.csv").read_bytes()


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Label in windows of one chunk."""
    monkeypatch.setattr("bioimageio_core.prediction.planning.plan_passes.LATE_ELEMENTS", 1)


def labels_of(output: Path) -> Any:
    return np.asarray(zarr.open_group(str(output), mode="r")["0"])


class TestVolume:
    """The same objects everywhere."""

    def test_objects(self, folder: Path, undisturbed: tuple[Any, bytes]) -> None:
        """Of single slices, those of the foreground; of the volume, chains of those that overlap by more than 40 %."""
        labels, table = undisturbed
        found = bc.predict(str(folder / "my-model"), str(folder / "volume.zarr"), axes="zyx")["probability"]
        foreground = np.asarray(found)[:, 0, 0] > 0.5
        np.testing.assert_array_equal(labels > 0, foreground)
        alone = [ndimage.label(s, np.ones((3, 3)))[0] for s in foreground]
        assert 20 < labels.max() < sum(s.max() for s in alone)
        for z, own in enumerate(alone):  # each object of a slice has one id, and no other object of this slice has it
            pairs = np.unique(np.stack([own[own > 0], labels[z][own > 0]]), axis=1)
            assert pairs.shape[1] == own.max() == np.unique(pairs[1]).size
        for z in range(4):
            for a in range(1, alone[z].max() + 1):
                here = alone[z] == a
                for b in np.unique(alone[z + 1][here]):
                    there = alone[z + 1] == b
                    overlap = np.count_nonzero(here & there) / np.count_nonzero(here | there)
                    if b and overlap > 0.5:  # then no other one can match
                        assert labels[z][here][0] == labels[z + 1][there][0]
                    elif b and overlap < 0.39:
                        assert labels[z][here][0] != labels[z + 1][there][0]
        rows = list(csv.DictReader(table.decode().splitlines()))
        assert [int(row["pixels"]) for row in rows] == np.bincount(labels.ravel())[1:].tolist()

    def test_processes(self, folder: Path, undisturbed: tuple[Any, bytes], tmp_path: Path) -> None:
        """The command, on two worker processes."""
        output, table = tmp_path / "o.zarr", tmp_path / "o.csv"
        done = subprocess.run([*command(folder, output, table), "--processes", "2"], capture_output=True, check=False, text=True)
        assert done.returncode == 0, done.stderr
        np.testing.assert_array_equal(labels_of(output), undisturbed[0])
        assert table.read_bytes() == undisturbed[1]

    def test_killed(self, folder: Path, undisturbed: tuple[Any, bytes], tmp_path: Path) -> None:
        """Killed at several moments and resumed, a run ends with the same labels and table."""
        output, table = tmp_path / "o.zarr", tmp_path / "o.csv"
        for moment in np.random.default_rng(0).uniform(0, 0.6, 5):
            process = subprocess.Popen([*command(folder, output, table), "--resume"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while process.poll() is None and not output.exists():
                time.sleep(0.01)
            time.sleep(moment)
            process.kill()
            process.communicate()
        done = subprocess.run([*command(folder, output, table), "--resume"], capture_output=True, check=False, text=True)
        assert done.returncode == 0, done.stderr
        np.testing.assert_array_equal(labels_of(output), undisturbed[0])
        assert table.read_bytes() == undisturbed[1]


def command(folder: Path, output: Path, table: Path) -> list[str]:
    """Return a command that predicts as `OPTIONS` say."""
    text = f"predict {folder}/my-model {folder}/volume.zarr -o {output} --table {table} --axes zyx --post connected_components"
    return [sys.executable, "-m", "bioimageio_core.cli", *shlex.split(f"{text} --join-slices z=0.4 --block 192 --chunks y=96,x=96")]


class TestPage:
    """The blocks of the page on objects that need this plugin."""

    def test_blocks_run(self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Those about slices do what the page says."""
        section = PAGE.read_text(encoding="utf-8").partition("## Volumes, slice by slice")[2].partition("\n## ")[0]
        console, python = re.findall(r"```(?:console|python)\n(.*?)```", section, re.DOTALL)
        monkeypatch.chdir(tmp_path)
        for name in ("my-model", "volume.zarr"):
            (tmp_path / name).symlink_to(folder / name)
        words = shlex.split(console.splitlines()[0].removeprefix("$ "))
        assert words[0] == "bmz"
        done = subprocess.run([sys.executable, "-m", "bioimageio_core.cli", *words[1:]], capture_output=True, check=False, text=True)
        assert done.returncode == 0, done.stderr
        names: dict[str, Any] = {}
        exec(compile(python, str(PAGE), "exec"), names)
        assert names["depth"].max() >= 2
        assert (tmp_path / "volume.csv").read_bytes() == (tmp_path / "nuclei.csv").read_bytes()
