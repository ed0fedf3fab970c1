"""Plugins of other distributions: what they do wrong is told, and costs the others nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bmz_process import run_process
from made_sites import MEASURE_COLLECTING

from bioimageio_core.registry import missing_requirements

OK = """
from bioimageio_core.registry import ProcessingOpEntry, Needs, hookimpl
from bioimageio_core.spec.node import Node, node

@node
class Invert(Node):
    id: str = "invert_signal"

@hookimpl
def bioimageio_processing_ops():
    yield ProcessingOpEntry(name="invert_signal", descr={"0.5": Invert}, load=lambda: None, requirements=lambda kwargs, axes: Needs())
"""

LIST = """
import json, warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import bioimageio_core as bc
    registry = bc.plugins()
    again = bc.plugins()
assert registry is again
print(json.dumps({
    "ops": sorted(registry.processing_ops),
    "adapters": sorted(registry.weights_adapters),
    "plugins": [(p.distribution, p.name, p.version) for p in registry.plugins],
    "failures": [(f.plugin.distribution, f.plugin.name, f.entry, f.message) for f in registry.failures],
    "warnings": [str(w.message) for w in caught],
    "invert_signal": getattr(registry.provenance.get(("processing_ops", "invert_signal")), "distribution", None),
}))
"""


def changed(old: str, new: str) -> str:
    """Return the good plugin with one mistake."""
    good = OK.replace("invert_signal", "mine")
    assert old in good
    return good.replace(old, new)


BROKEN = {
    "forgotten-mark": (
        changed("@hookimpl", ""),
        "forgotten mark: bioimageio_processing_ops is not a hook without @hookimpl above it",
    ),
    "exit-in-hook": (changed("    yield", "    import sys; sys.exit(0)\n    yield"), "bioimageio_processing_ops raised SystemExit: 0"),
    "empty-descr": (
        changed('{"0.5": Invert}', "{}"),
        "descr: expected a class for at least one of 0.4, 0.5, found none",
    ),
    "descr-of-no-class": (
        changed('"0.5": Invert', '"0.5": "Invert"'),
        "descr: expected a description class for 0.5, found 'Invert'",
    ),
    "other-id": (
        changed('id: str = "mine"', 'id: str = "invert"'),
        "unusable class: 'mine': id of Invert is 'invert': expected the name of the entry, 'mine'",
    ),
    "other-literal": (
        "from typing import Literal\n" + changed('str = "mine"', 'Literal["invert"] = "invert"'),
        "unusable class: 'mine': id of Invert is 'invert': expected the name of the entry, 'mine'",
    ),
    "no-id": (
        changed("    id: str", "    title: str"),
        "unusable class: 'mine': Invert has no field id: expected id: Literal['mine'] = 'mine'",
    ),
    "import-error": ("import no_such_module_at_all\n", "import failed: ModuleNotFoundError: No module named 'no_such_module_at_all'"),
    "syntax-error": ("def (:\n", "import failed: SyntaxError"),
    "exit-at-import": ("import sys\nsys.exit(3)\n", "import failed: SystemExit: 3"),
    "misspelt-hook": (
        "from bioimageio_core.registry import hookimpl\n@hookimpl\ndef bioimageio_procesing_ops():\n    return ()\n",
        "misspelt hook: there is none named bioimageio_procesing_ops",
    ),
    "wrong-entry": (
        "from bioimageio_core.registry import hookimpl\n@hookimpl\ndef bioimageio_processing_ops():\n    yield 'sigmoid'\n",
        "wrong entry: expected ProcessingOpEntry, found str",
    ),
    "entry-of-another-hook": (
        "from bioimageio_core.registry import RunModeEntry, hookimpl\n@hookimpl\ndef bioimageio_processing_ops():\n"
        "    yield RunModeEntry(name='twice', load=lambda: None)\n",
        "wrong entry: expected ProcessingOpEntry, found RunModeEntry",
    ),
    "hook-raises": (
        "from bioimageio_core.registry import hookimpl\n@hookimpl\ndef bioimageio_processing_ops():\n"
        "    raise RuntimeError('no licence found')\n",
        "bioimageio_processing_ops raised RuntimeError: no licence found",
    ),
    "hook-returns-nothing": (
        "from bioimageio_core.registry import hookimpl\n@hookimpl\ndef bioimageio_processing_ops():\n    pass\n",
        "bioimageio_processing_ops raised TypeError",
    ),
    "hook-with-argument": (
        "from bioimageio_core.registry import hookimpl\n@hookimpl\ndef bioimageio_processing_ops(config):\n    return ()\n",
        "import failed: PluginValidationError",
    ),
    "duplicate": (
        OK.replace("invert_signal", "sigmoid"),
        "duplicate: 'sigmoid' is already registered by bioimageio-runtime",
    ),
}


class TestGoodPlugin:
    """A distribution that does everything right."""

    def test_registered(self, site: Any) -> None:
        """Its op is known, with its distribution; nothing is warned of."""
        site.install("good-plugin", OK, version="2.3")
        found = site.python(LIST)
        assert "invert_signal" in found["ops"]
        assert "sigmoid" in found["ops"]
        assert found["invert_signal"] == "good-plugin"
        assert ["good-plugin", "main", "2.3"] in found["plugins"]
        assert found["failures"] == []
        assert found["warnings"] == []

    def test_switched_off(self, site: Any) -> None:
        """BMZ_DISABLE_PLUGINS leaves the library's own."""
        site.install("good-plugin", OK)
        site.install("import-error", BROKEN["import-error"][0])
        found = site.python(LIST, env={"BMZ_DISABLE_PLUGINS": "1"})
        assert "invert_signal" not in found["ops"]
        assert "sigmoid" in found["ops"]
        assert found["failures"] == []
        assert {p[0] for p in found["plugins"]} == {"bioimageio-runtime"}


class TestBrokenPlugins:
    """Distributions that do something wrong."""

    def test_each_is_told_and_the_others_work(self, site: Any) -> None:
        """All at once: each failure has its distribution and message, and is warned of once."""
        site.install("good-plugin", OK)
        for name, (module, _) in BROKEN.items():
            site.install(name, module)
        found = site.python(LIST)
        assert {"invert_signal", "sigmoid", "zero_mean_unit_variance"} <= set(found["ops"])
        assert found["invert_signal"] == "good-plugin"
        assert "onnxruntime" in found["adapters"]
        told = {distribution: message for distribution, _, _, message in found["failures"]}
        assert set(told) == set(BROKEN)
        for name, (_, message) in BROKEN.items():
            assert message in told[name]
        assert len(found["warnings"]) == len(BROKEN)
        assert all(any(name in warning for warning in found["warnings"]) for name in BROKEN)

    def test_bmz_plugins(self, site: Any) -> None:
        """Status 1, the failures on stderr, one line each, the table on stdout; JSON holds both."""
        site.install("good-plugin", OK)
        site.install("import-error", BROKEN["import-error"][0])
        site.install("duplicate", BROKEN["duplicate"][0])
        ran = run_process("plugins", env=site.environment())
        assert ran.status == 1
        assert "good-plugin 1.0" in ran.out
        assert len(ran.err.splitlines()) == 2
        assert "import-error" in ran.err
        assert "no_such_module_at_all" in ran.err
        listed = run_process("plugins", "--json", env=site.environment())
        assert listed.status == 1
        assert {f["distribution"] for f in listed.json["failures"]} == {"import-error", "duplicate"}
        assert "duplicate" in {f["distribution"] for f in listed.json["failures"] if f["entry"] == "sigmoid"}

    def test_each_in_bmz_plugins(self, site: Any) -> None:
        """A line on stderr for each, with the distribution, its version, and what is wrong."""
        for name, (module, _) in BROKEN.items():
            site.install(name, module)
        ran = run_process("plugins", env=site.environment())
        assert ran.status == 1
        lines = {line.split(" of ")[1].split(":")[0]: line for line in ran.err.splitlines()}
        assert set(lines) == {f"{name} 1.0" for name in BROKEN}
        for name, (_, message) in BROKEN.items():
            assert message in lines[f"{name} 1.0"]

    @pytest.mark.parametrize("name", ["import-error", "misspelt-hook", "wrong-entry", "hook-raises"])
    def test_where_the_name_is_used(self, site: Any, tmp_path: Path, name: str) -> None:
        """The error of a model that needs it says why it is not there."""
        from made_models import box_model

        module, message = BROKEN[name]
        site.install(name, module, entry_point="sharpen")
        box_model(tmp_path, 16, preprocessing=[{"id": "sharpen"}])
        ran = run_process("test", tmp_path, env=site.environment())
        assert ran.status == 2
        assert f"no installed plugin provides op 'sharpen' ({message}" in ran.err.splitlines()[-1]

    def test_where_a_duplicate_is_used(self, site: Any, tmp_path: Path) -> None:
        """The first is what runs."""
        from made_models import pointwise_model

        site.install("duplicate", BROKEN["duplicate"][0])
        pointwise_model(tmp_path, post=[{"id": "sigmoid"}])
        code = (
            "import json, warnings\nwarnings.simplefilter('ignore')\nimport numpy as np, bioimageio_core as bc\n"
            f"print(json.dumps(float(np.asarray(bc.predict({str(tmp_path)!r}, np.zeros((4, 4), np.float32))['out']).max())))"
        )
        assert site.python(code) == 0.5

    def test_other_commands_warn_in_one_line(self, site: Any, tmp_path: Path) -> None:
        """A broken plugin costs a line on stderr, no more."""
        from made_models import box_model

        model = box_model(tmp_path, 16)
        site.install("import-error", BROKEN["import-error"][0])
        ran = run_process("info", model, env=site.environment())
        assert ran.status == 0
        (line,) = ran.err.splitlines()
        assert line.startswith("bmz: warning: plugin 'main' of import-error 1.0")

    def test_two_strangers_with_one_name(self, site: Any) -> None:
        """The first by name of the distribution wins; the message names both."""
        site.install("alpha-plugin", OK)
        site.install("beta-plugin", OK)
        found = site.python(LIST)
        assert found["invert_signal"] == "alpha-plugin"
        ((distribution, _, entry, message),) = found["failures"]
        assert distribution == "beta-plugin"
        assert entry == "invert_signal"
        assert "alpha-plugin 1.0" in message


class TestMissingRequirements:
    """What is not installed, told without importing anything."""

    @pytest.mark.parametrize(
        ("requires", "missing"),
        [
            ((), ()),
            (("json",), ()),
            (("no_such_module",), ("no_such_module",)),
            (("json", "no_such_module"), ("no_such_module",)),
            (("json.decoder",), ()),
            (("json.nothing",), ("json.nothing",)),
            (("no_such_module.below",), ("no_such_module.below",)),
            (("math.below",), ("math.below",)),
        ],
    )
    def test_names(self, requires: tuple[str, ...], missing: tuple[str, ...]) -> None:
        """Modules, and modules in packages."""
        assert missing_requirements(requires) == missing

    def test_imports_nothing(self, site: Any) -> None:
        """A package that must not be imported, and a module in it, are found."""
        package = site.folder / "explosive"
        package.mkdir()
        (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
        (package / "part.py").write_text("raise RuntimeError('imported')\n")
        code = (
            "import json\nfrom bioimageio_core.registry import missing_requirements\n"
            "print(json.dumps(missing_requirements(['explosive', 'explosive.part', 'explosive.other'])))"
        )
        assert site.python(code) == ["explosive.other"]

    def test_adapter_that_cannot_run(self, site: Any, tmp_path: Path) -> None:
        """Listed with what it needs; the weights are told not to run, and how to change that."""
        adapter = """
from bioimageio_core.registry import WeightsAdapterEntry, hookimpl

@hookimpl
def bioimageio_weights_adapters():
    yield WeightsAdapterEntry(
        name="caffe", weights_format="tensorflow_js", requires=("no_such_framework",), load=lambda: None, extra="caffe-plugin[all]"
    )
"""
        site.install("caffe-plugin", adapter)
        listed = run_process("plugins", "--json", env=site.environment())
        assert listed.status == 0
        assert [e["missing"] for e in listed.json["entries"] if e["name"] == "caffe"] == ["needs no_such_framework"]
        from made_models import box_model

        weights = {"tensorflow_js": {"source": "weights.zip", "tensorflow_version": "2.0"}}
        model = box_model(tmp_path, 16)
        text = (model / "bioimageio.yaml").read_text()
        import yaml

        (model / "bioimageio.yaml").write_text(yaml.safe_dump({**yaml.safe_load(text), "weights": weights}))
        planned = run_process("plan", model, tmp_path / "x.npy", env=site.environment()).error(2)
        assert "tensorflow_js needs no_such_framework (pip install 'caffe-plugin[all]')" in planned
        card = run_process("info", model, "--json", env=site.environment()).json
        assert card["weights"][0]["why_not"] == "no_such_framework is not installed (pip install 'caffe-plugin[all]')"


class TestCost:
    """What plugins cost those who do not need them."""

    def test_hundred_plugins(self, site: Any) -> None:
        """Less than a second of processor time for all of them, each with a class; `bench_plugins` prints how much."""
        site.install_dummies(100)
        figures = site.python(MEASURE_COLLECTING)
        assert figures["ops"] == 100
        assert figures["all"] - figures["own"] < 1

    def test_framework_of_a_plugin(self, site: Any, tmp_path: Path) -> None:
        """Listing plugins, and loading, judging and showing a description with their weights import no framework."""
        from made_models import box_model

        (site.folder / "framework_x.py").write_text("raise RuntimeError('imported')\n")
        adapter = """
from bioimageio_core.registry import WeightsAdapterEntry, hookimpl

def load():
    import framework_x

@hookimpl
def bioimageio_weights_adapters():
    yield WeightsAdapterEntry(name="x", weights_format="onnx", requires=("framework_x",), load=load, preference=99)
"""
        site.install("x-plugin", adapter)
        model = box_model(tmp_path, 16)
        for command in (["plugins"], ["info", model], ["validate", model]):
            ran = run_process(*command, env=site.environment())
            assert (ran.status, ran.err) == (0, "")
        assert "yes, with x" in run_process("info", model, env=site.environment()).out
