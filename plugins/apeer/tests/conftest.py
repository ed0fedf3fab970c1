"""What the tests of this plugin share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import bioimageio_core as bc


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared test data, named by the environment variable BMZ_SHARED."""
    named = os.environ.get("BMZ_SHARED")
    if not named:
        pytest.skip("BMZ_SHARED names no folder of shared test data")
    return Path(named).resolve()


@pytest.fixture(scope="session")
def nuclei(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module of a published model."""
    path = tmp_path_factory.mktemp("modules") / "nuclei"
    return bc.export_model(shared / "models/unet2d_nuclei_broad/bioimageio.yaml", "apeer", path).path


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
