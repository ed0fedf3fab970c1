"""Mistakes of the authors of run modes, adapters, converters, formats and rules, each with the sentence that a user of it sees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml
from made_models import pointwise_model, with_test_tensors
from made_sites import Site

RUN_MODES = {
    "load": ("1 // 0", "loading run mode 'load' of mistakes 1.0 fails: ZeroDivisionError"),
    "quit": ("sys.exit(0)", "loading run mode 'quit' of mistakes 1.0 fails: SystemExit: 0"),
    "plan": ("lambda kwargs: Mode(plan=lambda p: 1 // 0)", "with run mode 'plan' of mistakes 1.0 fails: ZeroDivisionError"),
    "leave": ("lambda kwargs: Mode(plan=lambda p: sys.exit(0))", "with run mode 'leave' of mistakes 1.0 fails: SystemExit: 0"),
    "nothing": (
        "lambda kwargs: Mode(plan=lambda p: None)",
        "with run mode 'nothing' of mistakes 1.0: expected a Pipeline, found NoneType",
    ),
    "wrap": ("lambda kwargs: Mode(wrap=lambda a, p: 1 // 0)", "run mode 'wrap' of mistakes 1.0 fails: ZeroDivisionError"),
    "call": ("lambda kwargs: Mode(wrap=lambda a, p: Called(lambda x: 1 // 0))", "the network of 'made model' fails: ZeroDivisionError"),
    "exit": ("lambda kwargs: Mode(wrap=lambda a, p: Called(lambda x: sys.exit(0)))", "the network of 'made model' fails: SystemExit: 0"),
    "lists": (
        "lambda kwargs: Mode(wrap=lambda a, p: Called(lambda x: [y.tolist() for y in a(x)]))",
        "output 'out' of the network is of type list: expected a numpy array",
    ),
}
"""What `load` returns, and a part of the sentence, by name of a run mode."""

ADAPTERS = {
    "load": ("1 // 0", "with weights adapter 'load' of mistakes 1.0 fails: ZeroDivisionError"),
    "quit": ("lambda context: sys.exit(0)", "with weights adapter 'quit' of mistakes 1.0 fails: SystemExit: 0"),
    "call": ("lambda context: Called(lambda x: {}['gain'])", "the network of 'made model' fails: KeyError: 'gain'"),
    "none": ("lambda context: Called(lambda x: [None])", "output 'out' of the network is of type NoneType: expected a numpy array"),
    "number": ("lambda context: Called(lambda x: 3)", "the network of 'made model' fails: TypeError: 'int' object is not iterable"),
    "few": ("lambda context: Called(lambda x: [])", "the network returned 0 outputs: expected 1 (out)"),
    "shapes": ("lambda context: Called(list)", "input_shapes of weights adapter 'shapes' of mistakes 1.0 fails: KeyError"),
    "packages": ("lambda context: Called(list)", "environment of weights adapter 'packages' of mistakes 1.0 fails: KeyError"),
}
"""What `load` returns, and a part of the sentence, by name of an adapter and its format."""

CONVERTERS = {
    "raises": ("lambda context: 1 // 0", "converter 'raises' of mistakes 1.0 fails: ZeroDivisionError"),
    "quits": ("lambda context: sys.exit(0)", "converter 'quits' of mistakes 1.0 fails: SystemExit: 0"),
    "silent": (
        "lambda context: context.target.write_text('x') and None",
        "converter 'silent' of mistakes 1.0 breaks its contract: expected a mapping of fields, found NoneType",
    ),
}
"""What `load` returns, and a part of the sentence, by name of a converter and the format that it writes."""

FORMATS = {
    "sniff": ("sniff=lambda path: 1 // 0", "with format 'sniff' of mistakes 1.0 fails: ZeroDivisionError"),
    "sniffed": ("sniff=lambda path: sys.exit(0)", "with format 'sniffed' of mistakes 1.0 fails: SystemExit: 0"),
    "read": ("read=lambda path, folder: 1 // 0", "cannot be read: format 'read' of mistakes 1.0 fails: ZeroDivisionError"),
    "leave": ("read=lambda path, folder: sys.exit(0)", "cannot be read: format 'leave' of mistakes 1.0 fails: SystemExit: 0"),
    "write": ("write=lambda d, folder, path: [path.write_text('half'), 1 // 0]", "format 'write' of mistakes 1.0 fails: ZeroDivisionError"),
    "halt": ("write=lambda d, folder, path: [path.write_text('half'), sys.exit(0)]", "format 'halt' of mistakes 1.0 fails: SystemExit: 0"),
}
"""What the format does, and a part of the sentence, by name."""

RULES = {
    "raise": ("lambda model: 1 // 0", "the rules of consumer 'raise' of mistakes 1.0 fails: ZeroDivisionError"),
    "quit": ("lambda model: sys.exit(0)", "the rules of consumer 'quit' of mistakes 1.0 fails: SystemExit: 0"),
    "text": ("lambda model: ['yes']", "the rules of consumer 'text' of mistakes 1.0: expected Judgement, found str"),
    "none": ("lambda model: None", "the rules of consumer 'none' of mistakes 1.0 fails: TypeError"),
}
"""The rules, and a part of the sentence, by name of the software."""

PLUGIN = """
import sys
from types import SimpleNamespace
from bioimageio_core.registry import *
from bioimageio_core.registry import hookimpl
from bioimageio_core.spec.model.weights import WeightsEntryV05
from bioimageio_core.spec.node import node


class Mode:
    def __init__(self, plan=lambda pipeline: pipeline, wrap=lambda adapter, pipeline: adapter):
        self.plan, self.wrap = plan, wrap


class Called:
    def __init__(self, call):
        self.call = call

    def __call__(self, inputs):
        return self.call(inputs)

    def close(self):
        pass


class Format:
    def __init__(self, sniff=lambda path: True, read=None, write=None):
        self.sniff, self.read, self.write = sniff, read, write


@node
class Weights(WeightsEntryV05):
    pass


def fails(*given):
    return {{}}["nothing"]


@hookimpl
def bioimageio_run_modes():
    for name, code in {run_modes}.items():
        yield RunModeEntry(name=name, load=lambda code=code: eval(code))


@hookimpl
def bioimageio_weights_formats():
    for name in {formats_of_weights}:
        yield WeightsFormatEntry(name=name, descr={{"0.5": Weights}})


@hookimpl
def bioimageio_weights_adapters():
    hooks = {{"shapes": {{"input_shapes": lambda path, input_ids: fails()}}, "packages": {{"environment": lambda entry: fails()}}}}
    for name, code in {adapters}.items():
        more = hooks.get(name, {{}})
        yield WeightsAdapterEntry(name=name, weights_format=name, requires=(), load=lambda code=code: eval(code), **more)


@hookimpl
def bioimageio_weights_converters():
    for name, code in {converters}.items():
        yield WeightsConverterEntry(name=name, from_format="onnx", to_format=name, requires=(), load=lambda code=code: eval(code))


@hookimpl
def bioimageio_foreign_formats():
    for name, code in {formats}.items():
        made = lambda code=code: eval(f"Format({{code}})")
        yield ForeignFormatEntry(name=name, patterns=(f"*.{{name}}",), load=made, load_writer=lambda made=made: made().write)


@hookimpl
def bioimageio_consumers():
    for name, code in {rules}.items():
        yield ConsumerEntry(name=name, load=lambda code=code: eval(code))
"""

TRY = """
import json
from pathlib import Path
import numpy as np
import bioimageio_core as bc

folder, told = Path({folder!r}), {{}}
image = np.ones((16, 16), np.float32)

def tried(kind, name, act, left=None):
    try:
        act()
        told[f"{{kind}} {{name}}"] = ["nothing", False]
    except bc.errors.BioimageioError as error:
        told[f"{{kind}} {{name}}"] = [str(error), left is not None and left.exists()]
    except BaseException as error:
        told[f"{{kind}} {{name}}"] = [f"foreign: {{error!r}}", False]

for name in {run_modes}:
    tried("run mode", name, lambda: bc.predict(folder / "model", image, axes="yx", run_mode=name))
for name in {adapters}:
    if name == "packages":
        tried("adapter", name, lambda: bc.environment_of(folder / name))
    else:
        tried("adapter", name, lambda: bc.predict(folder / name, image, axes="yx"))
for name in {converters}:
    out = folder / f"{{name}}.zip"
    tried("converter", name, lambda: bc.convert_weights(folder / "model", name, out), out)
for name in {formats}:
    out = folder / f"out-{{name}}"
    if name in ("write", "halt"):
        tried("format", name, lambda: bc.export_model(folder / "model", name, out), out)
    else:
        (folder / f"x.{{name}}").write_text("x")
        tried("format", name, lambda: bc.import_model(folder / f"x.{{name}}", out), out)
for name in {rules}:
    tried("rules", name, lambda: bc.compat(folder / "model", [name]))
left = [path.name for path in folder.iterdir() if path.name.startswith(".") or path.name.endswith(".part")]
print(json.dumps({{"told": told, "left": left}}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What is said of each mistake: in one process."""
    folder = tmp_path_factory.mktemp("mistakes")
    site = Site(folder / "site")
    site.folder.mkdir()
    kinds = {"run_modes": RUN_MODES, "adapters": ADAPTERS, "converters": CONVERTERS, "formats": FORMATS, "rules": RULES}
    codes = {kind: {name: code for name, (code, _) in mistakes.items()} for kind, mistakes in kinds.items()}
    site.install("mistakes", PLUGIN.format(**codes, formats_of_weights=sorted({*ADAPTERS, *CONVERTERS})))
    for name in ("model", *ADAPTERS):
        (folder / name).mkdir()
        pointwise_model(folder / name)
        ones = np.ones((1, 1, 16, 16), np.float32)
        with_test_tensors(folder / name, {"raw": ones}, {"out": ones})
        if name != "model":
            path = folder / name / "bioimageio.yaml"
            path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "weights": {name: {"source": "weights.onnx"}}}))
    return site.python(TRY.format(folder=str(folder), **{kind: list(mistakes) for kind, mistakes in kinds.items()}))


@pytest.mark.parametrize(
    ("kind", "name", "sentence"),
    [
        (kind, name, sentence)
        for kind, mistakes in (
            ("run mode", RUN_MODES),
            ("adapter", ADAPTERS),
            ("converter", CONVERTERS),
            ("format", FORMATS),
            ("rules", RULES),
        )
        for name, (_, sentence) in mistakes.items()
    ],
)
def test_sentence(found: Any, kind: str, name: str, sentence: str) -> None:
    """It names the entry and its distribution, and nothing half done is left."""
    message, output_exists = found["told"][f"{kind} {name}"]
    assert sentence in message
    assert "\n" not in message
    assert not output_exists


def test_nothing_is_left(found: Any) -> None:
    """No temporary file or folder."""
    assert found["left"] == []
