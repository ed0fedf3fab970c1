"""Commands end although native code runs on: after Ctrl-C, after a time limit, and if it takes memory without end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from bmz_process import ForkedBmz, run_process
from made_models import pointwise_model, with_test_tensors
from onnx import TensorProto, helper

STUCK = """
import ctypes, signal, sys, tempfile
from bioimageio_core.cli import ending
ending.PATIENCE = float(sys.argv[1])
folder = tempfile.TemporaryDirectory(dir=sys.argv[2])
library, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(128)
signal.signal(signal.SIGINT, lambda *given: None)  # so that one that comes early does not end the block
with ending.ends_on_ctrl_c():
    library.pthread_mutex_lock(mutex)
    print("stuck", flush=True)
    library.pthread_mutex_lock(mutex)  # native code that no signal interrupts
"""

IN_SIX_GIB = """
import resource
from bioimageio_core.cli.main import main
resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30, 6 * 2**30))
main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the mutex is one of Linux")
class TestCtrlC:
    """Ctrl-C while native code of the main thread runs forever."""

    @pytest.mark.parametrize(("patience", "again"), [(0.1, False), (1000, True)])
    def test_ends(self, tmp_path: Path, patience: float, again: bool) -> None:
        """The process ends after a while, or at once with the second Ctrl-C, and removes its temporary files."""
        command = [sys.executable, "-P", "-c", STUCK, str(patience), str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "stuck\n"
            assert len([*tmp_path.iterdir()]) == 1
            process.send_signal(signal.SIGINT)
            while again and process.poll() is None:
                process.send_signal(signal.SIGINT)  # one that arrives before the first is handled does not count
                time.sleep(0.05)
            try:
                _, said = process.communicate(timeout=60)
            finally:
                process.kill()
        assert process.returncode == 130
        assert said.startswith("bmz: interrupted, without waiting")
        assert [*tmp_path.iterdir()] == []


def endless_model(folder: Path, *, doubles: bool = False) -> Path:
    """Write a model whose graph has a loop that never ends, and that doubles its tensor each time if it ``doubles``."""
    pointwise_model(folder)
    info = helper.make_tensor_value_info
    turn = (
        helper.make_node("Concat", ["value_in", "value_in"], ["value_out"], axis=3)
        if doubles
        else helper.make_node("Identity", ["value_in"], ["value_out"])
    )
    body = helper.make_graph(
        [helper.make_node("Identity", ["on_in"], ["on_out"]), turn],
        "body",
        [info("n", TensorProto.INT64, []), info("on_in", TensorProto.BOOL, []), info("value_in", TensorProto.FLOAT, None)],
        [info("on_out", TensorProto.BOOL, []), info("value_out", TensorProto.FLOAT, None)],
    )
    shape = ["batch", 1, "y", "x"]
    graph = helper.make_graph(
        [helper.make_node("Loop", ["", "on", "raw"], ["out"], body=body)],
        "endless",
        [info("raw", TensorProto.FLOAT, shape)],
        [info("out", TensorProto.FLOAT, shape)],
        [helper.make_tensor("on", TensorProto.BOOL, [], [True])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(folder / "weights.onnx"))
    return folder


class TestTimeLimit:
    """The option ``--timeout``."""

    def test_loop_without_end(self, bmz: ForkedBmz, tmp_path: Path) -> None:
        """A network that runs forever fails a test, and the process ends."""
        model = endless_model(tmp_path)
        x = np.zeros((1, 1, 16, 16), np.float32)
        with_test_tensors(model, {"raw": x}, {"out": x})
        ran = bmz("test", model, "--quick", "--timeout", "0.3")
        assert ran.status == 1
        assert "the network gave no answer within 0.3 s" in ran.out

    @pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is looked up as Linux has it")
    def test_memory_without_end(self, tmp_path: Path) -> None:
        """A network whose memory doubles is given up long before the time is over, and before the memory is."""
        model = endless_model(tmp_path, doubles=True)
        x = np.zeros((1, 1, 16, 16), np.float32)
        with_test_tensors(model, {"raw": x}, {"out": x})
        ran = run_process("test", model, "--quick", "--timeout", "600", code=IN_SIX_GIB)
        assert ran.status == 1, ran.err
        assert "the network took over 0.51 GiB of memory, out of proportion to its inputs and weights" in ran.out

    def test_wrong(self, bmz: ForkedBmz, made: Path) -> None:
        """Wrong usage."""
        assert "--timeout" in bmz("test", made, "--timeout", "0").error(2)
