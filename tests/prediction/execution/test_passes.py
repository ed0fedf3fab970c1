"""Passes of plans, and how shards of a run share them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from made_models import box_model, waiting_model

import bioimageio_core as bc
from bioimageio_core.errors import InputError, OutputError
from bioimageio_core.io import OutputStore, RunState, create_output
from bioimageio_core.prediction.execution.claims import Claims
from bioimageio_core.prediction.execution.completion import CompletedElsewhere
from bioimageio_core.prediction.planning.passes import LevelPass, PostprocessPass, RegionsPass, StatisticsPass
from bioimageio_core.prediction.planning.plan_json import plan_as_dict
from bioimageio_core.report.text.plan_text import plan_text

BLOCKS = {"block": {"y": 64, "x": 64}}
SHARD = Path(__file__).with_name("counted_shard.py")
PERCENTILES = {"id": "scale_range", "kwargs": {"axes": ["y", "x"], "min_percentile": 1, "max_percentile": 99}}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model that normalises its input, and postprocesses one output by its statistics."""
    (tmp_path / "model").mkdir()
    return waiting_model(tmp_path / "model")


class TestPlans:
    """Passes of a plan."""

    def test_in_order(self, model: Path) -> None:
        """Statistics of the input, regions, statistics and postprocessing of the output, coarser levels; numbered from 1."""
        image = np.zeros((700, 600), np.float32)
        plan = bc.open_predictor(model).plan(image, axes="yx", ome="0.5", pyramid=True, **BLOCKS)
        kinds = [type(p) for p in plan.passes]
        assert kinds[:4] == [StatisticsPass, RegionsPass, StatisticsPass, PostprocessPass]
        assert set(kinds[4:]) == {LevelPass}
        assert [p.number for p in plan.passes] == list(range(1, len(plan.passes) + 1))
        assert len({p.name for p in plan.passes}) == len(plan.passes)
        assert plan.passes[0].bytes_read == image.nbytes

    def test_supplied_statistics_need_no_pass(self, model: Path) -> None:
        """Supplied statistics need no pass."""
        image = np.random.default_rng(0).random((200, 200), np.float32)
        with bc.open_predictor(model, axes="yx") as predictor:
            assert isinstance(predictor.plan(image).passes[0], StatisticsPass)
            known = bc.compute_statistics(image, model, axes="yx")
            assert isinstance(predictor.plan(image, statistics=known).passes[0], RegionsPass)
            measured, given = predictor.predict(image), predictor.predict(image, statistics=known)
            np.testing.assert_array_equal(np.asarray(measured["smooth"]), np.asarray(given["smooth"]))

    def test_percentiles_take_two_sweeps(self, tmp_path: Path) -> None:
        """Exact percentiles of 32-bit numbers take one sweep per 16 bits."""
        plan = bc.open_predictor(box_model(tmp_path, 64, preprocessing=[PERCENTILES])).plan(np.zeros((70, 70), np.float32), axes="yx")
        assert [p.sweeps for p in plan.passes] == [2, 1]

    def test_for_people_and_machines(self, model: Path) -> None:
        """Text and JSON list the passes with tasks, bytes and time."""
        plan = bc.open_predictor(model).plan(np.zeros((300, 300), np.float32), axes="yx", **BLOCKS)
        data = json.loads(json.dumps(plan_as_dict(plan)))["passes"]
        assert [p["pass"] for p in data] == ["1-statistics", "2-regions", "3-statistics", "4-postprocess"]
        assert {"tasks", "sweeps", "bytes_read", "bytes_written", "seconds", "resumable", "in_process"} <= data[0].keys()
        text = plan_text(plan)
        for step in plan.passes:
            assert step.title in text

    def test_run_refuses_options_of_plans(self, model: Path) -> None:
        """Options of plans cannot change an existing plan: the error names the option."""
        image = np.zeros((100, 100), np.float32)
        with bc.open_predictor(model, axes="yx") as predictor:
            plan = predictor.plan(image)
            with pytest.raises(InputError, match="'block'"):
                predictor.run(plan, block={"y": 32})
            with pytest.raises(InputError, match="unknown option 'blocks'"):
                predictor.run(plan, blocks=1)


class TestSharing:
    """Shards that run at the same time, or one after the other."""

    def test_the_image_is_measured_once(self, tmp_path: Path) -> None:
        """Four shards that start together read the image once in total for its statistics, with the results of a single process."""
        (tmp_path / "model").mkdir()
        model = box_model(tmp_path / "model", {"min": 16, "step": 4}, halo=4, preprocessing=[PERCENTILES])
        image = np.random.default_rng(0).random((6000, 6000), np.float32)
        zarr.create_array(str(tmp_path / "image.zarr"), data=image, chunks=(500, 500), dimension_names=("y", "x"))
        ready, output = tmp_path / "ready", tmp_path / "o.zarr"
        ready.mkdir()
        arguments = [sys.executable, "-P", str(SHARD), str(model), str(tmp_path / "image.zarr"), str(output)]
        processes = [
            subprocess.Popen([*arguments, str(number), "4", str(ready)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for number in (1, 2, 3, 4)
        ]
        results = []
        for process in processes:
            out, err = process.communicate(timeout=180)
            assert process.returncode == 0, err
            results.append(json.loads(out))
        assert sum(t["elements"] for t in results) == 2 * image.size  # exact percentiles of 32 bit numbers take two sweeps
        assert sum(t["elements"] > 0 for t in results) > 1, "one process measured everything: the test shows nothing"
        assert any(t["finished"] for t in results)
        single = bc.predict(model, tmp_path / "image.zarr", tmp_path / "single.zarr", block={"y": 1024, "x": 1024})
        assert all(t["statistics"] == dict(single.statistics) for t in results if t["statistics"])
        np.testing.assert_array_equal(zarr.open_group(str(output), mode="r")["0"][...], np.asarray(single["out"])[0])

    def test_levels_are_written_by_shards(self, tmp_path: Path, model: Path) -> None:
        """The last shard writes the levels that regions do not write; no further call is needed."""
        image = np.random.default_rng(0).random((700, 600), np.float32)
        np.save(tmp_path / "x.npy", image)
        options: dict[str, Any] = {**BLOCKS, "axes": "yx", "ome": "0.5", "pyramid": True}
        assert bc.predict(model, tmp_path / "x.npy", tmp_path / "a.zarr", **options).finished
        finished = [bc.predict(model, tmp_path / "x.npy", tmp_path / "b.zarr", shard=(n, 2), **options).finished for n in (1, 2)]
        assert finished == [False, True]
        chunks = [path for path in (tmp_path / "a.zarr").rglob("*") if path.is_file() and "c" in path.parts]
        assert chunks
        for path in chunks:
            assert (tmp_path / "b.zarr" / path.relative_to(tmp_path / "a.zarr")).read_bytes() == path.read_bytes()


class TestDisturbed:
    """Shards whose shared state is damaged or removed."""

    def test_damaged_result(self, tmp_path: Path) -> None:
        """An empty result of a statistics task, as a power failure leaves it, is computed again."""
        (tmp_path / "model").mkdir()
        model = box_model(tmp_path / "model", {"min": 16, "step": 4}, halo=4, preprocessing=[PERCENTILES])
        image = np.random.default_rng(0).random((300, 300), np.float32)
        np.save(tmp_path / "x.npy", image)
        options: dict[str, Any] = {**BLOCKS, "axes": "yx"}
        expected = bc.predict(model, tmp_path / "x.npy", tmp_path / "a.zarr", **options)
        output = tmp_path / "b.zarr"
        first = bc.predict(model, tmp_path / "x.npy", output, shard=(1, 2), **options)
        assert not first.finished
        (output / ".bmz-run" / "1-statistics.json").unlink()
        results = list((output / ".bmz-run" / "1-statistics-0").rglob("0"))
        results = [path for path in results if path.is_file()]
        assert results
        for path in results:
            path.write_bytes(b"")
        second = bc.predict(model, tmp_path / "x.npy", output, shard=(2, 2), **options)
        assert second.finished
        assert dict(second.statistics) == dict(expected.statistics)
        np.testing.assert_array_equal(np.asarray(second["out"]), np.asarray(expected["out"]))

    @pytest.mark.parametrize("content", [b"", b"\0\0", b"{}"])
    def test_damaged_statistics(self, tmp_path: Path, model: Path, content: bytes) -> None:
        """Recorded statistics that a power failure damaged are measured again."""
        np.save(tmp_path / "x.npy", np.random.default_rng(0).random((200, 200), np.float32))
        options: dict[str, Any] = {**BLOCKS, "axes": "yx"}
        expected = bc.predict(model, tmp_path / "x.npy", tmp_path / "a.zarr", **options)
        output = tmp_path / "b.zarr"
        assert not bc.predict(model, tmp_path / "x.npy", output, shard=(1, 2), **options).finished
        (output / ".bmz-run" / "1-statistics.json").write_bytes(content)
        (output / ".bmz-run" / "2-regions" / ".DS_Store").write_bytes(b"")
        last = bc.predict(model, tmp_path / "x.npy", output, resume=True, **options)
        assert last.finished
        np.testing.assert_array_equal(np.asarray(last["smooth"]), np.asarray(expected["smooth"]))

    @pytest.mark.parametrize("slow", [{"resume": True}, {"shard": (2, 2)}])
    def test_a_resume_beside_another_process(self, tmp_path: Path, model: Path, slow: dict[str, Any]) -> None:
        """A process that is still postprocessing when another one completes the output leaves it as it is."""
        np.save(tmp_path / "x.npy", np.random.default_rng(0).random((200, 200), np.float32))
        options: dict[str, Any] = {**BLOCKS, "axes": "yx"}
        expected = bc.predict(model, tmp_path / "x.npy", tmp_path / "a.zarr", **options)
        output = tmp_path / "b.zarr"
        assert not bc.predict(model, tmp_path / "x.npy", output, shard=(1, 2), **options).finished
        completed: list[bool] = []

        def complete(stage: str, done: int, total: int) -> None:
            if stage.startswith("postprocess") and not completed:
                completed.append(True)
                assert bc.predict(model, tmp_path / "x.npy", output, resume=True, **options).finished

        assert bc.predict(model, tmp_path / "x.npy", output, progress=complete, **slow, **options).finished
        assert completed
        found = zarr.open_group(str(output), mode="r")
        for name in expected:
            np.testing.assert_array_equal(found[f"{name}/0"][...], np.asarray(expected[name])[0])
        assert not list(output.glob(".bmz*"))

    @pytest.mark.parametrize("slow", [{"resume": True}, {"shard": (1, 1)}])
    def test_a_marker_that_comes_too_late(self, tmp_path: Path, model: Path, slow: dict[str, Any]) -> None:
        """What a task marks just after another process completed the output is removed in the end."""
        np.save(tmp_path / "x.npy", np.random.default_rng(0).random((200, 200), np.float32))
        options: dict[str, Any] = {**BLOCKS, "axes": "yx"}
        output = tmp_path / "b.zarr"
        completed: list[bool] = []

        def complete(stage: str, done: int, total: int) -> None:
            if stage == "predict" and done and not completed:
                completed.append(True)
                assert bc.predict(model, tmp_path / "x.npy", output, resume=True, **options).finished
                RunState(str(output)).mark("2-regions", 0)  # by a thread that checked just before

        assert bc.predict(model, tmp_path / "x.npy", output, workers=1, progress=complete, **slow, **options).finished
        assert completed
        assert not list(output.glob(".bmz*"))

    def test_started_again(self, tmp_path: Path, model: Path) -> None:
        """A shard whose output was started again meanwhile marks nothing in the new run, and says so."""
        np.save(tmp_path / "x.npy", np.random.default_rng(0).random((200, 200), np.float32))
        options: dict[str, Any] = {**BLOCKS, "axes": "yx"}
        output = tmp_path / "b.zarr"
        again: list[bool] = []

        def start_again(stage: str, done: int, total: int) -> None:
            if stage == "predict" and done and not again:
                again.append(True)
                while output.exists():  # the shard may write a region meanwhile
                    shutil.rmtree(output, ignore_errors=True)
                create_output(str(output), [])

        # A region that is being written while its folder is removed is an error of its own.
        with pytest.raises(OutputError, match=r"started again|cannot be written: its folder is gone"):
            bc.predict(model, tmp_path / "x.npy", output, shard=(1, 2), workers=1, progress=start_again, **options)
        assert again

    def test_refused_options(self, tmp_path: Path, model: Path) -> None:
        """Each shard would remove what the others did."""
        with pytest.raises(InputError, match="exclude each other"):
            bc.predict(model, np.zeros((64, 64), np.float32), tmp_path / "o.zarr", axes="yx", shard=(1, 2), overwrite=True)

    def test_a_shard_that_stood_still(self, tmp_path: Path, model: Path) -> None:
        """It writes no box of the late pass after another process completed the run, since what it would read then is 0."""
        image = np.random.default_rng(0).random((200, 200), np.float32)
        np.save(tmp_path / "x.npy", image)
        options: dict[str, Any] = {**BLOCKS, "axes": "yx"}
        expected = np.asarray(bc.predict(model, tmp_path / "x.npy", tmp_path / "a.zarr", **options)["energy"])
        output = tmp_path / "b.zarr"
        resumed: list[bool] = []

        def stand_still(stage: str, done: int, total: int) -> None:
            if stage.startswith("postprocess") and not resumed:
                resumed.append(True)
                state = output / ".bmz-run"
                for path in state.joinpath("alive").iterdir():
                    path.unlink()  # as if this process had been silent for longer than a lease
                assert bc.predict(model, tmp_path / "x.npy", output, resume=True, **options).finished

        assert not bc.predict(model, tmp_path / "x.npy", output, shard=(1, 2), **options).finished
        last = bc.predict(model, tmp_path / "x.npy", output, shard=(2, 2), progress=stand_still, **options)
        assert resumed
        assert last.finished
        np.testing.assert_array_equal(np.asarray(last["energy"]), expected)
        assert not (output / ".bmz-run").exists()


def begun(output: Path) -> RunState:
    """Return the state of a new run."""
    create_output(str(output), [])
    return RunState(str(output))


class TestClaims:
    """Claims on tasks."""

    def test_one_process_gets_it(self, tmp_path: Path) -> None:
        """A claim of a live process is refused to other processes, and is free after the process leaves."""
        state = begun(tmp_path / "o.zarr")
        with Claims(state) as first:
            assert first.take("1-statistics-0", 3)
            with Claims(state) as second:
                assert not second.take("1-statistics-0", 3)
                assert second.take("1-statistics-0", 4)
        with Claims(state) as third:
            assert third.take("1-statistics-0", 3)

    def test_a_process_that_died(self, tmp_path: Path) -> None:
        """Claims of a killed process of this machine expire immediately."""
        code = (
            "import sys, os\n"
            "from bioimageio_core.io import RunState\n"
            "from bioimageio_core.prediction.execution.claims import Claims\n"
            "claims = Claims(RunState(sys.argv[1])).__enter__()\n"
            "assert claims.take('stage', 0)\n"
            "os.kill(os.getpid(), 9)\n"
        )
        output = str(tmp_path / "o.zarr")
        begun(tmp_path / "o.zarr")
        assert subprocess.run([sys.executable, "-P", "-c", code, output], check=False).returncode == -9
        with Claims(RunState(output)) as claims:
            begin = time.monotonic()
            assert claims.take("stage", 0)
            assert time.monotonic() - begin < 10

    @pytest.mark.parametrize("content", [b"", b"\0" * 32, b".", b"x"])
    def test_a_damaged_claim(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
        """A claim without the name of a process expires after the lease."""
        monkeypatch.setattr("bioimageio_core.prediction.execution.claims.LEASE", 0.2)
        state = begun(tmp_path / "o.zarr")
        state.write("claims/stage/0", content)
        with Claims(state) as claims:
            assert not claims.take("stage", 0)
            time.sleep(0.4)
            assert claims.take("stage", 0)

    def test_a_run_that_is_over(self, tmp_path: Path) -> None:
        """After another process completed the run and removed its state, no task can be claimed."""
        state = begun(tmp_path / "o.zarr")
        with Claims(state) as claims:
            OutputStore(str(tmp_path / "o.zarr")).tidy()
            with pytest.raises(CompletedElsewhere):
                claims.take("stage", 0)
