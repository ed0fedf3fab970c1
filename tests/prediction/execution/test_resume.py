"""Interrupted and resumed runs, and runs that several processes share."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from made_models import box_model
from run_markers import done_regions

import bioimageio_core as bc
from bioimageio_core.errors import InputError, OutputError

SCRIPT = Path(__file__).with_name("interrupted.py")
BLOCKS: dict[str, Any] = {"block": {"y": 64, "x": 64}, "ome": "none"}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Noise of 500 x 400 pixels."""
    path = tmp_path / "image.zarr"
    noise = np.random.default_rng(0).random((500, 400), dtype=np.float32)
    zarr.create_array(str(path), data=noise, chunks=(64, 64), dimension_names=("y", "x"))
    return path


def run(model: Path, image: Path, output: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Predict in a separate process."""
    arguments = [str(model), str(image), str(output), json.dumps({**BLOCKS, **options})]
    return subprocess.run([sys.executable, "-P", str(SCRIPT), *arguments], capture_output=True, text=True, check=False)


def start_shard(model: Path, image: Path, output: Path, number: int, count: int, **options: Any) -> subprocess.Popen[str]:
    """Start a process that predicts a shard."""
    given = json.dumps({**BLOCKS, **options, "shard": [number, count]})
    arguments = [sys.executable, "-P", str(SCRIPT), str(model), str(image), str(output), given]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def arrays(output: Path) -> dict[str, np.ndarray]:
    """Return all arrays of an output."""
    return {name: array[...] for name, array in zarr.open_group(str(output), mode="r").arrays()}


def assert_same(output: Path, undisturbed: Path) -> None:
    """Fail unless two outputs are equal bit by bit."""
    found, expected = arrays(output), arrays(undisturbed)
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name].view("uint32"), array.view("uint32"))


def assert_markers_are_true(output: Path, undisturbed: Path) -> int:
    """Return the number of markers of regions; fail if a marked region is not completely written."""
    plan = bc.open_predictor(output.parent / "model").plan(str(output.parent / "image.zarr"), **BLOCKS)
    done = done_regions(output, plan)
    if not any(done):
        return 0
    expected = arrays(undisturbed)["smooth"]
    found = zarr.open_array(str(output / "smooth"), mode="r")[...]
    for task in range(plan.task_count):
        if done[task]:
            for region in plan.regions_of(task):
                y, x = (range(g.core(r[0], t)[0], g.core(r[-1], t)[1]) for g, r, t in _spans(plan, region))
                part = np.s_[:, :, y.start : y.stop, x.start : x.stop]
                np.testing.assert_array_equal(found[part], expected[part])
    return sum(done)


def _spans(plan: Any, region: int) -> list[tuple[Any, range, Any]]:
    ranges = plan.regions.block_ranges(region)
    return [(plan.grids[tie.grid], ranges[tie.grid], tie.tied) for tie in plan.outputs[0].ties[-2:]]


class TestKilled:
    """SIGKILL at any moment, then the same command with ``resume``."""

    def test_half_written_chunk(self, tmp_path: Path, model: Path, image: Path) -> None:
        """What a killed process began to write, under the name that zarr gives it, is not left in the result."""
        output = tmp_path / "o.zarr"

        def stop(stage: str, done: int, total: int) -> None:
            if stage == "predict" and done >= 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            bc.predict(model, image, output, progress=stop, **BLOCKS)
        chunk = next(path for path in output.rglob("*") if path.is_file() and path.parent.name.isdigit() and ".bmz" not in str(path))
        half = chunk.with_suffix(".0123456789abcdef.partial")
        half.write_bytes(b"half")
        bc.predict(model, image, output, resume=True, **BLOCKS)
        assert not half.exists()
        assert chunk.exists()

    @pytest.mark.parametrize(
        ("stage", "after"),
        [("statistics of raw", 0), ("predict", 0), ("predict", 10), ("predict", 20), ("statistics of energy", 0), ("postprocess", 1)],
    )
    def test_resumes(self, tmp_path: Path, model: Path, image: Path, stage: str, after: int) -> None:
        """Killed in each stage: finished tasks are not repeated, and the result is the same, bit by bit."""
        undisturbed, output = tmp_path / "undisturbed.zarr", tmp_path / "o.zarr"
        assert run(model, image, undisturbed).returncode == 0
        killed = run(model, image, output, kill_stage=stage, kill_after=after)
        assert killed.returncode == -signal.SIGKILL
        marked = assert_markers_are_true(output, undisturbed)
        assert marked >= (after // 2 if stage == "predict" else 0)
        again = run(model, image, output, resume=True)
        assert again.returncode == 0, again.stderr
        told = json.loads(again.stdout)
        assert told["finished"]
        assert told["done_before"] == marked
        assert_same(output, undisturbed)
        assert not (output / ".bmz-run").exists()

    @pytest.mark.large
    @pytest.mark.parametrize("seed", range(100))
    def test_large_at_random(self, tmp_path: Path, model: Path, image: Path, seed: int) -> None:
        """Killed at random moments, again and again, until a run ends."""
        undisturbed, output = tmp_path / "undisturbed.zarr", tmp_path / "o.zarr"
        begin = time.perf_counter()
        assert run(model, image, undisturbed).returncode == 0
        whole = time.perf_counter() - begin
        chance = random.Random(seed)
        arguments = [sys.executable, "-P", str(SCRIPT), str(model), str(image), str(output), json.dumps({**BLOCKS, "resume": True})]
        for _ in range(3):
            with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                time.sleep(chance.uniform(0.2, 1.0) * whole)
                process.kill()
            if output.exists():
                assert_markers_are_true(output, undisturbed)
        assert run(model, image, output, resume=True).returncode == 0
        assert_same(output, undisturbed)


class TestContinuing:
    """Which runs can be resumed."""

    def test_nothing_to_do(self, tmp_path: Path, model: Path, image: Path) -> None:
        """A complete output is left unchanged."""
        output = tmp_path / "o.zarr"
        first = bc.predict(model, image, output, resume=True, **BLOCKS)
        assert (first.finished, first.done_before) == (True, 0)
        before = {p: p.stat().st_mtime_ns for p in output.rglob("*")}
        again = bc.predict(model, image, output, resume=True, **BLOCKS)
        assert (again.finished, again.done_before) == (True, again.plan.regions.count)
        assert {p: p.stat().st_mtime_ns for p in output.rglob("*")} == before
        np.testing.assert_array_equal(np.asarray(again["smooth"]), np.asarray(first["smooth"]))

    def test_blocks_are_kept(self, tmp_path: Path, model: Path, image: Path) -> None:
        """A resumed run keeps its blocks, although a different budget would lead to different blocks."""
        output = tmp_path / "o.zarr"
        assert run(model, image, output, kill_stage="predict", kill_after=10).returncode != 0
        again = bc.predict(model, image, output, resume=True, memory="3 GB", workers=1, ome="none")
        assert again.done_before >= 5
        assert again.plan.grids[-1].block_size(0) == 64

    @pytest.mark.parametrize(
        ("options", "what"),
        [
            ({"halo": {"y": 8, "x": 8}}, "options or blocks"),
            ({"dtype": "float16"}, "options or blocks"),
            ({"weights": 1}, "weights"),
            ({"image": 1}, "images"),
        ],
    )
    def test_different_run(self, tmp_path: Path, model: Path, image: Path, options: dict[str, Any], what: str) -> None:
        """A different model, image or parameter is refused, the error names what differs, and nothing changes."""
        output = tmp_path / "o.zarr"
        assert run(model, image, output, kill_stage="predict", kill_after=10).returncode != 0
        if "weights" in options:
            graph = (model / "weights.onnx").read_bytes()
            (model / "weights.onnx").write_bytes(graph.replace(b"made", b"MADE"))
        if "image" in options:
            time.sleep(0.02)
            zarr.create_array(str(image), data=np.ones((500, 400), "float32"), chunks=(50, 50), dimension_names=("y", "x"), overwrite=True)
        given = {k: v for k, v in options.items() if k not in ("weights", "image")}
        before = sorted(output.rglob("*"))
        with pytest.raises(OutputError, match=f"different run .*{what}"):
            bc.predict(model, image, output, resume=True, **BLOCKS, **given)
        assert sorted(output.rglob("*")) == before

    def test_without_asking(self, tmp_path: Path, model: Path, image: Path) -> None:
        """Without the option, nothing is resumed; the error names the option."""
        output = tmp_path / "o.zarr"
        assert run(model, image, output, kill_stage="predict", kill_after=10).returncode != 0
        with pytest.raises(OutputError, match="resume=True"):
            bc.predict(model, image, output, **BLOCKS)
        with pytest.raises(InputError, match="need an output"):
            bc.predict(model, image, resume=True)

    def test_interrupted_by_ctrl_c(self, tmp_path: Path, model: Path, image: Path) -> None:
        """Ctrl-C ends the run with exit status 130 and a hint to resume; the next run resumes."""
        output = tmp_path / "o.zarr"
        script = (
            "import sys, os, signal, bioimageio_core.prediction.execution.run_plan as r\n"
            "from bioimageio_core.prediction.execution.progress import Reporter\n"
            "more = Reporter.more\n"
            "def slow(self, n=1):\n"
            "    more(self, n)\n"
            "    if self._stage == 'predict' and self._done == 9: os.kill(os.getpid(), signal.SIGINT)\n"
            "Reporter.more = slow\n"
            "from bioimageio_core.cli.main import main\n"
            "main()\n"
        )
        command = ["predict", str(model), str(image), "-o", str(output), "--block", "y=64,x=64", "--ome", "none"]
        done = subprocess.run([sys.executable, "-P", "-c", script, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 130
        assert "--resume" in done.stderr
        assert bc.predict(model, image, output, resume=True, **BLOCKS).done_before >= 9


class TestShards:
    """Processes that share a run, coordinated by the store alone."""

    def test_three_processes(self, tmp_path: Path, model: Path, image: Path) -> None:
        """Three shards run at once; those that run when all regions are done share the remaining passes, and complete the output."""
        undisturbed, output = tmp_path / "undisturbed.zarr", tmp_path / "o.zarr"
        assert run(model, image, undisturbed).returncode == 0
        processes = [start_shard(model, image, output, number, 3) for number in (1, 2, 3)]
        finished = []
        for process in processes:
            out, err = process.communicate(timeout=120)
            assert process.returncode == 0, err
            finished.append(json.loads(out)["finished"])
        assert any(finished)
        assert_same(output, undisturbed)
        assert not (output / ".bmz-run").exists()

    def test_one_after_the_other(self, tmp_path: Path, model: Path, image: Path) -> None:
        """The last shard carries out the remaining passes, and completes the output."""
        undisturbed, output = tmp_path / "undisturbed.zarr", tmp_path / "o.zarr"
        bc.predict(model, image, undisturbed, **BLOCKS)
        assert [bc.predict(model, image, output, shard=(n, 3), **BLOCKS).finished for n in (1, 3, 2)] == [False, False, True]
        assert_same(output, undisturbed)
        assert not (output / ".bmz-run").exists()

    def test_last_one_finishes(self, tmp_path: Path, image: Path) -> None:
        """The shard that finds all regions done completes the output."""
        (tmp_path / "m").mkdir()
        model = box_model(tmp_path / "m", {"min": 16, "step": 4}, halo=4)
        output = tmp_path / "o.zarr"
        finished = [bc.predict(model, image, output, shard=(n, 3), **BLOCKS).finished for n in (2, 3, 1)]
        assert finished == [False, False, True]
        np.testing.assert_allclose(arrays(output)["out"], np.asarray(bc.predict(model, image)["out"]), rtol=1e-5)

    @pytest.mark.parametrize("shard", [(0, 3), (4, 3), (1, 0), "1/2", (1,)])
    def test_refused(self, tmp_path: Path, model: Path, image: Path, shard: Any) -> None:
        """Wrong shard numbers are refused."""
        with pytest.raises(InputError, match=r"expected a pair i, n with i from 1 to n"):
            bc.predict(model, image, tmp_path / "o.zarr", shard=shard)
