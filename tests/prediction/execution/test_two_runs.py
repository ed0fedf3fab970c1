"""Two runs that write the same output, and results that are replaced: one of the results is there, complete, at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

import bioimageio_core as bc
from bioimageio_core import atomic_files
from bioimageio_core.errors import OutputError
from bioimageio_core.io import OutputStore, RunState
from bioimageio_core.prediction.output import open_output as open_output_module

OPTIONS: dict[str, Any] = {"block": {"y": 64, "x": 64}, "axes": "yx", "workers": 1}
SCRIPT = """
import json, os, signal, sys, numpy as np
from bioimageio_core.errors import BioimageioError
import bioimageio_core as bc
model, image, output, stop, options = sys.argv[1:6]
def progress(stage, done, total):
    if stage == "predict" and done >= 3:
        os.kill(os.getpid(), int(stop))
try:
    bc.predict(model, image, output, progress=progress, **json.loads(options))
except BioimageioError as error:
    sys.exit(str(error))
"""


@pytest.fixture
def images(tmp_path: Path) -> tuple[Path, Path]:
    """Two images of 200 x 200 pixels."""
    paths = (tmp_path / "1.npy", tmp_path / "2.npy")
    for number, path in enumerate(paths):
        np.save(path, np.random.default_rng(number).random((200, 200), np.float32))
    return paths


def smooth(output: Path) -> np.ndarray:
    """Return what a complete output holds."""
    assert not list(output.glob(".bmz*"))
    return zarr.open_group(str(output), mode="r")["0"][...][None]  # type: ignore[index,return-value]


def once(call: Callable[[], None]) -> Callable[[str, int, int], None]:
    """Return a callback for progress that calls a function once, after the first regions."""
    called: list[bool] = []

    def progress(stage: str, done: int, total: int) -> None:
        if stage == "predict" and done >= 2 and not called:
            called.append(True)
            call()

    return progress


class TestTwoRuns:
    """The run that began last has the output; the other one ends with one sentence."""

    def test_completed_while_another_joins(
        self, tmp_path: Path, model: Path, images: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A process that opens an incomplete output just when the run completes it has the complete output, too."""
        output = tmp_path / "o.zarr"

        def stop() -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            bc.predict(model, images[0], output, progress=once(stop), **OPTIONS)
        opening = open_output_module.continue_output

        def complete_first(*args: Any) -> Any:
            monkeypatch.undo()
            bc.predict(model, images[0], output, resume=True, **OPTIONS)
            return opening(*args)

        monkeypatch.setattr(open_output_module, "continue_output", complete_first)
        assert bc.predict(model, images[0], output, resume=True, **OPTIONS).finished
        np.testing.assert_array_equal(smooth(output), np.asarray(bc.predict(model, images[0], **OPTIONS)["smooth"]))

    def test_overtaken_at_the_end(self, tmp_path: Path, model: Path, images: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
        """A run that was stopped when only its record was left to write leaves the result of another run alone, and says so."""
        output = tmp_path / "o.zarr"
        expected = np.asarray(bc.predict(model, images[1], tmp_path / "expected.zarr", **OPTIONS)["smooth"])
        finish = OutputStore.finish

        def replaced_first(self: OutputStore, *args: Any, **more: Any) -> None:
            monkeypatch.undo()
            bc.predict(model, images[1], output, overwrite=True, **OPTIONS)
            finish(self, *args, **more)

        monkeypatch.setattr(OutputStore, "finish", replaced_first)
        with pytest.raises(OutputError, match="was started again by another run"):
            bc.predict(model, images[0], output, **OPTIONS)
        np.testing.assert_array_equal(smooth(output), expected)
        of = [zarr.open_group(str(path), mode="r").attrs["bioimageio_core"] for path in (output, tmp_path / "expected.zarr")]
        assert of[0]["run"]["identity"] == of[1]["run"]["identity"]  # type: ignore[index,call-overload]

    def test_killed_while_the_old_result_is_removed(
        self, tmp_path: Path, model: Path, images: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The old result, which has the hidden name by then, is not taken for the new one."""
        output = tmp_path / "o.zarr"
        expected = np.asarray(bc.predict(model, images[1], tmp_path / "expected.zarr", **OPTIONS)["smooth"])
        bc.predict(model, images[0], output, **OPTIONS)

        def killed(path: Path) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(atomic_files, "remove_folder", killed)
            with pytest.raises(KeyboardInterrupt):
                bc.predict(model, images[1], output, overwrite=True, **OPTIONS)
        assert bc.predict(model, images[1], output, resume=True, **OPTIONS).finished
        np.testing.assert_array_equal(smooth(output), expected)
        bc.predict(model, images[0], output, overwrite=True, **OPTIONS)
        assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_overwritten_meanwhile(self, tmp_path: Path, model: Path, images: tuple[Path, Path], overwrite: bool) -> None:
        """A run whose output another run replaces writes nothing into the result of the other one."""
        output = tmp_path / "o.zarr"
        expected = np.asarray(bc.predict(model, images[1], tmp_path / "expected.zarr", **OPTIONS)["smooth"])

        def replace() -> None:
            if overwrite:  # as if the lock of the first were of a machine that is gone
                (tmp_path / ".o.zarr.bmz-new.lock").unlink()
            bc.predict(model, images[1], output, overwrite=True, **OPTIONS)

        if overwrite:
            bc.predict(model, images[1], output, **OPTIONS)
        with pytest.raises(OutputError, match=r"o\.zarr was started again by another run, which began at 20\d\d-|was removed while"):
            bc.predict(model, images[0], output, progress=once(replace), overwrite=overwrite, **OPTIONS)
        np.testing.assert_array_equal(smooth(output), expected)
        assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []

    def test_two_overwrite_at_once(self, tmp_path: Path, model: Path, images: tuple[Path, Path]) -> None:
        """The second is refused at once, and the first completes; until then, the old result stays."""
        output = tmp_path / "o.zarr"
        expected = np.asarray(bc.predict(model, images[1], tmp_path / "expected.zarr", **OPTIONS)["smooth"])
        old = np.asarray(bc.predict(model, images[0], output, **OPTIONS)["smooth"])

        def overwrite_too() -> None:
            np.testing.assert_array_equal(smooth(output), old)
            with pytest.raises(OutputError, match="is being overwritten by another run"):
                bc.predict(model, images[0], output, overwrite=True, **OPTIONS)

        new = bc.predict(model, images[1], output, progress=once(overwrite_too), overwrite=True, **OPTIONS)
        np.testing.assert_array_equal(smooth(output), expected)
        np.testing.assert_array_equal(np.asarray(new["smooth"]), expected)
        assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []

    def test_a_write_after_the_check(self, tmp_path: Path, model: Path, images: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
        """Also a chunk that is written just after the output lost its name is not written into the new one."""
        output = tmp_path / "o.zarr"
        expected = np.asarray(bc.predict(model, images[1], tmp_path / "expected.zarr", **OPTIONS)["smooth"])

        def replace() -> None:
            bc.predict(model, images[1], output, overwrite=True, **OPTIONS)
            monkeypatch.setattr(RunState, "check", lambda self: None)  # as if it had been made just before

        with pytest.raises(OutputError):
            bc.predict(model, images[0], output, progress=once(replace), **OPTIONS)
        np.testing.assert_array_equal(smooth(output), expected)


def start(model: Path, image: Path, output: Path, stop: signal.Signals, options: str) -> subprocess.Popen[str]:
    """Start a process that predicts, and stops itself at the third region."""
    arguments = [sys.executable, "-P", "-c", SCRIPT, str(model), str(image), str(output), str(int(stop)), options]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="the system cannot stop processes")
class TestProcesses:
    """Processes that stop, or are killed."""

    def test_a_stopped_run_that_wakes_up(self, tmp_path: Path, model: Path, images: tuple[Path, Path]) -> None:
        """It ends with one sentence, and the result of the other run stays bit for bit."""
        output = tmp_path / "o.zarr"
        with start(model, images[0], output, signal.SIGSTOP, '{"block": {"y": 64, "x": 64}, "axes": "yx"}') as stopped:
            os.waitid(os.P_PID, stopped.pid, os.WSTOPPED)
            bc.predict(model, images[1], output, overwrite=True, **OPTIONS)
            before = smooth(output)
            while stopped.poll() is None:  # it stops at each of its reports
                stopped.send_signal(signal.SIGCONT)
                time.sleep(0.01)
            assert stopped.stderr is not None
            assert "was started again by another run, which began at" in stopped.stderr.read()
        assert stopped.returncode == 1
        np.testing.assert_array_equal(smooth(output), before)

    def test_killed_while_overwriting(self, tmp_path: Path, model: Path, images: tuple[Path, Path]) -> None:
        """The old result stays; ``resume`` continues the new one, which then replaces it."""
        output = tmp_path / "o.zarr"
        expected = np.asarray(bc.predict(model, images[1], tmp_path / "expected.zarr", **OPTIONS)["smooth"])
        bc.predict(model, images[0], output, **OPTIONS)
        old = smooth(output)
        options = '{"block": {"y": 64, "x": 64}, "axes": "yx", "overwrite": true}'
        with start(model, images[1], output, signal.SIGKILL, options) as killed:
            assert killed.wait() == -signal.SIGKILL
        np.testing.assert_array_equal(smooth(output), old)
        resumed = bc.predict(model, images[1], output, resume=True, **OPTIONS)
        assert resumed.finished
        np.testing.assert_array_equal(smooth(output), expected)
        assert not (tmp_path / ".o.zarr.bmz-new").exists()
