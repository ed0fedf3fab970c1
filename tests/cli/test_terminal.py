"""Bars of progress, on a terminal of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from bioimageio_core.cli.progress_lines import progress_lines

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo terminal")

CODE = """
import sys, time
from bioimageio_core.cli.command_progress import command_progress
with command_progress(after={after}) as progress:
    progress("judging", 1, 3)
    time.sleep({seconds})
"""


def on_terminal(code: str) -> str:
    """Return what a process writes to a terminal on stderr."""
    leader, follower = os.openpty()
    with subprocess.Popen([sys.executable, "-c", code], stderr=follower, env={**os.environ, "TERM": "xterm"}) as process:
        os.close(follower)
        parts = []
        try:
            while part := os.read(leader, 65536):
                parts.append(part)
        except OSError:  # how Linux says that the other side is closed
            pass
        assert process.wait(timeout=60) == 0
    os.close(leader)
    return b"".join(parts).decode()


class TestProgressBars:
    """`progress_bars`."""

    def test_what_is_quick_shows_none(self) -> None:
        """The terminal stays as it is."""
        assert on_terminal(CODE.format(after=60, seconds=0)) == ""

    @pytest.mark.parametrize("after", [0, 0.2])
    def test_what_is_slow_shows_one(self, after: float) -> None:
        """At once, or after a while in which nothing was told."""
        assert "judging" in on_terminal(CODE.format(after=after, seconds=1))

    def test_not_in_files(self) -> None:
        """Nothing is drawn, and quick commands say nothing."""
        code = (
            "from bioimageio_core.cli.command_progress import command_progress\n"
            "with command_progress() as progress:\n"
            "    progress('judging', 1, 3)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        assert (done.stdout, done.stderr) == (b"", b"")


class TestLines:
    """`progress_lines`."""

    def test_how_far_and_how_long(self) -> None:
        """Each stage has its own time."""
        lines: list[str] = []
        show = progress_lines(lines.append, apart=0)
        show("regions", 0, 1000)
        show("regions", 250, 1000)
        show("levels", 0, 1)
        assert lines[0] == "regions: 0 of 1000"
        assert re.fullmatch(r"regions: 250 of 1000, about \d+\.\d s left", lines[1])
        assert lines[2] == "levels ..."

    def test_resumed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was done before says nothing of the speed: one region took a second, so 99 take 99."""
        times = iter([0.0, 10.0, 11.0])
        monkeypatch.setattr("bioimageio_core.cli.progress_lines.time.monotonic", lambda: next(times))
        lines: list[str] = []
        show = progress_lines(lines.append, apart=0)
        show("regions", 900, 1000)
        show("regions", 901, 1000)
        assert lines == ["regions: 900 of 1000", "regions: 901 of 1000, about 99.0 s left"]

    def test_now_and_then(self) -> None:
        """What is called often says little."""
        lines: list[str] = []
        show = progress_lines(lines.append, apart=3600)
        for done in range(100):
            show("regions", done, 100)
        assert lines == []
