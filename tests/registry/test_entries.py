"""What is checked when entries are collected: the message names the plugin, the field, what was expected and what was found."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from importlib.metadata import EntryPoint
from itertools import count
from pathlib import Path

import pytest

from bioimageio_core.errors import PluginWarning
from bioimageio_core.registry import HOOKS, Registry, collect
from bioimageio_core.structuring.support import check_class

NUMBER = count()

MODULE = """
import attrs
from bioimageio_core.registry import *
from bioimageio_core.spec.node import Node, node

@node
class Descr(Node):
    id: str = "mine"

def needs(kwargs, axes):
    return Needs()

def load():
    raise AssertionError("nothing is loaded while collecting")

{before}
@hookimpl
def {hook}():
    yield {entry}
"""


@pytest.fixture
def collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Registry]:
    """Collects a plugin of one hook whose only entry is built by an expression."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def collected(kind: str, entry: str, before: str = "") -> Registry:
        name = f"entries_{next(NUMBER)}"
        (tmp_path / f"{name}.py").write_text(MODULE.format(hook=HOOKS[kind].name, entry=entry, before=before))
        return collect([EntryPoint(name="mine", value=name, group="bioimageio_core")])

    return collected


OP = 'ProcessingOpEntry(name="mine", descr={"0.5": Descr}, load=load, requirements=needs)'
FORMAT = 'WeightsFormatEntry(name="mine", descr={"0.5": Descr})'
ADAPTER = 'WeightsAdapterEntry(name="mine", weights_format="onnx", requires=("numpy",), load=load)'
CONVERTER = 'WeightsConverterEntry(name="mine", from_format="onnx", to_format="npz", requires=(), load=load)'
RUN_MODE = 'RunModeEntry(name="mine", load=load, kwargs=Descr)'
FOREIGN = 'ForeignFormatEntry(name="mine", patterns=("*.mine",), load=load)'
READER = 'ImageReaderEntry(name="mine", suffixes=(".mine",), load=load)'
WRITER = 'ImageWriterEntry(name="mine", suffixes=(".mine",), load=load)'
CONSUMER = 'ConsumerEntry(name="mine", load=load)'
COMMAND = 'CommandEntry(name="mine", load=load)'
GOOD = {
    "processing_ops": OP,
    "weights_formats": FORMAT,
    "weights_adapters": ADAPTER,
    "weights_converters": CONVERTER,
    "run_modes": RUN_MODE,
    "foreign_formats": FOREIGN,
    "image_readers": READER,
    "image_writers": WRITER,
    "consumers": CONSUMER,
    "commands": COMMAND,
}

NAME = "name: expected a letter followed by letters, digits, '_', '-' or '.', found '2 fast'"
WITH_ARGUMENT = "load: expected a function that can be called with (), found (argument)"


class TestEntries:
    """Entries as they are built."""

    @pytest.mark.parametrize("kind", HOOKS)
    def test_good(self, collected: Callable[..., Registry], kind: str) -> None:
        """An entry of every hook, its implementation not imported."""
        registry = collected(kind, GOOD[kind])
        assert "mine" in getattr(registry, kind)
        assert registry.failures == ()

    @pytest.mark.parametrize("kind", HOOKS)
    def test_name(self, collected: Callable[..., Registry], kind: str) -> None:
        """Names are checked in all of them."""
        with pytest.warns(PluginWarning, match="plugin 'mine' of .*no distribution") as told:
            registry = collected(kind, GOOD[kind].replace('"mine"', '"2 fast"', 1))
        assert f"{HOOKS[kind].name} raised ValueError: {NAME}" in str(told[0].message)
        assert len(told) == len(registry.failures) == 1
        assert not getattr(registry, kind)

    @pytest.mark.parametrize("kind", [k for k in HOOKS if k != "weights_formats"])
    def test_load_takes_no_argument(self, collected: Callable[..., Registry], kind: str) -> None:
        """Nor does that of any entry."""
        with pytest.warns(PluginWarning) as told:
            collected(kind, GOOD[kind].replace("load=load", "load=lambda argument: None"))
        assert WITH_ARGUMENT in str(told[0].message)

    @pytest.mark.parametrize(
        ("kind", "old", "new", "message"),
        [
            ("processing_ops", '"mine"', "3", "TypeError: name: expected a string, found int"),
            ("processing_ops", '"0.5": Descr', '"0.6": Descr', "ValueError: descr: expected format versions of 0.4, 0.5, found '0.6'"),
            ("processing_ops", "Descr", "dict", "TypeError: descr: expected a description class for 0.5, found <class 'dict'>"),
            (
                "processing_ops",
                '{"0.5": Descr}',
                "Descr",
                "TypeError: descr: expected a mapping from format versions to classes, found type",
            ),
            ("processing_ops", "load=load", "load=3", "TypeError: load: expected a function, found int"),
            (
                "processing_ops",
                "requirements=needs",
                "requirements=lambda kwargs: Needs()",
                "TypeError: requirements: expected a function that can be called with (kwargs, axes), found (kwargs)",
            ),
            (
                "processing_ops",
                "requirements=needs",
                'requirements=needs, where=("before",)',
                "ValueError: where: expected some of 'preprocessing', 'postprocessing', found ('before',)",
            ),
            (
                "processing_ops",
                "requirements=needs",
                'requirements=needs, where="preprocessing"',
                "TypeError: where: expected a tuple of strings",
            ),
            (
                "weights_adapters",
                "load=load",
                "load=load, preference='high'",
                "TypeError: preference: expected a whole number, found 'high'",
            ),
            ("weights_adapters", "load=load", "load=load, thread_safe=1", "TypeError: thread_safe: expected true or false, found 1"),
            ("run_modes", "kwargs=Descr", "kwargs=dict", "TypeError: kwargs: expected a class of arguments or None, found <class 'dict'>"),
            ("processing_ops", ", requirements=needs", "", "missing 1 required keyword-only argument: 'requirements'"),
            ("processing_ops", "load=load", "laod=load", "unexpected keyword argument 'laod'"),
            ("weights_formats", "Descr}", 'Descr}, aliases="old"', "TypeError: aliases: expected a tuple of strings, found 'old'"),
            ("weights_formats", "Descr}", 'Descr}, aliases=["old"]', "TypeError: aliases: expected a tuple of strings, found ['old']"),
            ("weights_adapters", '("numpy",)', '"numpy"', "TypeError: requires: expected a tuple of strings, found 'numpy'"),
            ("weights_adapters", '"onnx"', "None", "TypeError: weights_format: expected a string, found NoneType"),
            ("weights_adapters", "load=load", "load=load, devices='cuda'", "TypeError: devices: expected a tuple of strings, found 'cuda'"),
            ("weights_converters", '"onnx"', '""', "ValueError: from_format: expected a letter"),
            ("foreign_formats", '("*.mine",)', '"*.mine"', "TypeError: patterns: expected a tuple of strings, found '*.mine'"),
            ("foreign_formats", "load=load", "load=load, load_writer=3", "TypeError: load_writer: expected a function, found int"),
            *(
                (kind, old, new, message)
                for kind in ("image_readers", "image_writers")
                for old, new, message in (
                    ('(".mine",)', '".mine"', "TypeError: suffixes: expected a tuple of strings, found '.mine'"),
                    ('(".mine",)', "()", "ValueError: suffixes: expected endings of names in lower case, such as '.czi', found ()"),
                    (
                        '".mine"',
                        '".MINE"',
                        "ValueError: suffixes: expected endings of names in lower case, such as '.czi', found ('.MINE',)",
                    ),
                    ('".mine"', '"mine"', "ValueError: suffixes: expected endings of names in lower case"),
                    ('".mine"', '".ome.tif", "*.mine"', "ValueError: suffixes: expected endings of names in lower case"),
                    ("load=load", "load=load, requires='h5py'", "TypeError: requires: expected a tuple of strings, found 'h5py'"),
                    ("load=load", "load=load, install=None", "TypeError: install: expected a string, found None"),
                    ("load=load", "load=load, preference=0.5", "TypeError: preference: expected a whole number, found 0.5"),
                )
            ),
            ("image_readers", "load=load", "load=load, paths_within=1", "TypeError: paths_within: expected true or false, found 1"),
            ("image_readers", "load=load", "load=load, urls='no'", "TypeError: urls: expected true or false, found 'no'"),
            ("image_writers", "load=load", "load=load, levels=2", "TypeError: levels: expected true or false, found 2"),
            ("consumers", "load=load", "load=load, summary=3", "TypeError: summary: expected a string, found 3"),
        ],
    )
    def test_fields(self, collected: Callable[..., Registry], kind: str, old: str, new: str, message: str) -> None:
        """One warning with the hook, the field, and what is wrong with it; nothing is registered."""
        with pytest.warns(PluginWarning) as told:
            registry = collected(kind, GOOD[kind].replace(old, new, 1))
        assert f"plugin 'mine' of (no distribution) : {HOOKS[kind].name} raised" in str(told[0].message)
        assert message in str(told[0].message)
        assert not getattr(registry, kind)

    @pytest.mark.parametrize(
        ("version", "message"),
        [
            (
                "2",
                "import failed: ImportError: it is written for version 2 of the plugin interface, this library has 1: update bioimageio",
            ),
            ("'1'", "it is written for version 1 of the plugin interface"),
        ],
    )
    def test_interface(self, collected: Callable[..., Registry], version: str, message: str) -> None:
        """A plugin for a later interface is not used at all."""
        with pytest.warns(PluginWarning) as told:
            registry = collected("commands", COMMAND, before=f"bioimageio_api_version = {version}")
        assert message in str(told[0].message)
        assert not registry.commands
        assert collected("commands", COMMAND, before="bioimageio_api_version = 1").commands

    def test_entries_before_a_wrong_one(self, collected: Callable[..., Registry]) -> None:
        """What a hook yields before it fails is good."""
        with pytest.warns(PluginWarning, match="raised RuntimeError: no licence"):
            registry = collected("commands", f"{COMMAND}\n    raise RuntimeError('no licence')")
        assert list(registry.commands) == ["mine"]


UNKNOWN = """
class Angle:
    pass

@attrs.frozen
class Inner:
    angles: list[Angle]

@attrs.frozen
class Unknown:
    name: str
    angle: Angle | None = None

@attrs.frozen
class Deep:
    inner: dict[str, Inner]

@attrs.frozen
class Misspelt:
    name: "strr"

@attrs.frozen
class Made:
    angle: Angle = attrs.field(converter=lambda value: Angle())

def knows(converter):
    converter.register_structure_hook(Angle, lambda value, _: Angle())

def fails(converter):
    raise RuntimeError("no licence")
"""


class TestClasses:
    """Classes of entries, which have to be of types that can be structured."""

    @pytest.mark.parametrize(
        ("kind", "entry", "message"),
        [
            ("run_modes", RUN_MODE.replace("Descr", "Unknown"), "'mine', kwargs: TypeError: field angle of Unknown is of type Angle"),
            ("run_modes", RUN_MODE.replace("Descr", "Deep"), "field inner.angles of Deep is of type Angle, which cannot be structured"),
            ("run_modes", RUN_MODE.replace("Descr", "Misspelt"), "unusable class: 'mine', kwargs: NameError: name 'strr' is not defined"),
            ("run_modes", RUN_MODE.replace("=Descr", "=Descr, configure=fails"), "kwargs: RuntimeError: no licence"),
            ("processing_ops", OP.replace("Descr", "Unknown"), "unusable class: 'mine', descr['0.5']: TypeError: field angle of Unknown"),
            ("weights_formats", FORMAT.replace("Descr", "Unknown"), "'mine', descr['0.5']: TypeError: field angle of Unknown"),
        ],
    )  # fmt: skip
    def test_unusable(self, collected: Callable[..., Registry], kind: str, entry: str, message: str) -> None:
        """A failure of the plugin that names the entry, the field and the type; the entry is not registered."""
        with pytest.warns(PluginWarning, match="plugin 'mine' of .*unusable class") as told:
            registry = collected(kind, entry, before=UNKNOWN)
        assert message in str(told[0].message)
        assert [failure.entry for failure in registry.failures] == ["mine"]
        assert not getattr(registry, kind)

    @pytest.mark.parametrize("entry", [RUN_MODE.replace("=Descr", "=Unknown, configure=knows"), RUN_MODE.replace("Descr", "Made")])
    def test_usable(self, collected: Callable[..., Registry], entry: str) -> None:
        """A hook for the type, or an attrs converter of the field, is enough."""
        assert collected("run_modes", entry, before=UNKNOWN).run_modes

    def test_built_in(self) -> None:
        """All of the library's own, which are not asked when they are collected."""
        registry = collect([p for p in metadata.entry_points(group="bioimageio_core") if p.value.startswith("bioimageio_core.")])
        entries = [*registry.processing_ops.values(), *registry.weights_formats.values(), *registry.run_modes.values()]
        checked = [check_class(cls, entry.configure) for entry in entries for _, cls in entry.classes()]
        assert len(checked) > 30


class TestDescribedOps:
    """Ops that the format has and the library only describes."""

    def test_format_describes(self, collected: Callable[..., Registry]) -> None:
        """A plugin that runs one brings no description of its own, and none that adds to the format."""
        from bioimageio_core.processing.descr_v0_5_objects import StardistPostprocessingDescr

        name = "stardist_postprocessing"
        own = [EntryPoint(name="processing", value="bioimageio_core.processing.plugin", group="bioimageio_core")]
        entry = OP.replace('"mine"', f'"{name}"').replace("Descr", "Star")
        star = f'@node\nclass Star(Node):\n    id: str = "{name}"\n'
        module = collected("processing_ops", entry, before=star).plugins[0].module
        registry = collect([*own, EntryPoint(name="zstar", value=module, group="bioimageio_core")])
        assert registry.failures == ()
        assert not registry.processing_ops[name].described_only
        assert registry.processing_ops[name].descr["0.5"] is StardistPostprocessingDescr
        assert registry.provenance[("processing_ops", name)].name == "zstar"

    def test_one_plugin_runs_it(self, collected: Callable[..., Registry]) -> None:
        """Of two plugins that run one, the second fails, and so does one that would replace an op which the library runs."""
        own = [EntryPoint(name="processing", value="bioimageio_core.processing.plugin", group="bioimageio_core")]
        for name, failing in (("cellpose_flow_dynamics", ["z2"]), ("sigmoid", ["z1", "z2"])):
            entry = OP.replace('"mine"', f'"{name}"').replace("Descr", "Mine")
            mine = f'@node\nclass Mine(Node):\n    id: str = "{name}"\n'
            modules = [(plugin, collected("processing_ops", entry, before=mine).plugins[0].module) for plugin in ("z1", "z2")]
            both = [EntryPoint(name=plugin, value=module, group="bioimageio_core") for plugin, module in modules]
            with pytest.warns(PluginWarning, match=f"duplicate: '{name}' is already registered by"):
                registry = collect([*own, *both])
            assert [failure.plugin.name for failure in registry.failures] == failing
            assert not registry.processing_ops[name].described_only
