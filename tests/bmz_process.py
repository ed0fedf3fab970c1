"""Runs ``bmz`` the way a shell does, and quickly: one process imports the library, each call is a fork of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from bioimageio_core.option_spelling import PAIR

SERVER = """
import gc, json, os, sys
from importlib import import_module
from bioimageio_core.cli.main import COMMANDS, main
for name in json.loads(sys.argv[1]):
    import_module(name)
from bioimageio_core.api import validate
validate({"type": "model", "format_version": "0.5.0"})  # fills the caches that every call would have to fill
validate({"type": "model", "format_version": "0.4.10"})
gc.freeze()
for line in sys.stdin:
    call = json.loads(line)
    if "wait" in call:
        print(os.waitstatus_to_exitcode(os.waitpid(call["wait"], 0)[1]), flush=True)
        continue
    child = os.fork()
    if child == 0:
        os.environ.update(call["env"])
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(call[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.argv = ["bmz", *call["args"]]
        status = 70
        try:
            main()
        except SystemExit as end:
            status = end.code or 0
        except BaseException:
            import traceback

            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    print(child, flush=True)
"""

PRELOADED = (
    "bioimageio_core.api",
    "bioimageio_core.cli.cache_command",
    "bioimageio_core.cli.info_command",
    "bioimageio_core.cli.package_command",
    "bioimageio_core.cli.plan_command",
    "bioimageio_core.cli.plugins_command",
    "bioimageio_core.cli.predict_command",
    "bioimageio_core.cli.schema_command",
    "bioimageio_core.cli.test_command",
    "bioimageio_core.cli.validate_command",
    "bioimageio_core.cli.verify_command",
    "bioimageio_core.report.text.card_text",
    "bioimageio_core.report.text.plan_text",
    "bioimageio_core.spec.converters",
    "dask.array",
    "zarr",
    "zarr.storage",
)


@attrs.frozen(kw_only=True)
class Ran:
    """What a call left behind."""

    status: int
    out: str
    err: str

    def __attrs_post_init__(self) -> None:
        for printed in (self.out, self.err):
            both = PAIR.search(printed)
            assert both is None, f"{both} spells an option for Python and for the command line: expected one of them"

    @property
    def json(self) -> Any:
        """What was printed, read by a parser that allows JSON only."""

        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is not JSON")

        return json.loads(self.out, parse_constant=refuse)

    def error(self, status: int) -> str:
        """Return the one line on stderr of a call that ended with ``status`` and printed nothing else."""
        assert self.status == status, f"status {self.status}, expected {status}: {self.err}"
        lines = self.err.splitlines()
        assert len(lines) == 1, f"expected one line, found {len(lines)}: {self.err}"
        assert lines[0].startswith("bmz: ")
        assert self.out == ""
        return lines[0]


def run_process(*args: object, env: Mapping[str, str] | None = None, code: str | None = None, cwd: Path | None = None) -> Ran:
    """Run ``bmz`` in a process of its own; ``code`` replaces ``python -m bioimageio_core.cli``."""
    start = ["-c", code] if code is not None else ["-m", "bioimageio_core.cli"]
    done = subprocess.run(
        [sys.executable, *start, *map(str, args)],
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        timeout=120,
        check=False,
    )
    return Ran(status=done.returncode, out=done.stdout, err=done.stderr)


@attrs.frozen(kw_only=True)
class Started:
    """A command that was started."""

    process: int
    """The id of its process."""

    folder: Path
    """Where its output is."""

    wait: Callable[[], int]

    def ended(self) -> Ran:
        """Wait for its end; to be called once."""
        status = self.wait()
        return Ran(status=status, out=(self.folder / "out").read_text(), err=(self.folder / "err").read_text())


class ForkedBmz:
    """Runs ``bmz`` in forks of one process; in new processes where the system has no fork.

    Args:
        started_by: The beginning of the command that starts the process.
        preloaded: Modules that the process imports.

    """

    def __init__(self, *, started_by: Sequence[str] = (), preloaded: Sequence[str] = PRELOADED) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._command = [*started_by, sys.executable, "-c", SERVER, json.dumps(preloaded)]
        self._server: subprocess.Popen[str] | None = None

    def __call__(self, *args: object, env: Mapping[str, str] | None = None) -> Ran:
        """Run a command."""
        if not hasattr(os, "fork"):
            return run_process(*args, env=env)
        return self.start(*args, env=env).ended()

    def start(self, *args: object, env: Mapping[str, str] | None = None) -> Started:
        """Start a command; others may run at the same time."""
        if self._server is None:
            self._server = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        folder = Path(tempfile.mkdtemp(dir=self._folder.name))
        outputs = {name: str(folder / name) for name in ("out", "err")}
        process = self._ask({"args": [str(a) for a in args], "env": dict(env or {}), **outputs})
        return Started(process=process, folder=folder, wait=lambda: self._ask({"wait": process}))

    def _ask(self, question: Mapping[str, Any]) -> int:
        assert self._server is not None
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(question) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    def close(self) -> None:
        """End the process."""
        if self._server is not None:
            assert self._server.stdin is not None
            assert self._server.stdout is not None
            self._server.stdin.close()
            self._server.wait()
            self._server.stdout.close()
        self._folder.cleanup()
