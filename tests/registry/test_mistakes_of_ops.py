"""Mistakes of the authors of ops, each with the sentence that they see: in a prediction, blocks of it, and its output."""

from __future__ import annotations

from typing import Any

import pytest
from made_models import pointwise_model
from made_sites import Site

RUNS = "lambda kwargs, axes: lambda tensor, measured: "
"""The start of an op that runs."""

OPS: dict[str, tuple[str, str, str]] = {
    "list": ("Needs()", f"{RUNS}tensor.tolist()", "op 'list' of mistakes 1.0 returns list: expected a numpy array of shape (1, 1, 8, 8)"),
    "none": ("Needs()", f"{RUNS}None", "op 'none' of mistakes 1.0 returns NoneType: expected a numpy array"),
    "mask": (
        "Needs()",
        f"{RUNS}__import__('numpy').ma.masked_greater(tensor, 0)",
        "op 'mask' of mistakes 1.0 returns MaskedArray: expected a numpy array",
    ),
    "crop": (
        "Needs()",
        f"{RUNS}tensor[..., 1:]",
        "op 'crop' of mistakes 1.0 returns shape (1, 1, 8, 7) from (1, 1, 8, 8): expected (1, 1, 8, 8)",
    ),
    "wide": (
        "Needs()",
        f"{RUNS}tensor.astype('float64')",
        "op 'wide' of mistakes 1.0 returns float64 from float32: expected float32; another dtype has to be declared (Needs.dtype)",
    ),
    "narrow": ("Needs(dtype='float32')", f"{RUNS}tensor > 0", "returns bool from float32: expected float32"),
    "divide": ("Needs()", f"{RUNS}1 // 0", "op 'divide' of mistakes 1.0 fails: ZeroDivisionError: integer division or modulo by zero"),
    "exit": ("Needs()", f"{RUNS}sys.exit(0)", "op 'exit' of mistakes 1.0 fails: SystemExit: 0"),
    "make": ("Needs()", "lambda kwargs, axes: 1 // 0", "making op 'make' of mistakes 1.0 fails: ZeroDivisionError"),
    "leave": ("Needs()", "sys.exit(0)", "making op 'leave' of mistakes 1.0 fails: SystemExit: 0"),
    "needs": ("None", RUNS + "tensor", "requirements of op 'needs' of mistakes 1.0 for tensor 'raw': expected Needs, found NoneType"),
    "fails": ("1 // 0", RUNS + "tensor", "requirements of op 'fails' of mistakes 1.0 for tensor 'raw' fails: ZeroDivisionError"),
    "quits": ("sys.exit(0)", RUNS + "tensor", "requirements of op 'quits' of mistakes 1.0 for tensor 'raw' fails: SystemExit: 0"),
    "kind": (
        "Needs(measures=(Measure(kind='maximum', axes=axes),))",
        RUNS + "tensor",
        "requirements of op 'kind' of mistakes 1.0 for tensor 'raw' fails: ValueError: kind: expected one of 'mean', 'std', 'min'",
    ),
    "axis": (
        "Needs(measures=(Measure(kind='max', axes=('z',)),))",
        RUNS + "tensor",
        "op 'axis' of mistakes 1.0 for tensor 'raw': measures: expected axes of the tensor (batch, channel, y, x), found 'z'",
    ),
    "other": (
        "Needs(measures=(Measure(kind='max', axes=axes, tensor='mask'),))",
        RUNS + "tensor",
        "op 'other' of mistakes 1.0 of 'raw' needs the max of mask over batch, channel, y, x: expected one of the given inputs (raw)",
    ),
    "string": (
        "Needs(measures=(Measure(kind='max', axes='yx'),))",
        RUNS + "tensor",
        "op 'string' of mistakes 1.0 for tensor 'raw' fails: TypeError: axes: expected a tuple of ids of axes, as in ('y', 'x')",
    ),
    "method": (
        "Needs(measures=(Measure(kind='median', axes=axes, method='nearest'),))",
        RUNS + "tensor",
        "op 'method' of mistakes 1.0 for tensor 'raw' fails: ValueError: method: expected one of 'linear'",
    ),
    "q": (
        "Needs(measures=(Measure(kind='percentile', axes=axes, q=101),))",
        RUNS + "tensor",
        "op 'q' of mistakes 1.0 for tensor 'raw' fails: ValueError: q: expected a number from 0 to 100, found 101",
    ),
    "bins": (
        "Needs(measures=(Measure(kind='histogram', axes=axes, bins=8),))",
        RUNS + "tensor",
        "op 'bins' of mistakes 1.0 for tensor 'raw' fails: TypeError: range: expected a tuple of two numbers",
    ),
    "own": (
        "Needs(measures=(Measure(kind='own', axes=axes),))",
        RUNS + "tensor",
        "op 'own' of mistakes 1.0 for tensor 'raw' fails: TypeError: statistic: expected a Statistic",
    ),
    "tensor": (
        "Needs(measures=(Measure(kind='max', axes=axes, tensor=0),))",
        RUNS + "tensor",
        "op 'tensor' of mistakes 1.0 for tensor 'raw' fails: TypeError: tensor: expected the id of an input",
    ),
    "dtype": (
        "Needs(dtype='float')",
        RUNS + "tensor",
        "op 'dtype' of mistakes 1.0 for tensor 'raw' fails: ValueError: dtype: expected one of 'bool', 'int8'",
    ),
    "halo": (
        "Needs(halo={'y': -1})",
        RUNS + "tensor",
        "op 'halo' of mistakes 1.0 for tensor 'raw' fails: ValueError: halo: expected a whole number",
    ),
    "far": (
        "Needs(halo={'z': 1})",
        RUNS + "tensor",
        "op 'far' of mistakes 1.0 for tensor 'raw': halo: expected axes of the tensor (batch, channel, y, x), found 'z'",
    ),
    "state": (
        "Needs(measures=(Measure(kind='own', axes=axes, statistic=BROKEN),))",
        RUNS + "tensor",
        "state of the statistic 'broken' fails: ZeroDivisionError",
    ),
}
"""Needs, what `load` returns, and a part of the sentence, by name of an op."""

PLUGIN = """
import sys
from bioimageio_core.registry import Measure, Needs, ProcessingOpEntry, Statistic, hookimpl
from bioimageio_core.spec.node import Node, node

BROKEN = Statistic(name="broken", state=lambda values: 1 // 0, merge=lambda a, b: b, finish=lambda state: state, empty=(0,))
"""

ENTRY = """
@node
class Descr_{name}(Node):
    id: str = "{name}"

def load_{name}():
    return {op}

def needs_{name}(kwargs, axes):
    return {needs}
"""

HOOK = """
@hookimpl
def bioimageio_processing_ops():
    for name in {names}:
        found = globals()
        descr = {{"0.5": found["Descr_" + name]}}
        yield ProcessingOpEntry(name=name, descr=descr, load=found["load_" + name], requirements=found["needs_" + name])
"""

PREDICT = """
import json
from pathlib import Path
import numpy as np
import bioimageio_core as bc

found = {{}}
for name in {names}:
    folder = Path({folder!r}) / name
    told = found[name] = []
    for _ in range(2):
        try:
            bc.predict(folder, np.ones((16, 16), np.float32), block={{"y": 8, "x": 8}}, output=folder / "out.zarr")
            told.append("predicted")
        except bc.errors.BioimageioError as error:
            told.append(str(error))
        except BaseException as error:
            told.append("foreign: " + repr(error))
    told.append((folder / "out.zarr").exists())
print(json.dumps(found))
"""


def write_ops(site: Site, ops: dict[str, tuple[str, str, str]]) -> None:
    """Install a distribution with these ops."""
    entries = "".join(ENTRY.format(name=name, needs=needs, op=op) for name, (needs, op, _) in ops.items())
    site.install("mistakes", PLUGIN + entries + HOOK.format(names=list(ops)))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What is said of each op, by name: in one process."""
    folder = tmp_path_factory.mktemp("mistakes")
    site = Site(folder / "site")
    site.folder.mkdir()
    write_ops(site, OPS)
    for name in OPS:
        (folder / name).mkdir()
        pointwise_model(folder / name, pre=[{"id": name}])
    return site.python(PREDICT.format(names=list(OPS), folder=str(folder)))


@pytest.mark.parametrize("name", OPS)
def test_sentence(told: dict[str, Any], name: str) -> None:
    """It names the op and its distribution; nothing is left that looks complete."""
    first, second, output_exists = told[name]
    assert OPS[name][2] in first
    assert "\n" not in first
    assert not output_exists or "incomplete" in second


def test_file_and_line(told: dict[str, Any]) -> None:
    """Where an op raises."""
    assert "mistakes.py, line" in told["divide"][0]
