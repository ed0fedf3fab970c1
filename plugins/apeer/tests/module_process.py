"""Modules as programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple


class Ran(NamedTuple):
    """What a module left behind."""

    status: int
    log: str
    results: dict[str, Any]
    files: list[str]


def run_module(module: Path, output: Path, parameters: Any, *, from_file: bool = False, results: str = "results.json") -> Ran:
    """Run the entry script of a module as its container would, with its folders elsewhere."""
    output.mkdir(exist_ok=True)
    text = parameters if isinstance(parameters, str) else json.dumps({"WFE_output_params_file": results, **parameters})
    variables = {key: value for key, value in os.environ.items() if key != "WFE_INPUT_JSON"}
    params = output.parent / "params.json"
    if from_file:
        params.write_text(text)
    else:
        params.unlink(missing_ok=True)
        variables["WFE_INPUT_JSON"] = text
    command = [sys.executable, str(module / "run.py"), "--output", str(output), "--params", str(params)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, cwd=output.parent)
    path = output / results
    written = json.loads(path.read_text()) if path.is_file() else {}
    return Ran(done.returncode, done.stdout + done.stderr, written, sorted(p.name for p in output.iterdir()))
